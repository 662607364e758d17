"""What a fuzzer's bytes mean: five letters that say how, and the stream of bytes itself.

`<<300*ab>>` in the stream stands for 300 times `ab`, so that a few bytes reach the bounds of what is read.
"""

from __future__ import annotations

import random
import re
from typing import NamedTuple

SETTINGS = 5
_MOST = 400_000
_MOST_PIECES = 600
_REPEATED = re.compile(rb"<<([0-9]{1,5})\*((?:(?!>>).){1,24})>>", re.DOTALL)
_SIZES = ((1,), (1, 2), (2, 3, 5), (1, 40), (7, 11, 90), (100, 300), (1, 1, 1, 1000), (4000,))


class Script(NamedTuple):
    """A stream, the pieces in which it comes, and how the others behave.

    Each setting is a number of 0 to 255, of which whoever plays the script takes the remainder: the letters
    `0`, `1`, `2` and so on are 0, 1, 2 for a divisor of 48.
    """

    stream: bytes
    pieces: tuple[bytes, ...]
    serve: int
    reads: int
    end: int
    gaps: int


def read_script(data: bytes) -> Script | None:
    """The script that these bytes are; None if there are too few or it would be too long."""
    if len(data) <= SETTINGS:
        return None
    cut, serve, reads, end, gaps = data[:SETTINGS]
    stream = data[SETTINGS:]
    length = len(stream) + sum(int(times) * len(text) for times, text in _REPEATED.findall(stream))
    if length > _MOST:
        return None
    stream = _REPEATED.sub(lambda found: found[2] * int(found[1]), stream)
    return Script(stream, pieces(stream, cut), serve, reads, end, gaps)


def pieces(stream: bytes, cut: int) -> tuple[bytes, ...]:
    """The stream in pieces; `cut` chooses their sizes, the same each time."""
    sizes, chance = _SIZES[cut % len(_SIZES)], random.Random(cut)  # noqa: S311  not for secrets
    least = len(stream) // _MOST_PIECES
    found, at = [], 0
    while at < len(stream):
        size = max(chance.choice(sizes), least)
        found.append(stream[at : at + size])
        at += size
    return tuple(found)
