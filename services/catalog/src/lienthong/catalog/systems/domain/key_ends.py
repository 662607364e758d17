"""When the keys of a system end, and when its people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lienthong.catalog.domain.reminders import ENDS_BEFORE, reached
from lienthong.catalog.errors import Violation
from lienthong.catalog.systems.domain.public_keys import thumbprint_of
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True, order=True)
class KeyReminder:
    """That a key, by its thumbprint, ends at `until`, to be told from a moment on."""

    at: datetime
    until: datetime
    key: str


def end_of(key: Mapping[str, object]) -> datetime | None:
    """Return when a key ends; None where it has no end."""
    ends = key.get("exp")
    return datetime.fromtimestamp(ends, UTC) if isinstance(ends, int) else None


def reminders(jwks: JsonObject) -> Iterator[KeyReminder]:
    """Yield everything that is to be told of the keys of a system, at any time."""
    for key in jwks["keys"]:
        if (until := end_of(key)) is not None:
            thumbprint = thumbprint_of(key)
            for before in ENDS_BEFORE:
                yield KeyReminder(until - before, until, thumbprint)


def first_look(jwks: JsonObject, told: datetime | None) -> datetime | None:
    """Return the earliest moment at which something is to be told; None where nothing ever is."""
    found = (one.at for one in reminders(jwks) if told is None or one.at > told)
    return min(found, default=None)


def due_now(
    jwks: JsonObject, told: datetime | None, now: datetime
) -> tuple[Sequence[KeyReminder], datetime | None]:
    """Return what is to be told now, of each key once, and when to look again; None where never.

    Of several that were missed only the last is told, and nothing of a key that has ended already.
    """
    of_keys: dict[str, list[KeyReminder]] = {}
    for one in reminders(jwks):
        of_keys.setdefault(one.key, []).append(one)
    found = [reached(some, told, now) for some in of_keys.values()]
    due = [last for last, _ in found if last is not None and last.until > now]
    return due, min((again for _, again in found if again is not None), default=None)


def past_end(key: Mapping[str, object], now: datetime) -> Iterator[Violation]:
    """Yield that a new key would have ended already."""
    if (until := end_of(key)) is not None and until <= now:
        yield Violation(
            ("exp",),
            BilingualText("the key would have ended already", "khoá đã hết hạn trước khi được đăng ký"),
        )
