"""`lienthong audit`: search the trail, prove a record, check the whole ledger."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import audit_checks, options
from lienthong.client.errors import InputError, NotFoundError, NotYetRecordedError, Text
from lienthong.client.terminal.help import command, group
from lienthong.client.terminal.table import Column

if TYPE_CHECKING:
    from lienthong.client.sync_client import Client
    from lienthong.client.terminal.screen import Screen
    from lienthong.client.verification import VerifiedRecord

app = group("Nhật ký kiểm toán và bằng chứng · The audit trail and its proofs")

_KINDS = ("call", "opening", "continuing", "intent", "refused-sample", "admin")


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in _KINDS if kind.startswith(incomplete)]


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise InputError(
            Text(f"Không có loại bản ghi «{kind}»", f"There are no records of the kind '{kind}'"),
            advice=Text(f"Các loại: {kinds}.", f"The kinds are {kinds}."),
        )


Transaction = Annotated[str, typer.Argument(metavar="TX", help="Mã giao dịch · The transaction id")]


@command(
    app,
    "search",
    "lienthong audit search --service H11.05/land/parcels-v1 --from 2h",
    "lienthong audit search --client H11.01/one-stop --status 403 --json",
    "lienthong audit search --person 079203001234",
    "lienthong audit search --as land --from 1d",
)
def search(
    tx: Annotated[str | None, typer.Option("--tx", help="Mã giao dịch · The transaction id")] = None,
    client_id: Annotated[
        str | None,
        typer.Option(
            "--client", help="Hệ thống gọi · The system that called", autocompletion=completion.systems
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option("--service", help="Dịch vụ · The service", autocompletion=completion.services),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option("--agency", help="Cơ quan · The agency", autocompletion=completion.agencies),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            help="Người mà lời gọi nêu, ví dụ số định danh; - để đọc từ đầu vào · "
            "A person that calls name, such as a personal number; - reads it from the input",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Từ lúc: 2026-11-23, 2026-11-23T06:30:00Z, hoặc 2h trước · "
            "From: 2026-11-23, 2026-11-23T06:30:00Z, or 2h ago",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Đến lúc, viết như --from · Until, written as for --from"),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--kind", help=", ".join(_KINDS), autocompletion=_kinds),
    ] = None,
    unfinished: Annotated[
        bool,
        typer.Option(
            "--unfinished",
            help="Chỉ những câu trả lời kéo dài mà sổ không có điểm kết thúc · "
            "Only endless answers whose end is not in the ledger",
        ),
    ] = False,
    status: Annotated[int | None, typer.Option("--status", help="Mã HTTP · The HTTP status")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Số bản ghi nhiều nhất · Records at most")
    ] = 50,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tìm trong nhật ký, mới nhất trước · Search the audit trail, newest first.

    Với khoá của một hệ thống (--as): lời gọi của hệ thống đó và lời gọi tới cơ quan của nó · With the key of
    a system (--as): the calls that it made, and those to its agency.
    """
    from lienthong.client.times import moment

    _check_kind(kind)
    now = datetime.now(UTC)
    filters: dict[str, str | list[str] | None] = {
        "tx": tx,
        "client": client_id,
        "service": service,
        "agency": agency,
        "from": None if since is None else moment(since, now=now),
        "to": None if until is None else moment(until, now=now),
        "kind": kind,
        "status": None if status is None else str(status),
        "unfinished": "true" if unfinished else None,
    }
    with options.open_client(as_, gateway, default="auditor") as client:
        known = {name: value for name, value in filters.items() if value is not None}
        if person is not None:
            # Hashed where the key is: the ledger has neither key nor value.
            known["person"] = client.person_hashes(_person(person))
        items = list(client.entries(known, limit=limit))
    screen = options.screen(as_json=as_json)

    def show() -> None:
        _show_table(screen, items)
        if not items:
            screen.note(Text("Không có bản ghi nào khớp.", "No record matches."))

    screen.result({"items": items}, show)


def _person(stated: str) -> str:
    return options.read_bytes("-").decode(errors="replace").strip() if stated == "-" else stated


