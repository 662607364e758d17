"""`lienthong audit fsck` and `audit accept`: the whole ledger, and what was seen of it before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import Text

if TYPE_CHECKING:
    from lienthong.client.checkpoints import SeenLedger
    from lienthong.client.sync_client import Client
    from lienthong.client.terminal.screen import Screen
    from lienthong.tlog.note import VerifierKey


def fsck(
    key: options.LedgerKey = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            help="Điểm kiểm cũ đã giữ, để chứng minh sổ chỉ dài thêm · "
            "An earlier checkpoint, to prove that the ledger has only grown since",
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            help="Giữ điểm kiểm cho --since lần sau · Keep the checkpoint, for --since another time",
        ),
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Tải toàn bộ sổ nhật ký và kiểm tra lại · Download the whole ledger and check it again."""
    from lienthong.client import fsck as checks
    from lienthong.client import ledger_findings
    from lienthong.client.ledger_keys import ledger_key

    screen = options.screen(as_json=as_json)
    with options.open_client(as_, gateway, default="auditor") as client:
        trusted = ledger_key(key, client, screen.note)
        seen = client.checkpoint(trusted)
        tell_not_kept(screen, seen)
        checkpoint = seen.seen.checkpoint
        with screen.progress(Text("Đang tính lại sổ", "Computing the ledger again")) as progress:
            found = [checks.examine(client, checkpoint, progress=progress)]
        with screen.progress(Text("Đang so cột tìm kiếm", "Comparing the search columns")) as progress:
            beside = ledger_findings.beside_the_tree(client, checkpoint.size, progress)
        if since is not None:
            earlier = checks.read_checkpoint(options.read_bytes(str(since)), trusted)
            found.append(checks.examine(client, checkpoint, earlier=earlier))
    present = found[0]
    in_tree = dict.fromkeys(finding for examination in found for finding in examination.report.findings)
    findings = [*map(ledger_findings.of_tree, in_tree), *beside.findings]
    sound = not findings
    if sound and save is not None:
        options.write_file(save, seen.seen.text.encode())

    def show_all() -> None:
        for finding in findings:
            screen.print(screen.said(finding.said, "bold red", f"✗ {finding.place}: "))
        size = present.report.size
        if sound:
            screen.done(
                Text(
                    f"Sổ nguyên vẹn: {size} bản ghi khớp điểm kiểm đã ký ({present.checkpoint.origin}), tra "
                    f"cứu ra "
                    f"đúng những gì bản ghi nói",
                    f"The ledger is sound: its {size} records match the signed checkpoint "
                    f"({present.checkpoint.origin}), and searches find what the records say",
                )
            )
            screen.note(ledger_findings.told_of_journal(beside.journal))
        else:
            screen.note(
                Text(
                    f"✗ {len(findings)} chỗ hỏng trong {size} bản ghi: giữ nguyên hiện trạng, báo bộ phận "
                    "an toàn thông tin; đơn vị vận hành giữ bản sao cơ sở dữ liệu này, phục hồi bản tốt gần "
                    "nhất, sổ sẽ tự ghi tiếp từ luồng nhật ký",
                    f"✗ {len(findings)} findings in {size} records: keep everything as it is and tell the "
                    "security staff; the operator keeps a copy of this database and restores the last good "
                    "one, "
                    "and the ledger goes on from the journal by itself",
                )
            )

    document = present.document() | {
        "sound": sound,
        "kept_checkpoint": seen.document(),
        "journal": beside.journal,
        "findings": [item.document() for item in findings],
    }
    screen.result(document, show_all)
    if not sound:
        raise typer.Exit(1)


def accept(
    reason: Annotated[
        str,
        typer.Option("--reason", help="Lý do, được lưu lại · Why; it is kept in the record of this"),
    ],
    key: options.LedgerKey = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Chấp nhận sổ không nối tiếp điều đã thấy · Accept a ledger that does not continue what was seen."""
    from lienthong.client import checkpoints
    from lienthong.client.operations import audit_file

    why = checkpoints.reason_given(reason)
    screen = options.screen(as_json=as_json)
    record: Path | None = None
    with options.open_client(as_, gateway, default="auditor") as client:
        trusted, refused = _refused_at_present(client, key, screen)
        if refused is not None:
            screen.note(Text(f"! {refused.vi}", f"! {refused.en}"))
            note = client.perform(audit_file("checkpoint", public=True))
            record = checkpoints.replacement(note, trusted).accept(why, datetime.now(UTC))

    def show_all() -> None:
        if record is None:
            said = Text(
                "Sổ nối tiếp những gì đã thấy: không có gì phải chấp nhận",
                "The ledger continues what was seen: there is nothing to accept",
            )
        else:
            said = Text(f"Đã chấp nhận; lưu ở {record}", f"Accepted; the record is {record}")
        screen.done(said)

    screen.result(
        {"accepted": record is not None, "record": None if record is None else str(record)}, show_all
    )


def _refused_at_present(
    client: "Client", key: str | None, screen: "Screen"
) -> "tuple[VerifierKey, Text | None]":
    """The key of the ledger, and why the ledger is refused, None where it is not."""
    from lienthong.client.errors import (
        ForkedLedgerError,
        KeptCheckpointError,
        LedgerKeyChangedError,
        RolledBackLedgerError,
    )
    from lienthong.client.ledger_keys import ledger_key

    try:
        trusted = ledger_key(key, client, screen.note)
    except LedgerKeyChangedError as error:
        return error.key, error.title
    try:
        client.checkpoint(trusted)
    except (ForkedLedgerError, KeptCheckpointError, RolledBackLedgerError) as error:
        return trusted, error.title
    return trusted, None


def tell_not_kept(screen: "Screen", seen: "SeenLedger") -> None:
    """Say so where the newest checkpoint could not be kept."""
    if seen.not_kept is not None:
        from lienthong.client.checkpoints import not_kept

        screen.note(not_kept(seen))
