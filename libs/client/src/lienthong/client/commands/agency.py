"""`lienthong agency`: merge agencies into another one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import Text
from lienthong.client.terminal.help import command, group
from lienthong.client.terminal.table import Column

if TYPE_CHECKING:
    from lienthong.client.terminal.screen import Screen

app = group("Sáp nhập cơ quan · Merge agencies")

_KINDS = {
    "agencies": Text("cơ quan trực thuộc", "agency below"),
    "systems": Text("hệ thống", "system"),
    "services": Text("dịch vụ", "service"),
    "event_types": Text("loại sự kiện", "event type"),
    "agreements": Text("thoả thuận", "agreement"),
}


@app.callback()
def _group() -> None:
    """Keep `merge` a command of its own: one command alone would be taken for the group."""


@command(
    app,
    "merge",
    "lienthong agency merge H11 --into H68 --on 2025-07-01 --dry-run",
    "lienthong agency merge H11.01 H11.05 --into H68.05 --on 2025-07-01",
)
def merge(
    agencies: Annotated[
        list[str],
        typer.Argument(
            metavar="OLD...",
            help="Các mã hết hiệu lực · The codes that end",
            autocompletion=completion.agencies,
        ),
    ],
    into: Annotated[
        str,
        typer.Option(
            "--into",
            metavar="NEW",
            help="Cơ quan tiếp nhận · The agency that goes on",
            autocompletion=completion.agencies,
        ),
    ],
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="DATE",
            help="Ngày sáp nhập, giờ Việt Nam; mã cũ hết hiệu lực từ đầu ngày đó · "
            "The day of the merger, in Vietnam; the codes end when it begins",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Chỉ xem sẽ chuyển những gì · Only show what would go over")
    ] = False,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Sáp nhập cơ quan: mã cũ hết hiệu lực, mọi thứ của nó về cơ quan mới, mã định danh giữ nguyên · Merge
    agencies: their codes end, all they have goes over, and ids stay."""
    from lienthong.client import operations

    with options.open_client(as_, gateway, default="operator") as client:
        merged = client.perform(operations.merge_agencies(agencies, into, on, dry_run=dry_run))
    screen = options.screen(as_json=as_json)
    screen.result(merged, lambda: _show(screen, merged))


def _show(screen: "Screen", merged: Mapping[str, Any]) -> None:
    from lienthong.client.terminal import table

    rows = [
        (screen.label(_KINDS[kind]), identity) for kind, ids in merged["moved"].items() for identity in ids
    ]
    if rows:
        table.show(screen, (Column(Text("LOẠI", "KIND")), Column(Text("MÃ", "ID"))), rows)
    into, planned = merged["into"], bool(merged["dry_run"])
    for agency in merged["agencies"]:
        code = agency["id"]
        done = Text(f"{code} đã sáp nhập vào {into}", f"{code} was merged into {into}")
        if agency["action"] == "unchanged":
            done = Text(f"{code} đã sáp nhập từ trước vào {into}", f"{code} was merged before into {into}")
        elif planned:
            done = Text(f"{code} sẽ sáp nhập vào {into}", f"{code} would be merged into {into}")
        screen.done(done)
