"""Who talks to whom, as a drawing: agencies on a circle, and between them lines as wide as there are calls.

The drawing is made of attributes alone, since pages allow no styles of their own; the table beside it has the
same numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lienthong.console.usage.shown import Use

MOST_PAIRS: Final = 400
"""Pairs of agencies that are asked for, and listed."""
MOST_NODES: Final = 16
"""Agencies in the drawing; the others together are one more."""
OTHERS: Final = ""
"""The code of the node that stands for all others."""
PLATFORM: Final = "lienthong"
"""The provider of the platform's own services: with it everyone talks, which says nothing."""
WIDTH: Final = 640
HEIGHT: Final = 480
_RADIUS_X: Final = 230
_RADIUS_Y: Final = 190
_NODE: Final = 34
"""Half the width of a node, from which lines keep away."""
_WIDEST: Final = 8.0
_BEND: Final = 22
_MANY_ERRORS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """Calls of one agency's systems to services of another."""

    consumer: str
    provider: str
    calls: int
    refused: int
    failed: int

    @property
    def share(self) -> float:
        """The part of them that was refused or failed, from 0 to 1."""
        return (self.refused + self.failed) / self.calls if self.calls else 0.0

    def per_hour(self, hours: int) -> str:
        """How many there were in an hour, as people read it."""
        rate = self.calls / hours
        return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"


@dataclass(frozen=True, slots=True)
class Node:
    """An agency in the drawing, at the middle of its box."""

    code: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one box to another: the `d` of a path (SVG 2 §9.3), its width, and how it looks."""

    path: str
    width: str
    kind: str
    told: BilingualText


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn."""

    nodes: Sequence[Node]
    lines: Sequence[Line]


def pairs_of(use: Use) -> list[Pair]:
    """The pairs among which there were calls; what has no two sides is left out."""
    found = [
        Pair(
            group.values["consumer_agency"],
            group.values["provider"],
            group.calls,
            group.refused,
            group.failed,
        )
        for group in use.groups
    ]
    return [pair for pair in found if pair.consumer and pair.provider not in ("", PLATFORM)]


def draw(pairs: Sequence[Pair]) -> Drawing:
    """Put the agencies with the most calls on a circle, and draw between them what there was."""
    codes = _shown(pairs)
    nodes = {code: _node(code, place, len(codes)) for place, code in enumerate(codes)}
    merged = _merged(pairs, nodes)
    most = max((pair.calls for pair in merged), default=1)
    lines = [_line(pair, nodes[pair.consumer], nodes[pair.provider], most) for pair in merged]
    return Drawing(list(nodes.values()), lines)


def _shown(pairs: Iterable[Pair]) -> list[str]:
    calls: Counter[str] = Counter()
    for pair in pairs:
        for code in {pair.consumer, pair.provider}:
            calls[code] += pair.calls
    if len(calls) <= MOST_NODES + 1:
        return sorted(calls)
    largest = sorted(calls, key=lambda code: (-calls[code], code))[:MOST_NODES]
    return [*sorted(largest), OTHERS]


def _merged(pairs: Iterable[Pair], nodes: Iterable[str]) -> list[Pair]:
    known = set(nodes)
    sums: dict[tuple[str, str], list[int]] = {}
    for pair in pairs:
        ends = [code if code in known else OTHERS for code in (pair.consumer, pair.provider)]
        numbers = sums.setdefault((ends[0], ends[1]), [0, 0, 0])
        for place, number in enumerate((pair.calls, pair.refused, pair.failed)):
            numbers[place] += number
    return [Pair(*ends, *numbers) for ends, numbers in sorted(sums.items())]


def _node(code: str, place: int, of: int) -> Node:
    angle = 2 * math.pi * place / max(of, 1) - math.pi / 2
    x = WIDTH / 2 + _RADIUS_X * math.cos(angle)
    y = HEIGHT / 2 + _RADIUS_Y * math.sin(angle)
    return Node(code, round(x), round(y))


def _line(pair: Pair, start: Node, end: Node, most: int) -> Line:
    width = 1 + (_WIDEST - 1) * math.log1p(pair.calls) / math.log1p(most)
    kind = "many-errors" if pair.share >= _MANY_ERRORS else "few-errors" if pair.share else "no-errors"
    return Line(_path(start, end), f"{width:.1f}", kind, _told(pair))


def _path(start: Node, end: Node) -> str:
    if start == end:
        # Above the box and back to it.
        x, y = start.x, start.y - _NODE // 2
        return f"M{x - 10} {y} C{x - 34} {y - 40} {x + 34} {y - 40} {x + 10} {y}"
    length = math.hypot(end.x - start.x, end.y - start.y)
    along_x, along_y = (end.x - start.x) / length, (end.y - start.y) / length
    # Both directions bend to their own right, so that they lie beside each other.
    middle_x = (start.x + end.x) / 2 - along_y * _BEND
    middle_y = (start.y + end.y) / 2 + along_x * _BEND
    from_x, from_y = start.x + along_x * _NODE, start.y + along_y * _NODE
    to_x, to_y = end.x - along_x * (_NODE + 6), end.y - along_y * (_NODE + 6)
    return f"M{from_x:.0f} {from_y:.0f} Q{middle_x:.0f} {middle_y:.0f} {to_x:.0f} {to_y:.0f}"


def _told(pair: Pair) -> BilingualText:
    consumer = pair.consumer or "…"
    provider = pair.provider or "…"
    percent = f"{pair.share * 100:.1f} %"
    return BilingualText(
        f"{consumer} → {provider}: {pair.calls} calls, {percent} not answered well",
        f"{consumer} → {provider}: {pair.calls} lời gọi, {percent} bị từ chối hoặc lỗi",
    )
