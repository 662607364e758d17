"""A ledger that does not continue what was seen of it is refused, and both checkpoints are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.client import Client, checkpoints, kept_checkpoints
from lienthong.client.checkpoints import Baseline, Comparison, compare_receipt, replacement
from lienthong.client.errors import (
    ForkedLedgerError,
    InputError,
    KeptCheckpointError,
    RolledBackLedgerError,
    VerificationError,
)
from lienthong.client.kept_checkpoints import KeptCheckpoint
from lienthong.client.verification import read_key, verify
from lienthong.tlog.seen import SeenCheckpoint
from lienthong.tlog.tiles import TileAddress
from tests.support.audit_log import AuditLog

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [json.dumps({"tx": f"tx-{number}"}).encode() for number in range(700)]
KEY = read_key(AuditLog().vkey)
NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test keeps checkpoints."""
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    return tmp_path / "checkpoints"


@dataclass
class Seen:
    """The outcome of one look at a ledger."""

    size: int
    earlier: int | None


def settled(comparison: Comparison, log: AuditLog) -> Seen:
    """Compare with the tiles of the log."""
    tiles = {address: log.tiles[address.level, address.index] for address in comparison.needs}
    found = comparison.settle(tiles)
    assert found.not_kept is None
    return Seen(found.seen.size, found.earlier)


def look(log: AuditLog) -> Seen:
    """See the log as it is now."""
    return settled(Baseline.of(KEY).compare(log.checkpoint), log)


def test_a_ledger_that_grows_is_accepted_and_the_newest_checkpoint_is_kept() -> None:
    log = AuditLog()
    assert look(log) == Seen(0, None)
    for record in RECORDS[:300]:
        log.append(record)
    assert look(log) == Seen(300, 0)
    assert look(log) == Seen(300, 300)
    for record in RECORDS[300:]:
        log.append(record)
    assert look(log) == Seen(700, 300)
    kept = KeptCheckpoint.of(KEY).load()
    assert kept is not None
    assert kept.text == log.checkpoint


def test_a_ledger_that_was_rolled_back_is_refused_and_both_checkpoints_are_kept(folder: Path) -> None:
    look(AuditLog(RECORDS[:300]))
    older = AuditLog(RECORDS[:250])
    for _ in range(2):
        with pytest.raises(RolledBackLedgerError) as refused:
            look(older)
    said = refused.value
    assert (said.exit_code, said.code) == (1, "ledger-rolled-back")
    assert said.detail is not None
    assert said.advice is not None
    assert "300" in said.detail.vi
    assert "250" in said.detail.en
    kept, [evidence] = KeptCheckpoint.of(KEY).path, folder.glob("*.refused")
    assert kept.suffix == ".checkpoint"
    assert (str(kept) in said.advice.en, str(evidence) in said.advice.vi) == (True, True)
    assert "security staff" in said.advice.en
    assert older.checkpoint in evidence.read_text("utf-8")
    assert {path.stat().st_mode & 0o077 for path in (kept, evidence)} == {0}


@pytest.mark.parametrize("size", [300, 301, 600])
def test_a_ledger_that_was_rolled_back_and_went_on_is_a_fork(folder: Path, size: int) -> None:
    look(AuditLog(RECORDS[:300]))
    forked = AuditLog(RECORDS[:250])
    while len(forked.entries) < size:
        forked.append(b'{"tx": "another"}')
    with pytest.raises(ForkedLedgerError, match="does not continue the 300 that were seen"):
        look(forked)
    kept = KeptCheckpoint.of(KEY).load()
    assert kept is not None
    assert kept.size == 300
    assert len(list(folder.iterdir())) == 2


