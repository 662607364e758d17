"""The log grows by exactly the records of the journal, and its checkpoints only ever move forward."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.clock import SystemClock
from lienthong.ledger.bootstrap import open_core
from lienthong.ledger.errors import OutOfOrderError
from lienthong.ledger.events import JournalMessage
from lienthong.tlog import (
    TileAddress,
    consistency_proof,
    consistency_tiles,
    leaf_hash,
    subtree_root,
    tiles_of_level,
    verify_consistency,
)
from tests.integration.ledger.support import (
    STREAM,
    checkpoint,
    full_check,
    leaves,
    message,
    messages,
    opened,
    quarantined,
    record,
    records_of,
)

if TYPE_CHECKING:
    from lienthong.ledger.service.integrator import Integrator
    from lienthong.ledger.settings import LedgerSettings


async def test_a_new_log_signs_the_empty_tree(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        head = await checkpoint(core)
    assert (head.origin, head.size, head.root) == ("lgsp/VN-BTN/ledger", 0, subtree_root(b""))


async def test_leaves_are_the_exact_bytes_in_the_order_of_the_journal(settings: LedgerSettings) -> None:
    batch = [
        message(1, record(), ' { "id" : "spaced" , "khách":"một cửa" } '.encode()),
        message(2, record()),
        *messages(5, each=120, first=3),
    ]
    async with opened(settings) as core:
        done = await core.integrator.integrate(STREAM, batch)
        assert (done.added, done.known, done.quarantined) == (603, 0, 0)
        assert await leaves(core) == records_of(batch)
        head = await checkpoint(core)
        assert head.size == 603
        assert head.root == subtree_root(b"".join(map(leaf_hash, records_of(batch))))
        assert (await full_check(core)).sound


async def test_checkpoints_are_consistent_over_batches_and_restarts(settings: LedgerSettings) -> None:
    seen = []
    sequence = 1
    for size in (1, 254, 1, 1, 300, 7):
        async with opened(settings) as core:
            seen.append(await checkpoint(core))
            for each in (size, 1):
                await core.integrator.integrate(STREAM, messages(1, each=each, first=sequence))
                sequence += 1
                seen.append(await checkpoint(core))
    async with opened(settings) as core:
        for old, new in pairwise(seen):
            needed = consistency_tiles(old.size, new.size)
            tiles: dict[TileAddress, bytes] = {
                address: await core.log.tile(address.path) for address in needed
            }
            proof = consistency_proof(old.size, new.size, tiles)
            verify_consistency(old.size, old.root, new.size, new.root, proof)
        assert (await full_check(core)).sound


async def test_a_batch_that_comes_again_adds_nothing(settings: LedgerSettings) -> None:
    batch = messages(4, each=10)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, batch[:3])
        before = await checkpoint(core)
        assert (await core.integrator.integrate(STREAM, batch[:3])).added == 0
        assert await checkpoint(core) == before
        assert (await core.integrator.integrate(STREAM, batch[1:])).added == 10
        assert await leaves(core) == records_of(batch)


async def test_a_record_that_comes_again_in_another_message_is_dropped_for_ever(
    settings: LedgerSettings,
) -> None:
    first, second, third = record(), record(), record()
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, first, second, first)])
        done = await core.integrator.integrate(STREAM, [message(2, second, third), message(3, third, first)])
        assert (done.added, done.known, done.quarantined) == (1, 3, 0)
        assert await leaves(core) == [first, second, third]
        assert done.head.journal_sequence == 3


async def test_another_record_under_a_known_id_is_kept_in_quarantine(settings: LedgerSettings) -> None:
    genuine, forged = record(id="1", status=200), record(id="1", status=403)
    async with opened(settings) as core:
        done = await core.integrator.integrate(STREAM, [message(1, genuine), message(2, forged)])
        assert (done.added, done.quarantined) == (1, 1)
        assert await leaves(core) == [genuine]
        ((sequence, position, reason, data),) = await quarantined(core)
    assert (sequence, position, data) == (2, 0, forged)
    assert "another record with the id 1" in reason


async def test_what_is_no_record_is_kept_in_quarantine_and_blocks_nothing(settings: LedgerSettings) -> None:
    before, after = record(), record()
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [message(1, before, b"no JSON", b'{"v":1}', after)])
        await core.integrator.integrate(STREAM, [message(2, b"\xff\x00")])
        assert await leaves(core) == [before, after]
        kept = await quarantined(core)
    assert [(sequence, position, data) for sequence, position, _, data in kept] == [
        (1, 1, b"no JSON"),
        (1, 2, b'{"v":1}'),
        (2, 0, b"\xff\x00"),
    ]
    assert all(reason for _, _, reason, _ in kept)


async def test_a_message_before_its_turn_is_refused_and_changes_nothing(settings: LedgerSettings) -> None:
    batch = messages(4)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, batch[:1])
        before = await checkpoint(core)
        for wrong in ([batch[2]], [batch[1], batch[3]], [batch[2], batch[1]]):
            with pytest.raises(OutOfOrderError):
                await core.integrator.integrate(STREAM, wrong)
        assert await checkpoint(core) == before
        await core.integrator.integrate(STREAM, batch[1:])
        assert await leaves(core) == records_of(batch)


async def test_messages_that_the_journal_lost_are_told_and_the_log_goes_on(settings: LedgerSettings) -> None:
    batch = messages(5)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, batch[:2])
        await core.integrator.integrate(STREAM, batch[4:], missing_before={5})
        assert await leaves(core) == records_of([*batch[:2], *batch[4:]])
        ((sequence, _, reason, _),) = await quarantined(core)
    assert sequence == 3
    assert "lost its messages 3 to 4" in reason


async def test_a_new_journal_begins_at_its_own_first_message(settings: LedgerSettings) -> None:
    old, new = messages(3), messages(2)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, old)
        done = await core.integrator.integrate("another", [*new[:1], message(2, old[0].payload)])
        assert (done.added, done.known) == (1, 1)
        assert await leaves(core) == records_of([*old, new[0]])


async def test_two_ledgers_at_once_cannot_fork_the_log(settings: LedgerSettings) -> None:
    batch = messages(40, each=25)
    async with opened(settings) as core:
        other = await open_core(settings)
        try:
            writers = [core.integrator, other.integrator]

            async def integrate_all(writer: Integrator, step: int) -> int:
                added = 0
                for at in range(0, len(batch), step):
                    # Whoever comes first appends; the other finds it done.
                    added += (await writer.integrate(STREAM, batch[: at + step])).added
                return added

            added = await asyncio.gather(*(integrate_all(writer, 3) for writer in writers))
        finally:
            await other.database.close()
        assert sum(added) == 1000
        assert await leaves(core) == records_of(batch)
        assert (await full_check(core)).sound


async def test_an_integration_that_is_broken_off_leaves_nothing_behind(settings: LedgerSettings) -> None:
    batch = messages(30, each=50)
    async with opened(settings) as core:
        for delay in (0.0, 0.002, 0.01, 0.03):
            task = asyncio.create_task(core.integrator.integrate(STREAM, batch))
            await asyncio.sleep(delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            size = (await checkpoint(core)).size
            assert len(await leaves(core)) == size
            assert size in {0, 1500}
        await core.integrator.integrate(STREAM, batch)
        assert await leaves(core) == records_of(batch)
        assert (await full_check(core)).sound


async def test_every_width_of_every_tile_can_be_fetched_for_ever(settings: LedgerSettings) -> None:
    batch = messages(1, each=600)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, batch)
        hashes = b"".join(map(leaf_hash, records_of(batch)))
        for width in (1, 2, 100, 255, 256):
            assert await core.log.tile(TileAddress(0, 1, width).path) == hashes[8192:][: width * 32]
        assert [len(await core.log.tile(item.path)) // 32 for item in tiles_of_level(1, 600)] == [2]


async def test_an_entry_of_the_largest_size_goes_through(settings: LedgerSettings) -> None:
    largest = b'{"id":"1","text":"'.ljust(65_533, b"x") + b'"}'
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, [JournalMessage(1, largest)])
        assert (await core.log.tile("tile/entries/000.p/1"))[2:] == largest
        assert (await full_check(core)).sound


async def test_the_key_of_a_log_signs_every_checkpoint_with_its_own_name(settings: LedgerSettings) -> None:
    async with opened(settings, SystemClock()) as core:
        await core.integrator.integrate(STREAM, messages(1))
        assert f"\n\n— {settings.ledger_origin} " in await core.log.checkpoint()
