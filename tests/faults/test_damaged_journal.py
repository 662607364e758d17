"""Blocks in the store of NATS are damaged: what was answered is in the ledger all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from lienthong.kit.bus import Bus
from lienthong.kit.ids import uuid7
from lienthong.local.nats import key_file
from tests.faults.checker import assert_each_recorded_once
from tests.faults.test_lost_stores import journal_store, retained, stopped
from tests.support.damage import cut_in_the_middle, cut_to_nothing, flip_at_the_end, flip_in_the_middle
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

DAMAGES = (flip_in_the_middle, flip_at_the_end, cut_in_the_middle, cut_to_nothing)


async def test_a_journal_whose_blocks_are_damaged_one_after_another_loses_nothing(
    platform: Platform, calls: Calls
) -> None:
    """Each time NATS starts on what is left, and takes records again; the ledger is away all the while."""
    log = platform.home / "logs" / "gateway.log"
    begin = log.stat().st_size
    with stopped(platform, "ledger"):
        await calls.make(60)
        for damage in DAMAGES:
            with stopped(platform, "nats"):
                damage(blocks(platform)[-1])
            await calls.make(60)
    assert_each_recorded_once(calls)
    assert retained(platform)["state"] == "ok"
    assert b"they were published again" in log.read_bytes()[begin:]


def flip(block: Path, transaction: str) -> None:
    """Change one byte of a record; NATS does not notice until it is read, and passes over the message."""
    content = bytearray(block.read_bytes())
    content[content.rindex(transaction.encode())] ^= 0x40
    block.write_bytes(content)


def flip_without_index(block: Path, transaction: str) -> None:
    """As after a crash: all that follows in the block is lost."""
    flip(block, transaction)
    (block.parent / "index.db").unlink()


def cut(block: Path, transaction: str) -> None:
    """Leave what comes before a record."""
    place = block.read_bytes().rindex(transaction.encode())
    with block.open("r+b") as file:
        file.truncate(place)


def empty(block: Path, _transaction: str) -> None:
    cut_to_nothing(block)


def lose(block: Path, _transaction: str) -> None:
    block.unlink()


OLDER: Final = (cut, flip, lose, flip_without_index, empty)


@pytest.mark.parametrize(
    "damages", [OLDER[:1], pytest.param(OLDER, marks=pytest.mark.long)], ids=["short", "long"]
)
async def test_older_blocks_that_are_damaged_before_the_ledger_has_read_them_lose_nothing(
    platform: Platform, calls: Calls, damages: Sequence[Callable[[Path, str], None]]
) -> None:
    """Whole blocks follow each hole, and more records; the ledger is away all the while."""
    log = platform.home / "logs" / "gateway.log"
    begin = log.stat().st_size
    with stopped(platform, "ledger"):
        for damage in damages:
            await calls.make(60)
            first = calls.answered[-60]
            # Right after a start of NATS it is in the gateway's spool.
            await eventually(lambda: block_with(platform, first))  # noqa: B023 - called here
            await fill_block(platform)
            await calls.make(20)
            with stopped(platform, "nats"):
                block = block_with(platform, first)
                assert block in blocks(platform)[:-1]
                damage(block, first)
        await calls.make(20)
    assert_each_recorded_once(calls)
    assert retained(platform)["state"] == "ok"
    assert b"they were published again" in log.read_bytes()[begin:]


async def fill_block(platform: Platform) -> None:
    """Have the journal take large records, which no call waits for, until its newest block is another one."""
    key = key_file(platform.home / "nats", "gateway")
    bus = await Bus.connect(platform.settings.nats_url, "filling", wait=True, key_file=key)
    try:
        newest = blocks(platform)[-1]
        while blocks(platform)[-1] == newest:
            records = b"\n".join(large_record() for _ in range(8))
            await bus.publish("journal.gateway", records, message_id=uuid7())
    finally:
        await bus.close()


def large_record() -> bytes:
    """A record that a gateway might write, with a member that readers do not know."""
    identifier = uuid7()
    record = {
        "v": 1,
        "id": identifier,
        "kind": "refused-sample",
        "tx": identifier,
        "at": "2026-11-29T06:30:00.123456Z",
        "node": "gateway-filling",
        "status": 401,
        "error": "token-missing",
        "count": 1,
        "since": "2026-11-29T06:30:00.123456Z",
        "filling": "x" * 59_000,
    }
    return json.dumps(record, separators=(",", ":")).encode()


def blocks(platform: Platform) -> list[Path]:
    """Where NATS has written the records of the journal, the newest last."""
    found = journal_store(platform).glob("JOURNAL/streams/JOURNAL/msgs/*.blk")
    return sorted(found, key=lambda path: int(path.stem))


def block_with(platform: Platform, transaction: str) -> Path | None:
    """The block that has the record of a call; None when there is none yet."""
    found = [block for block in blocks(platform) if transaction.encode() in block.read_bytes()]
    return found[-1] if found else None