def test_tiles_that_are_missing_or_wrong_prove_nothing() -> None:
    log = AuditLog(RECORDS[:300])
    look(log)
    for record in RECORDS[300:600]:
        log.append(record)
    with pytest.raises(ForkedLedgerError, match="missing"):
        Baseline.of(KEY).compare(log.checkpoint).settle({})
    wanted = Baseline.of(KEY).compare(log.checkpoint)
    with pytest.raises(ForkedLedgerError):
        wanted.settle({address: bytes(32 * address.width) for address in wanted.needs})
    assert look(log) == Seen(600, 300)


def test_a_damaged_file_is_told_and_nothing_is_accepted_in_its_place() -> None:
    log = AuditLog(RECORDS[:300])
    look(log)
    path = KeptCheckpoint.of(KEY).path
    whole = path.read_bytes()
    for damaged in (b"", whole[:-9], whole.replace(b"300", b"299"), b"\xff" * 20, bytes(1 << 20)):
        path.write_bytes(damaged)
        with pytest.raises(KeptCheckpointError) as refused:
            look(log)
        assert str(path) in str(refused.value)
        assert path.read_bytes() == damaged
    accepted = replacement(log.checkpoint, KEY).accept("the disk was replaced", NOW)
    assert json.loads(accepted.read_text("utf-8"))["reason"] == "the disk was replaced"
    assert look(log) == Seen(300, 300)


def test_another_log_is_accepted_knowingly_and_the_record_holds_both_checkpoints(folder: Path) -> None:
    seen, older = AuditLog(RECORDS[:300]), AuditLog(RECORDS[:250])
    look(seen)
    with pytest.raises(RolledBackLedgerError):
        look(older)
    path = replacement(older.checkpoint, KEY).accept("phục hồi theo biên bản", NOW)
    record = json.loads(path.read_text("utf-8"))
    assert record["before"].endswith(seen.checkpoint)
    assert (record["accepted"], record["at"]) == (older.checkpoint, "2026-11-28T22:00:00+00:00")
    older.append(b'{"tx": "later"}')
    assert look(older) == Seen(251, 250)
    assert len(list(folder.iterdir())) == 2


def test_logs_and_keys_are_told_apart() -> None:
    look(AuditLog(RECORDS[:300]))
    other = AuditLog(RECORDS[:3], seed=bytes([7]) * 32)
    found = Baseline.of(other.vkey).compare(other.checkpoint)
    assert settled(found, other) == Seen(3, None)
    with pytest.raises(VerificationError):
        Baseline.of(KEY).compare(other.checkpoint)


