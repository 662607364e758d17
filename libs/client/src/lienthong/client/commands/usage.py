"""`lienthong usage`: who uses which services, and how often."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.commands.get import FILTERS
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.table import Column

if TYPE_CHECKING:
    from lienthong.client.terminal.screen import Screen

_BY = {
    "consumer": Text("BÊN GỌI", "CONSUMER"),
    "consumer_agency": Text("CƠ QUAN GỌI", "CONSUMER AGENCY"),
    "service": Text("DỊCH VỤ", "SERVICE"),
    "provider": Text("CƠ QUAN CUNG CẤP", "PROVIDER"),
    "operation": Text("THAO TÁC", "OPERATION"),
    "purpose": Text("MỤC ĐÍCH", "PURPOSE"),
    "status": Text("TRẠNG THÁI", "STATUS"),
    "error": Text("LỖI", "ERROR"),
}
_NUMBERS = {
    "calls": Text("LỜI GỌI", "CALLS"),
    "refused": Text("4XX", "4XX"),
    "failed": Text("5XX", "5XX"),
}


def _complete_by(incomplete: str) -> list[str]:
    before, comma, name = incomplete.rpartition(",")
    return [f"{before}{comma}{one}" for one in _BY if one.startswith(name)]


def usage(
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="NAMES",
            help=f"Đếm riêng theo: {', '.join(_BY)} · What is counted apart",
            autocompletion=_complete_by,
        ),
    ] = "consumer,service,operation,purpose,status",
    service: Annotated[
        str | None,
        typer.Option(
            "--service",
            rich_help_panel=FILTERS,
            help="Dịch vụ · The service",
            autocompletion=completion.services,
        ),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(
            "--consumer",
            rich_help_panel=FILTERS,
            help="Hệ thống gọi · The system that called",
            autocompletion=completion.systems,
        ),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option(
            "--agency",
            rich_help_panel=FILTERS,
            help="Cơ quan ở một trong hai bên · An agency on either side",
            autocompletion=completion.agencies,
        ),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option("--purpose", rich_help_panel=FILTERS, help="Mục đích · The purpose"),
    ] = None,
    status: Annotated[
        int | None,
        typer.Option(
            "--status",
            min=0,
            max=5,
            rich_help_panel=FILTERS,
            help="Chữ số đầu của mã HTTP; 0 là không có câu trả lời · "
            "The first digit of the HTTP status; 0 are calls without an answer",
        ),
    ] = None,
    error: Annotated[
        str | None,
        typer.Option("--error", rich_help_panel=FILTERS, help="Mã lỗi · The code of the problem"),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Từ lúc: 2026-11-23, 2026-11-23T06:30:00Z, hoặc 30d trước; tính cả giờ đó · "
            "From: 2026-11-23, 2026-11-23T06:30:00Z, or 30d ago; its whole hour",
        ),
    ] = "7d",
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Đến lúc, viết như --from · Until, written as for --from"),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1000, help="Số dòng nhiều nhất · Rows at most")
    ] = 50,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Ai dùng dịch vụ nào, bao nhiêu lần · Who uses which services, and how often.

    Với khoá của một hệ thống: lời gọi của cơ quan đó và lời gọi tới nó · With the key of a system: the calls
    of its agency, and those to it.
    """
    from lienthong.client.times import moment

    now = datetime.now(UTC)
    filters = {
        "by": ",".join(_names(by)),
        "service": service,
        "consumer": consumer,
        "agency": agency,
        "purpose": purpose,
        "status": None if status is None else str(status),
        "error": error,
        "from": moment(since, now=now),
        "to": None if until is None else moment(until, now=now),
        "limit": str(limit),
    }
    with options.open_client(as_, gateway, default="auditor") as client:
        found = client.usage({name: value for name, value in filters.items() if value is not None})
    screen = options.screen(as_json=as_json)
    screen.result(dict(found), lambda: _show(screen, found))


def _names(by: str) -> list[str]:
    names = [name.strip().replace("-", "_") for name in by.split(",")]
    if unknown := [name for name in names if name not in _BY]:
        raise InputError(
            Text(f"Không đếm theo «{unknown[0]}»", f"Nothing is counted by '{unknown[0]}'"),
            advice=Text(f"Chọn trong: {', '.join(_BY)}.", f"Choose among: {', '.join(_BY)}."),
        )
    return names


def _show(screen: "Screen", found: Mapping[str, Any]) -> None:
    from lienthong.client.terminal import table

    by = [str(name) for name in found["by"]]
    columns = [Column(_BY[name]) for name in by] + [Column(head) for head in _NUMBERS.values()]
    rows = [[group[name] or "–" for name in by] + _numbers(group) for group in found["groups"]]
    if found["other"]["groups"]:
        label = screen.label(Text(f"{found['other']['groups']} khác", f"{found['other']['groups']} others"))
        rows.append([label, *[""] * (len(by) - 1), *_numbers(found["other"])])
    if not rows:
        screen.note(Text("Không có lời gọi nào.", "There were no calls."))
    table.show(screen, columns, rows)
    screen.note(
        Text(
            f"{found['total']['calls']} lời gọi từ {found['from']} đến {found['to']}",
            f"{found['total']['calls']} calls from {found['from']} to {found['to']}",
        )
    )
    if (left := found["entries"] - found["counted"]) > 0:
        screen.note(
            Text(
                f"Còn {left} bản ghi của sổ chưa được đếm.",
                f"{left} records of the ledger are not counted yet.",
            )
        )


def _numbers(group: Mapping[str, Any]) -> list[str]:
    return [str(group[name]) for name in _NUMBERS]
