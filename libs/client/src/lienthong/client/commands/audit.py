"""`lienthong audit`: search the trail, prove a record, check the whole ledger."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client.commands import options
from lienthong.client.errors import InputError, NotFoundError, NotYetRecordedError, Text

if TYPE_CHECKING:
    from rich.table import Table

    from lienthong.client.sync_client import Client
    from lienthong.client.terminal.screen import Screen
    from lienthong.client.verification import Proved

app = typer.Typer(no_args_is_help=True, help="Nhật ký kiểm toán · The audit trail and its proofs")

Transaction = Annotated[str, typer.Argument(metavar="TX", help="Mã giao dịch · The transaction id")]


@app.command("search")
def search(
    tx: Annotated[str | None, typer.Option("--tx", help="Mã giao dịch · Transaction id")] = None,
    client_id: Annotated[str | None, typer.Option("--client", help="Bên gọi · Consumer")] = None,
    service: Annotated[str | None, typer.Option("--service", help="Dịch vụ · Service")] = None,
    agency: Annotated[str | None, typer.Option("--agency", help="Cơ quan · Agency")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Từ: 2026-11-23, …T06:30:00Z, 2h · From")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Đến · To")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="call, intent, refused-sample, admin")] = None,
    status: Annotated[int | None, typer.Option("--status", help="Mã HTTP · HTTP status")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Nhiều nhất · At most")] = 50,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tìm trong nhật ký · Search the trail."""
    from lienthong.client.times import moment

    now = datetime.now(UTC)
    filters = {
        "tx": tx,
        "client": client_id,
        "service": service,
        "agency": agency,
        "from": None if since is None else moment(since, now=now),
        "to": None if until is None else moment(until, now=now),
        "kind": kind,
        "status": None if status is None else str(status),
    }
    with options.open_client(as_, gateway, default="auditor") as client:
        known = {name: value for name, value in filters.items() if value is not None}
        items = list(client.entries(known, limit=limit))
    screen = options.screen(as_json=as_json)

    def show() -> None:
        screen.print(_table(items))
        if not items:
            screen.note(Text("không có bản ghi nào khớp", "no record fits"))

    screen.result({"items": items}, show)