def test_where_nothing_can_be_kept_nothing_is_refused_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(RECORDS[:3])
    (tmp_path / "checkpoints").write_text("in the way", encoding="utf-8")
    found = Baseline.of(KEY).compare(log.checkpoint).settle({})
    assert found.not_kept is not None
    assert "an earlier one" in checkpoints.not_kept(found).en
    monkeypatch.delenv("LIENTHONG_HOME")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    assert Baseline.of(KEY).compare(log.checkpoint).settle({}).not_kept is not None

    def no_home(_: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", classmethod(no_home))
    assert Baseline.of(KEY).compare(log.checkpoint).settle({}).not_kept is not None
    receipt = compare_receipt(verify(log.receipt(1), KEY).seen)
    assert (receipt.state, receipt.document()["not_kept"] is None) == ("first", False)
    assert "could not be kept" in receipt.told.en
    assert "không giữ được" in receipt.told.vi


def test_each_refused_checkpoint_is_kept_and_their_number_is_bounded(folder: Path) -> None:
    look(AuditLog(RECORDS[:300]))
    for size in range(250, 260):
        with pytest.raises(RolledBackLedgerError) as shorter:
            look(AuditLog(RECORDS[:size]))
    assert shorter.value.advice is not None
    assert "are kept already" in shorter.value.advice.en
    assert len(list(folder.glob("*.shorter.refused"))) == 8
    forked = AuditLog([*RECORDS[:299], b'{"tx": "another"}'])
    with pytest.raises(ForkedLedgerError) as refused:
        look(forked)
    [evidence] = folder.glob("*.forked.refused")
    assert refused.value.advice is not None
    assert str(evidence) in refused.value.advice.en
    assert forked.checkpoint in evidence.read_text("utf-8")
    record = json.loads(replacement(forked.checkpoint, KEY).accept("meant", NOW).read_text("utf-8"))
    assert any(text.endswith(forked.checkpoint) for text in record["refused"])
    assert list(folder.glob("*.refused")) == []


@pytest.mark.parametrize("size", [100, 299, 300, 301, 600])
def test_a_checkpoint_from_elsewhere_must_be_of_the_same_history(folder: Path, size: int) -> None:
    log = AuditLog(RECORDS[:300])
    same = AuditLog(RECORDS[:size])
    larger = same if size > 300 else log
    comparison = Baseline.of(KEY).compare(log.checkpoint, verify(same.receipt(7), KEY).seen)
    assert settled(comparison, larger) == Seen(300, None)
    assert comparison.shorter == (size > 300)
    fork = AuditLog([*RECORDS[:50], b'{"tx": "forged"}', *RECORDS[51:size]])
    forged = Baseline.of(KEY).compare(log.checkpoint, verify(fork.receipt(7), KEY).seen)
    with pytest.raises(ForkedLedgerError):
        settled(forged, larger if size <= 300 else fork)
    [evidence] = folder.glob("*.forked.refused")
    assert fork.checkpoint in evidence.read_text("utf-8")


class Ledger:
    """Answers with one checkpoint after another; before each, another command keeps a later one."""

    def __init__(self, *sizes: tuple[int, int]) -> None:
        self.sizes = list(sizes)
        self.log = AuditLog(RECORDS[:300])

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/audit/")
        if path == "checkpoint":
            size, kept = self.sizes.pop(0)
            KeptCheckpoint.of(KEY).keep(SeenCheckpoint.verified(AuditLog(RECORDS[:kept]).checkpoint, KEY))
            return httpx.Response(200, text=AuditLog(RECORDS[:size]).checkpoint)
        tile = TileAddress.parse(path)
        return httpx.Response(200, content=self.log.tiles[tile.level, tile.index][: tile.width * 32])


def test_commands_that_run_at_the_same_time_refuse_no_healthy_ledger() -> None:
    look(AuditLog(RECORDS[:100]))
    ledger = Ledger((110, 120), (200, 210))
    transport = httpx.MockTransport(ledger.answer)
    with Client(gateway="https://gateway.example", transport=transport, sleep=lambda _: None) as client:
        found = client.checkpoint(KEY)
    assert (found.seen.size, found.earlier, len(ledger.sizes)) == (110, 100, 1)
    kept = KeptCheckpoint.of(KEY).load()
    assert kept is not None
    assert kept.size == 120, "what the other command has seen is later"


def test_a_receipt_is_compared_off_line_where_that_can_be() -> None:
    log = AuditLog(RECORDS[:300])
    receipt = verify(log.receipt(7), KEY).seen
    assert compare_receipt(receipt).state == "first"
    assert compare_receipt(receipt).state == "same"
    log.append(b'{"tx": "later"}')
    later = compare_receipt(verify(log.receipt(7), KEY).seen)
    assert (later.state, later.kept) == ("not-compared", 300)
    assert "audit show" in later.told.en
    forged = AuditLog([*RECORDS[:299], b'{"tx": "forged"}'])
    with pytest.raises(ForkedLedgerError, match="two different roots"):
        compare_receipt(verify(forged.receipt(7), KEY).seen)


def test_without_a_home_they_lie_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIENTHONG_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert str(kept_checkpoints.folder()) == "/state/lienthong/checkpoints"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/an")
    assert str(kept_checkpoints.folder()) == "/home/an/.local/state/lienthong/checkpoints"


def test_a_reason_says_something() -> None:
    assert checkpoints.reason_given("  restored ") == "restored"
    with pytest.raises(InputError):
        checkpoints.reason_given("  ")
