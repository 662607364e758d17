"""`lienthong status`: how each process of the platform is, as its health port says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import Text

if TYPE_CHECKING:
    from lienthong.client.status import Fact, ProcessStatus
    from lienthong.client.terminal.screen import Screen

Health = Annotated[
    list[str] | None,
    typer.Option(
        "--health",
        metavar="NAME=URL",
        help="Cổng sức khoẻ của một tiến trình, vd. gateway=http://10.0.0.5:8180; có thể lặp lại"
        " (không nêu: các cổng 8180–8184 và 8191 của máy này)"
        " · A process's health port, e.g. gateway=http://10.0.0.5:8180; may be repeated"
        " (without it: ports 8180 to 8184 and 8191 of this machine)",
    ),
]

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red")}
_NAMES = {
    "gateway": Text("Cổng", "Gateway"),
    "catalog": Text("Danh mục", "Catalog"),
    "identity": Text("Định danh", "Identity"),
    "exchange": Text("Trao đổi dữ liệu", "Exchange"),
    "ledger": Text("Sổ nhật ký", "Ledger"),
    "console": Text("Bảng điều khiển", "Console"),
}
_TITLE_WIDTH = 46


def status(health: Health = None, as_json: options.Json = False) -> None:
    """Xem các tiến trình có ổn không · See whether the platform's processes are well.

    Hỏi cổng sức khoẻ của từng tiến trình, không qua cổng liên thông; dành cho người vận hành
    · Asks each process's health port, not through the gateway; for operators.
    """
    from lienthong.client.health_ports import addresses, read_all
    from lienthong.client.status import status_of

    screen = options.screen(as_json=as_json)
    found = [status_of(reading) for reading in read_all(addresses(health or ()))]
    unwell = [one for one in found if one.state != "ok"]

    def show() -> None:
        for one in found:
            _show(screen, one)
        if not unwell:
            screen.done(Text("Mọi tiến trình đều ổn.", "All processes are well."))
            return
        number = len(unwell)
        text = Text(f"{number} tiến trình cần xem.", f"{number} of the processes need a look.")
        screen.print(screen.said(text, "bold red", "✗ "))

    screen.result({"healthy": not unwell, "processes": [one.document() for one in found]}, show)
    if all(one.reading.failure is not None for one in found):
        raise typer.Exit(3)
    if unwell:
        raise typer.Exit(1)


def _show(screen: Screen, status: ProcessStatus) -> None:
    from rich.text import Text as Styled

    mark, style = _MARKS[status.state]
    name = screen.label(_NAMES[status.reading.process])
    screen.print(
        Styled(f"{mark} {name}", style=style).append(f"  {status.reading.url}", style="dim not bold")
    )
    for finding in status.findings:
        screen.print(screen.said(finding.detail, _MARKS[finding.state][1], "    ! "))
        screen.print(screen.said(finding.advice, "yellow", "      → "))
    if status.reading.failure is not None:
        return
    runs = Text("Phiên bản, đã chạy", "Version, up for")
    up = _duration(time.time() - status.started) if status.started is not None else "?"
    _row(screen, runs, f"{status.version or '?'}, {up}")
    for fact in status.facts:
        _row(screen, fact.title, _value(fact))


def _row(screen: Screen, title: Text, value: str) -> None:
    from rich.cells import cell_len
    from rich.text import Text as Styled

    label = screen.label(title)
    gap = " " * max(_TITLE_WIDTH - cell_len(label), 2)
    screen.print(Styled(f"    {label}", style="dim").append(f"{gap}{value}", style="not dim"))


def _value(fact: Fact) -> str:
    if fact.unit == "s":
        return _duration(fact.value)
    if fact.unit == "%":
        return f"{fact.value:.1%}"
    return _size(fact.value) if fact.unit == "By" else f"{fact.value:,.0f}"


def _duration(seconds: float) -> str:
    """The two largest units, in signs that need no translation."""
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    minutes, left = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {left} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
