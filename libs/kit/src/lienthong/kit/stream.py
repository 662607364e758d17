"""A stream that a process follows, and how its messages become a state: what `kit.replica` is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable

    from google.protobuf.message import Message

    from lienthong.kit.replica_copy import Maps

StateT = TypeVar("StateT")
UpdateT = TypeVar("UpdateT", bound="Message")


class VersionGapError(Exception):
    """An update does not continue the state: one was missed, so the whole state must be requested again."""


@dataclass(frozen=True, slots=True)
class Stream(Generic[StateT, UpdateT]):
    """What is followed, and how its updates become a state."""

    name: str
    """For logs and metrics, e.g. `routes`."""
    watch: Callable[[StateT | None], AsyncIterable[UpdateT]]
    """Opens the stream for a process that has this state. What comes first must continue it, or begin anew;
    for None it must begin anew."""
    fold: Callable[[StateT | None, UpdateT], StateT]
    """The state after an update; pure, but that a state which is not whole is folded on once: what its parts
    have made may be changed in place. Returns the same object when the update only confirms the state.

    Raises VersionGapError when an update was missed, and anything else when the update cannot be used.
    """
    pack: Callable[[StateT], Maps]
    """The state as the maps that are kept on disk."""
    unpack: Callable[[Maps], StateT]
    """The state of these maps; raises anything when they are none."""
    whole: Callable[[StateT], bool] = lambda _state: True
    """Whether a state holds all parts of what makes it. One that does not is folded on, and never shown."""
    faults: Callable[[StateT], str | None] = lambda _state: None
    """What a state lacks because it could not be used, in words."""
