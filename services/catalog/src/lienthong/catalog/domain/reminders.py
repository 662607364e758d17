"""When people are told of something before it is too late: once, and only the last of what was missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDS_BEFORE: Final = tuple(timedelta(days=days) for days in (30, 7, 1))
"""How long before the end of something people are told of it."""


class Told(Protocol):
    """What is to be told from a moment on."""

    @property
    def at(self) -> datetime:
        """From when on."""
        ...


T = TypeVar("T", bound=Told)


def reached(reminders: Iterable[T], told: datetime | None, now: datetime) -> tuple[T | None, datetime | None]:
    """Return the last reminder that is to be told by now, and when to look again; None where there is none.

    Nothing is told again that was told before, which is what was due until `told`.
    """
    ahead = sorted((one for one in reminders if told is None or one.at > told), key=lambda one: one.at)
    by_now = [one for one in ahead if one.at <= now]
    return (by_now[-1] if by_now else None), next((one.at for one in ahead if one.at > now), None)
