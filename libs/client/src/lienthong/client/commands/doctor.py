"""`lienthong doctor`: what works from here, what does not, and what to do about it."""

from typing import TYPE_CHECKING

import typer

from lienthong.client.commands import options

if TYPE_CHECKING:
    from lienthong.client.diagnosis import Check
    from lienthong.client.terminal.screen import Screen

_MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "bold red"), "skip": ("·", "dim")}


def doctor(
    key: options.LedgerKey = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Khám: cổng, đồng hồ, thông tin xác thực, mã truy cập, sổ · Check everything a call needs."""
    from lienthong.client.diagnosis import diagnose

    screen = options.screen(as_json=as_json)
    checks = diagnose(as_, gateway, key)
    failed = [check for check in checks if check.state == "fail"]
    document = {"healthy": not failed, "checks": [check.document() for check in checks]}

    def show() -> None:
        for check in checks:
            _show(screen, check)

    screen.result(document, show)
    if failed:
        raise typer.Exit(3 if any(check.name == "gateway" for check in failed) else 1)


def _show(screen: "Screen", check: "Check") -> None:
    from lienthong.client.terminal.screen import bilingual

    mark, style = _MARKS[check.state]
    line = bilingual(check.title, style, f"{mark} ").append(": ")
    screen.print(line.append_text(bilingual(check.detail, "")))
    if check.advice is not None and check.state != "ok":
        screen.print(bilingual(check.advice, "yellow", "    → "))