@command(app, "show", "lienthong audit show 01990e0a-7d8c-7c3a-9f51-3f6a4b2c1d0e")
def show(
    tx: Transaction,
    key: options.LedgerKey = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem các bản ghi của một giao dịch và bằng chứng · Show a transaction's records and their proof."""
    from lienthong.client.ledger_keys import ledger_key
    from lienthong.client.verification import verify

    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        items = _entries(client, tx)
        if not items:
            _receipt(client, tx)
            items = _entries(client, tx)
        kinds = [item["record"]["kind"] for item in items]
        lasting = _lasting([item["record"] for item in items])
        receipt = _receipt(client, tx, None if "call" in kinds or not kinds else kinds[0])
        trusted = ledger_key(key, client, screen.note)
        proved = verify(receipt, trusted)
        audit_checks.tell_not_kept(screen, client.checkpoint(trusted, beside=proved.seen))
    document = {"transaction_id": tx, "entries": items, "receipt": proved.document()}

    def show_all() -> None:
        for item in items:
            screen.print(f"#{item['index']}")
            screen.out.print_json(data=item["record"])
        if lasting is not None:
            screen.note(lasting)
        _proof(screen, proved)

    screen.result(document, show_all)


@command(
    app,
    "receipt",
    "lienthong audit receipt 01990e0a-7d8c-7c3a-9f51-3f6a4b2c1d0e \\",
    "  --output receipt.txt --as one-stop",
)
def receipt(
    tx: Transaction,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            help="call, intent hoặc admin, mặc định là call · call, intent or admin, by default call",
            autocompletion=_kinds,
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", min=0, help="Chờ sổ ghi nhận, giây · Wait for the ledger to record it, seconds"
        ),
    ] = 10.0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Tệp để ghi; không nêu thì in ra · The file to write; else it is printed"
        ),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Lấy biên nhận của một giao dịch · Fetch the receipt of a transaction (c2sp.org/tlog-proof)."""
    _check_kind(kind)
    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        text = _receipt(client, tx, kind, wait=wait)
    if output is None:
        screen.result({"transaction_id": tx, "receipt": text}, lambda: screen.raw(text))
        return
    options.write_file(output, text.encode())

    def written() -> None:
        screen.done(Text(f"Đã ghi biên nhận vào {output}", f"Receipt written to {output}"))
        screen.note(
            Text(
                f"→ Kiểm chứng không cần mạng: lienthong audit verify {output} --key KHOÁ",
                f"→ Verify off line: lienthong audit verify {output} --key KEY",
            )
        )

    screen.result({"transaction_id": tx, "file": str(output)}, written)


@command(app, "verify", "lienthong audit verify receipt.txt --key ledger.vkey")
def verify_(
    file: Annotated[
        str, typer.Argument(metavar="RECEIPT", help="Tệp biên nhận, hoặc - · The receipt's file, or -")
    ],
    key: options.LedgerKey = None,
    entry: Annotated[
        Path | None,
        typer.Option(
            "--entry",
            help="Tệp bản ghi gốc, nếu biên nhận không kèm · "
            "The file of the record's exact bytes, where the receipt does not hold them",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Kiểm chứng biên nhận, không cần mạng · Verify a receipt; needs no network, only the public key."""
    from lienthong.client.checkpoints import compare_receipt
    from lienthong.client.ledger_keys import ledger_key
    from lienthong.client.verification import verify

    content = options.read_bytes(file)
    proved = verify(content, ledger_key(key), entry=None if entry is None else options.read_bytes(str(entry)))
    screen = options.screen(as_json=as_json)
    kept = compare_receipt(proved.seen)

    def show_all() -> None:
        screen.out.print_json(data=proved.record)
        _proof(screen, proved)
        screen.note(kept.told)

    screen.result(proved.document() | {"kept_checkpoint": kept.document()}, show_all)


command(
    app,
    "fsck",
    "lienthong audit fsck --key ledger.vkey --save checkpoint.txt",
    "lienthong audit fsck --key ledger.vkey --since checkpoint.txt",
)(audit_checks.fsck)
command(
    app,
    "accept",
    "lienthong audit accept --reason BB-12/2026",
)(audit_checks.accept)


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


def _lasting(records: Sequence[Mapping[str, Any]]) -> Text | None:
    """What the records of an endless answer say together; they are those of one call."""
    found = {record["kind"]: record for record in records}
    if "opening" not in found:
        return None
    opened, seen = found["opening"].get("opened"), records[-1].get("at")
    if "call" in found:
        ended = found["call"].get("at")
        return Text(
            f"Một lời gọi: câu trả lời bắt đầu lúc {opened} và kết thúc lúc {ended}.",
            f"One call: its answer began at {opened} and ended at {ended}.",
        )
    return Text(
        f"Một lời gọi chưa có điểm kết thúc trong sổ: câu trả lời bắt đầu lúc {opened}, bản ghi mới nhất lúc "
        f"{seen}. Nếu đã quá mười phút không có bản ghi mới thì cổng đã dừng đột ngột.",
        f"One call whose end is not in the ledger: its answer began at {opened}, its newest record is of "
        f"{seen}. If nothing more comes within ten minutes of that, its gateway was lost.",
    )


def _proof(screen: "Screen", proved: "VerifiedRecord") -> None:
    screen.done(
        Text(
            f"Đã chứng minh: bản ghi số {proved.index} trong {proved.size} bản ghi của sổ {proved.origin}",
            f"Proved: record {proved.index} of the {proved.size} records of ledger {proved.origin}",
        )
    )
    screen.print(f"  {screen.label(Text('gốc', 'root'))} {proved.root}")


_COLUMNS = (
    Column(Text("SỐ", "INDEX")),
    Column(Text("LÚC", "AT")),
    Column(Text("LOẠI", "KIND")),
    Column(Text("BÊN GỌI", "CLIENT")),
    Column(Text("VIỆC", "ACTION")),
    Column(Text("KẾT QUẢ", "RESULT")),
    Column(Text("GIAO DỊCH", "TRANSACTION")),
)


def _show_table(screen: "Screen", items: list[Mapping[str, Any]]) -> None:
    from lienthong.client.terminal import table

    rows = []
    for item in items:
        record = item["record"]
        action = record.get("action") or f"{record.get('method', '')} {record.get('service', '')}"
        result = " ".join(str(record[name]) for name in ("status", "error") if name in record)
        who = record.get("client") or record.get("actor")
        told = (record.get("at"), record.get("kind"), who, action.strip(), result, record.get("tx"))
        rows.append((f"#{item['index']}", *told))
    table.show(screen, _COLUMNS, rows)
