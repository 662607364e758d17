"""Records as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from lienthong.console.errors import platform_away
from lienthong.kit.clock import parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_LONGEST_MEMBER: Final = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the page shows it: what everyone looks for, and all of its members."""

    index: int
    kind: str
    at: datetime | None
    who: str
    what: str
    result: str
    tx: str
    members: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Record:
        """Read an entry of the ledger's answer."""
        record = item["record"]

        def text(*names: str) -> str:
            return " ".join(str(record[name]) for name in names if record.get(name) is not None)

        return cls(
            int(item["index"]),
            text("kind"),
            _moment(record.get("at")),
            text("client") or text("actor"),
            text("service", "operation") or text("action", "object"),
            text("status", "error"),
            text("tx"),
            [(str(name), str(value)[:_LONGEST_MEMBER]) for name, value in record.items()],
        )


def read(answer: Mapping[str, Any], wanted: Mapping[str, str]) -> tuple[list[Record], str | None]:
    """The records of an answer, and the page on which the search goes on.

    Raises:
        ProblemError: 503 `platform-unavailable`, it is none.
    """
    try:
        found = [Record.of(item) for item in answer["items"]]
        cursor = answer["next"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise platform_away() from error
    query = {name: value for name, value in wanted.items() if value} | {"cursor": str(cursor)}
    return found, None if cursor is None else f"/records?{urlencode(query)}"


def _moment(said: object) -> datetime | None:
    try:
        return parse_rfc3339(str(said))
    except ValueError:
        return None
