"""Rows of values: as a table where it is wide enough for them, else one value under the other.

Ids, times and addresses always stay whole; only prose (a name) is broken, between words. The library that
draws tables is imported when there is one to draw: commands name their columns as they are loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from rich.table import Table

    from lienthong.client.errors import Text
    from lienthong.client.terminal.screen import Screen

    Cell: TypeAlias = str | int | Sequence[str] | None

_GAP = 2
_LEAST_PROSE = 16


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and whether its values are prose that may be broken between words."""

    head: Text
    prose: bool = False


def show(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print the rows on standard output.

    A cell that is a sequence has one line for each of its parts. A column without any value is left out.
    """
    cells = [[_lines(cell) for cell in row] for row in rows]
    if not cells:
        return
    used = [number for number in range(len(columns)) if number == 0 or any(row[number] for row in cells)]
    columns = [columns[number] for number in used]
    cells = [[row[number] for number in used] for row in cells]
    heads = [screen.label(column.head) for column in columns]
    least = [
        _least(column, head, row)
        for column, head, row in zip(columns, heads, zip(*cells, strict=True), strict=True)
    ]
    if sum(least) + _GAP * (len(columns) - 1) <= screen.out.width:
        screen.print(_table(columns, heads, least, cells))
        return
    _show_one_below_the_other(screen, heads, least, cells)


def _show_one_below_the_other(
    screen: Screen, heads: Sequence[str], least: Sequence[int], rows: Sequence[Sequence[Sequence[str]]]
) -> None:
    from rich.cells import cell_len
    from rich.text import Text as Styled

    width = max((cell_len(head) for head in heads[1:]), default=0)
    indent = width + 2 * _GAP
    # Where a value would not fit beside its head, values stand below their heads.
    beside = indent + max(least[1:], default=0) <= screen.out.width
    for row in rows:
        screen.print(Styled(" ".join(row[0]), style="bold"))
        for head, lines in zip(heads[1:], row[1:], strict=True):
            if lines and not beside:
                screen.print(Styled(f"  {head}", style="dim"))
            for number, line in enumerate(lines):
                label = f"  {head if number == 0 else '':{width}}  " if beside else " " * 2 * _GAP
                start = Styled(label, style="dim")
                screen.print(start.append(line, style="not dim"), indent=indent if beside else 2 * _GAP)


def _lines(cell: Cell) -> list[str]:
    if cell is None:
        return []
    return [str(cell)] if isinstance(cell, str | int) else list(cell)


def _least(column: Column, head: str, cells: Sequence[Sequence[str]]) -> int:
    """The width that a column needs at least, in cells of the terminal."""
    from rich.cells import cell_len

    lines = [line for cell in cells for line in cell]
    if column.prose:
        words = [word for line in lines for word in line.split()]
        widest = max(map(cell_len, lines), default=0)
        return max(cell_len(head), min(widest, _LEAST_PROSE), *map(cell_len, words), 0)
    return max(cell_len(head), *map(cell_len, lines), 0)


def _table(
    columns: Sequence[Column],
    heads: Sequence[str],
    least: Sequence[int],
    rows: Sequence[Sequence[Sequence[str]]],
) -> Table:
    from rich.table import Table
    from rich.text import Text as Styled

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for column, head, width in zip(columns, heads, least, strict=True):
        table.add_column(head, no_wrap=not column.prose, min_width=width)
    for row in rows:
        table.add_row(*(Styled("\n".join(lines)) for lines in row))
    return table