@app.command("show")
def show(
    tx: Transaction,
    key: options.LedgerKey = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Các bản ghi của một giao dịch, và bằng chứng · A transaction's records and their proof."""
    from lienthong.client.ledger_keys import ledger_key
    from lienthong.client.verification import verify

    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        items = _entries(client, tx)
        if not items:
            _receipt(client, tx)
            items = _entries(client, tx)
        kinds = [item["record"]["kind"] for item in items]
        receipt = _receipt(client, tx, None if "call" in kinds or not kinds else kinds[0])
        proved = verify(receipt, ledger_key(key, client, screen.note))
    document = {"transaction_id": tx, "entries": items, "receipt": proved.document()}

    def show_all() -> None:
        for item in items:
            screen.print(f"#{item['index']}")
            screen.out.print_json(data=item["record"])
        _proof(screen, proved)

    screen.result(document, show_all)


@app.command("receipt")
def receipt(
    tx: Transaction,
    kind: Annotated[
        str | None, typer.Option("--kind", help="call, intent, admin (mặc định/default call)")
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Chờ sổ ghi, giây · Wait for the ledger, seconds")
    ] = 10.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Tệp để ghi, mặc định in ra · File, else printed")
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Lấy biên nhận của một giao dịch (c2sp.org/tlog-proof) · Fetch a transaction's receipt."""
    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        text = _receipt(client, tx, kind, wait=wait)
    if output is None:
        screen.result({"transaction_id": tx, "receipt": text}, lambda: screen.raw(text))
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            Text("Không ghi được tệp", "The file cannot be written"),
            Text(f"{output}: {error.strerror}", f"{output}: {error.strerror}"),
        ) from error

    def written() -> None:
        screen.done(Text(f"Đã ghi biên nhận vào {output}", f"receipt written to {output}"))
        screen.note(
            Text(
                f"→ Kiểm chứng không cần mạng: lienthong audit verify {output} --key KHOÁ",
                f"Verify off line: lienthong audit verify {output} --key KEY",
            )
        )

    screen.result({"transaction_id": tx, "file": str(output)}, written)


@app.command("verify")
def verify_(
    file: Annotated[
        str, typer.Argument(metavar="RECEIPT", help="Tệp biên nhận, hoặc - · Receipt file, or -")
    ],
    key: options.LedgerKey = None,
    entry: Annotated[
        Path | None,
        typer.Option("--entry", help="Bản ghi gốc, nếu không ở trong biên nhận · The record's bytes"),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Kiểm chứng biên nhận, không cần mạng, chỉ với khoá công khai · Verify a receipt off line."""
    from lienthong.client.ledger_keys import ledger_key
    from lienthong.client.verification import verify

    content = options.read_bytes(file)
    proved = verify(content, ledger_key(key), entry=None if entry is None else options.read_bytes(str(entry)))
    screen = options.screen(as_json=as_json)

    def show_all() -> None:
        screen.out.print_json(data=proved.record)
        _proof(screen, proved)

    screen.result(proved.document(), show_all)


@app.command("fsck")
def fsck(
    key: options.LedgerKey = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since", help="Điểm kiểm cũ đã giữ: chứng minh sổ chỉ dài thêm · An earlier checkpoint"
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="Giữ điểm kiểm để lần sau dùng --since · Keep the checkpoint"),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tải cả sổ, tính lại mọi thứ, nêu bản ghi hỏng · Derive the whole ledger again, name what is broken."""
    from lienthong.client import fsck as checks
    from lienthong.client import operations
    from lienthong.client.ledger_keys import ledger_key

    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        trusted = ledger_key(key, client, screen.note)
        note = client.perform(operations.audit_file("checkpoint", public=True))
        checkpoint = checks.read_checkpoint(note, trusted)
        with screen.progress(Text("đang tính lại sổ", "deriving the ledger again")) as progress:
            found = [checks.examine(client, checkpoint, progress=progress)]
        if since is not None:
            earlier = checks.read_checkpoint(options.read_bytes(str(since)), trusted)
            found.append(checks.examine(client, checkpoint, earlier=earlier))
    present = found[0]
    findings = list(
        dict.fromkeys(finding for examination in found for finding in examination.report.findings)
    )
    sound = not findings
    if sound and save is not None:
        save.write_bytes(note)

    def show_all() -> None:
        for finding in findings:
            screen.print(f"✗ {finding}")
        size = present.report.size
        if sound:
            screen.done(
                Text(
                    f"Sổ nguyên vẹn: {size} bản ghi khớp điểm kiểm đã ký ({present.checkpoint.origin})",
                    f"the ledger is sound: {size} records",
                )
            )
        else:
            screen.note(
                Text(
                    f"✗ {len(findings)} chỗ hỏng trong {size} bản ghi: giữ hiện trạng, báo an toàn thông tin",
                    f"{len(findings)} findings in {size} records: keep everything as it is and tell security",
                )
            )

    document = present.document() | {
        "sound": sound,
        "findings": [checks.finding_document(item) for item in findings],
    }
    screen.result(document, show_all)
    if not sound:
        raise typer.Exit(1)


def _entries(client: "Client", tx: str) -> list[Mapping[str, Any]]:
    return list(client.entries({"tx": tx, "order": "asc"}))


def _receipt(client: "Client", tx: str, kind: str | None = None, *, wait: float = 10.0) -> str:
    try:
        return client.receipt(tx, kind=kind, wait=wait)
    except NotYetRecordedError as error:
        raise NotFoundError(
            Text("Sổ chưa có giao dịch này", "The ledger does not hold this transaction (yet)"),
            error.detail,
            error.advice,
            code=error.code,
            status=error.status,
            transaction_id=tx,
        ) from error


def _proof(screen: "Screen", proved: "Proved") -> None:
    screen.done(
        Text(
            f"Đã chứng minh: bản ghi số {proved.index} trong {proved.size} bản ghi của sổ {proved.origin}",
            f"proved: record {proved.index} of {proved.size} of {proved.origin}",
        )
    )
    screen.print(f"  gốc/root {proved.root}")


def _table(items: list[Mapping[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in (
        "#",
        "LÚC/AT",
        "LOẠI/KIND",
        "BÊN GỌI/CLIENT",
        "VIỆC/WHAT",
        "KẾT QUẢ/RESULT",
        "GIAO DỊCH/TX",
    ):
        table.add_column(column, overflow="fold")
    for item in items:
        record = item["record"]
        what = record.get("action") or f"{record.get('method', '')} {record.get('service', '')}"
        outcome = " ".join(str(record[name]) for name in ("status", "error") if name in record)
        who = record.get("client") or record.get("actor") or ""
        told = (
            item["index"],
            record.get("at", ""),
            record.get("kind", ""),
            who,
            what,
            outcome,
            record.get("tx", ""),
        )
        table.add_row(*(str(value) for value in told))
    return table
