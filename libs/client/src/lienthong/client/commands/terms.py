"""The terms of an agreement as they are written on the command line; what they may be, the catalog says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_DIGITS: Final = 18
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS: Final = re.compile(r"(?P<days>[a-z,-]+) +(?P<from>[0-9]{2}:[0-9]{2})-(?P<to>[0-9]{2}:[0-9]{2})")


def limits(given: Sequence[str]) -> dict[str, int]:
    """The limits of words such as `perMinute=600`.

    Raises:
        InputError: one of them is not of that form.
    """
    return dict(map(_limit, given))


def hours(given: Sequence[str]) -> dict[str, Any]:
    """The hours of words such as `mon-fri 07:00-17:30` or `sat,sun 08:00-11:00`.

    Raises:
        InputError: one of them is not of that form.
    """
    return {"open": list(map(_part_of_days, given))}


def fields(given: Sequence[str]) -> dict[str, list[str]]:
    """The fields of words such as `getParcel=owners[*].fullName`, each with one path; `*` is every operation.

    Raises:
        InputError: one of them is not of that form.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        operation, _, path = text.partition("=")
        if not operation or not path:
            raise _unreadable(
                "--fields",
                text,
                Text("Cần thao tác và đường dẫn của trường.", "An operation and a field's path are needed."),
                "getParcel=owners[*].fullName",
            )
        found.setdefault(operation, []).append(path)
    return found


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
        needed = Text("Cần tên và một số nguyên.", "A name and a whole number are needed.")
        raise _unreadable("--limit", text, needed, "perMinute=600")
    return name, int(number)


def _part_of_days(text: str) -> dict[str, Any]:
    found = _HOURS.fullmatch(text.strip().lower())
    days = list(_days(found["days"])) if found is not None else []
    if found is None or None in days:
        needed = Text("Cần các ngày và giờ.", "Days and hours are needed.")
        raise _unreadable("--hours", text, needed, '"mon-fri 07:00-17:30"')
    return {"days": list(dict.fromkeys(days)), "from": found["from"], "to": found["to"]}


def _days(text: str) -> Iterator[str | None]:
    """Each day of a list of days and of ranges of them; None for what is none."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or "-" in last:
            yield None
            return
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        # From Friday on to Monday it goes through Sunday.
        yield from (_DAYS[day % len(_DAYS)] for day in range(begin, end + 1 + len(_DAYS) * (end < begin)))


def _unreadable(option: str, text: str, needed: Text, example: str) -> InputError:
    return InputError(
        Text(f"Không đọc được {option} {text}", f"{option} {text} cannot be read"),
        needed,
        Text(f"Ví dụ: {option} {example}", f"Such as: {option} {example}"),
        code="usage",
    )
