"""Blocks in the store of NATS are damaged: what was answered is in the ledger all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.checker import assert_each_recorded_once
from tests.faults.test_lost_stores import journal_store, retained, stopped
from tests.support.damage import cut_in_the_middle, cut_to_nothing, flip_at_the_end, flip_in_the_middle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults

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
                damage(newest_block(platform))
            await calls.make(60)
    assert_each_recorded_once(calls)
    assert retained(platform)["state"] == "ok"
    assert b"they were published again" in log.read_bytes()[begin:]


def newest_block(platform: Platform) -> Path:
    """Where NATS has written the newest records of the journal."""
    blocks = journal_store(platform).glob("JOURNAL/streams/JOURNAL/msgs/*.blk")
    return max(blocks, key=lambda path: int(path.stem))
