"""`lienthong doctor`: what works from here, what does not, and what to do about it."""

from typing import TYPE_CHECKING

import typer

from lienthong.client.commands import options
from lienthong.client.errors import Text

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
    """Kiểm tra mọi thứ mà một lời gọi cần · Check everything that a call needs.

    Cổng, đồng hồ, thông tin xác thực, mã truy cập, sổ nhật ký · Gateway, clock, credentials, token, ledger.
    """
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
    mark, style = _MARKS[check.state]
    title, detail = check.title, check.detail
    if detail.vi == detail.en:
        found = Text(f"{screen.label(title)}: {detail.vi}", f"{screen.label(title)}: {detail.en}")
    else:
        found = Text(f"{title.vi}: {detail.vi}", f"{title.en}: {detail.en}")
    screen.print(screen.said(found, style, f"{mark} "))
    if check.advice is not None and check.state != "ok":
        screen.print(screen.said(check.advice, "yellow", "    → "))
