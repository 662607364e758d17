"""The place of an entry among those that were found, as the cursor of the page after it."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass

from lienthong.kit.json_text import NotJsonError, decode

_MOST = 1 << 31


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Entries come in the order of these; no two have all of them in common.

    `rank` says how well an entry fits, 0 the best, `length` how long its name is.
    """

    rank: int
    length: int
    resource_id: str
    kind: str

    def write(self) -> str:
        """Return the place as text."""
        return json.dumps(astuple(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Place:
        """Read what `write` returned.

        Raises:
            ValueError: it is something else.
        """
        try:
            found = decode(text.encode())
        except NotJsonError as error:
            raise ValueError(text) from error
        match found:
            case [int(rank), int(length), str(resource_id), str(kind)] if (
                0 <= rank < _MOST and 0 <= length < _MOST
            ):
                return cls(rank, length, resource_id, kind)
            case _:
                raise ValueError(text)
