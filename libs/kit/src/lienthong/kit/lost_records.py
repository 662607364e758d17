"""When something that the bus acknowledged, and whoever takes it from there does not have, counts as lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

LOST_AFTER: Final = timedelta(seconds=30)
"""How far beyond a record the journal must have been read, unless the operator says otherwise. Clocks may
differ by less."""
_ROUNDS: Final = 3
_MOST_DOUBLINGS: Final = 7


def ask_every_s(lost_after: timedelta) -> float:
    """How often the ledger is asked: a record that is lost is missed several times."""
    return lost_after.total_seconds() / _ROUNDS


def waited_for(repeats: int, lost_after: timedelta = LOST_AFTER) -> timedelta:
    """For how long something must be missing until it is published again: twice as long each time."""
    return lost_after * (1 << min(repeats, _MOST_DOUBLINGS))


def is_lost(
    published: datetime,
    repeats: int,
    read_through: datetime | None,
    missing_for_s: float,
    lost_after: timedelta = LOST_AFTER,
) -> bool:
    """Whether the journal was read beyond a record without it, so that it has to be published again.

    The journal must have been read through `lost_after` beyond when the record was published last, by the
    bus's clock, and twice as far each time that it was published again. The record must also have been
    missing for as long, by the monotonic clock of whoever asks: the bus's clock may be far ahead of it.
    """
    wait = waited_for(repeats, lost_after)
    passed = read_through is not None and read_through > published + wait
    return passed and missing_for_s >= wait.total_seconds()
