"""Gateways learn what of theirs is in the log, byte for byte, and under which checkpoint."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import grpc
import pytest

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingStub, add_SealingServicer_to_server
from lienthong.kit.journal import AdminRecord
from lienthong.kit.rpc import open_channel, serve_rpc
from lienthong.ledger.rpc import SealingService
from lienthong.ledger.service import acts
from lienthong.ledger.service.acts import Acts
from lienthong.ledger.service.sealing import Sealing
from lienthong.tlog import VerifierKey, open_checkpoint, verify_consistency
from tests.integration.ledger.support import STREAM, checkpoint, message, messages, opened, record
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.events import JournalMessage
    from lienthong.ledger.settings import LedgerSettings

SEALED, MISSING, DIFFERENT = (
    sealing_pb2.BATCH_STATE_SEALED,
    sealing_pb2.BATCH_STATE_MISSING,
    sealing_pb2.BATCH_STATE_DIFFERENT,
)
MOMENT = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@asynccontextmanager
async def asked(core: LedgerCore) -> AsyncIterator[SealingStub]:
    """The service on a port, and a stub that speaks to it."""
    service = SealingService(Sealing(core.database), Acts(core.database), core.signer.key.verifier)
    server = await serve_rpc(
        "127.0.0.1:0", lambda server: add_SealingServicer_to_server(service, server), rpc_trust()
    )
    channel = open_channel(f"127.0.0.1:{server.port}", rpc_trust())
    try:
        yield SealingStub(channel)
    finally:
        await channel.close()
        await server.stop(0)


def batch(item: JournalMessage) -> sealing_pb2.Batch:
    """What a gateway says of a message."""
    records = item.payload.split(b"\n")
    first = records[0].partition(b'"id":"')[2].partition(b'"')[0].decode()
    return sealing_pb2.Batch(
        first_record_id=first, records=len(records), payload_sha256=sha256(item.payload).digest()
    )


async def test_it_says_of_each_batch_what_the_log_has(settings: LedgerSettings) -> None:
    there = [*messages(300, each=1), *messages(40, each=97, first=301)]
    missing = messages(3, each=2)
    flipped = message(0, *there[-1].payload.split(b"\n")[:-1], record())
    longer = message(0, there[-1].payload, record())
    shorter = message(0, *there[-2].payload.split(b"\n")[:-1])
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, there, read_through=MOMENT)
        async with asked(core) as ledger:
            questions = [*there, *missing, flipped, longer, shorter]
            answer = await ledger.Check(sealing_pb2.CheckRequest(batches=map(batch, questions)))
            assert list(answer.states) == [SEALED] * 340 + [MISSING] * 3 + [DIFFERENT] * 2 + [SEALED]
            assert answer.journal_read_through.ToDatetime(UTC) == MOMENT
            assert list(answer.consistency) == []
            key = VerifierKey.parse(answer.verifier_key)
            assert open_checkpoint(answer.checkpoint, key) == await checkpoint(core)


async def test_how_far_the_journal_was_read_is_in_the_database(settings: LedgerSettings) -> None:
    later = MOMENT + timedelta(minutes=1)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(1), read_through=MOMENT)
        before = await core.integrator.position()
        await core.integrator.note_read_through(before, later)
    # As where another process follows the journal.
    async with opened(settings) as core, asked(core) as ledger:
        answer = await ledger.Check(sealing_pb2.CheckRequest())
        assert answer.journal_read_through.ToDatetime(UTC) == later
        await core.integrator.integrate(STREAM, messages(1, first=2), read_through=MOMENT)
        await core.integrator.note_read_through(before, later)
        answer = await ledger.Check(sealing_pb2.CheckRequest())
        assert answer.journal_read_through.ToDatetime(UTC) == MOMENT, "of an earlier tree head nothing counts"
        await core.integrator.begin_again("a test says so")
        answer = await ledger.Check(sealing_pb2.CheckRequest())
        assert not answer.HasField("journal_read_through")


async def test_it_proves_that_the_log_has_grown_from_what_was_seen(settings: LedgerSettings) -> None:
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(3, each=100))
        old = await checkpoint(core)
        await core.integrator.integrate(STREAM, messages(5, each=100, first=4))
        async with asked(core) as ledger:
            answer = await ledger.Check(sealing_pb2.CheckRequest(from_size=old.size))
            new = open_checkpoint(answer.checkpoint, VerifierKey.parse(answer.verifier_key))
            verify_consistency(old.size, old.root, new.size, new.root, list(answer.consistency))
            for size in (0, new.size, new.size + 1, 2**63):
                answer = await ledger.Check(sealing_pb2.CheckRequest(from_size=size))
                assert list(answer.consistency) == []


@pytest.mark.parametrize(
    "batches",
    [
        [sealing_pb2.Batch(first_record_id="1", records=1, payload_sha256=b"x" * 32)] * 1001,
        [sealing_pb2.Batch(first_record_id="", records=1, payload_sha256=b"x" * 32)],
        [sealing_pb2.Batch(first_record_id="\0", records=1, payload_sha256=b"x" * 32)],
        [sealing_pb2.Batch(first_record_id="1" * 129, records=1, payload_sha256=b"x" * 32)],
        [sealing_pb2.Batch(first_record_id="1", records=0, payload_sha256=b"x" * 32)],
        [sealing_pb2.Batch(first_record_id="1", records=513, payload_sha256=b"x" * 32)],
        [sealing_pb2.Batch(first_record_id="1", records=1, payload_sha256=b"x" * 31)],
    ],
)
async def test_what_can_be_no_batch_is_refused(
    settings: LedgerSettings, batches: list[sealing_pb2.Batch]
) -> None:
    async with opened(settings) as core, asked(core) as ledger:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ledger.Check(sealing_pb2.CheckRequest(batches=batches))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_service_learns_which_acts_of_its_own_the_log_has(
    settings: LedgerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "MOST", 2)
    mine = [act("catalog", f"mine-{number}") for number in range(3)]
    others = [act("identity", "other"), record(), record(node="catalog")]
    async with opened(settings) as core, asked(core) as ledger:
        await core.integrator.integrate(STREAM, [message(1, mine[0], *others, mine[1]), message(2, mine[2])])
        found: list[sealing_pb2.Act] = []
        first = 0
        while first < 6:
            answer = await ledger.ListActs(sealing_pb2.ListActsRequest(node="catalog", from_index=first))
            assert answer.looked_through > first
            found += answer.acts
            first = answer.looked_through
            assert (answer.size, answer.verifier_key) == (6, str(core.signer.key.verifier))
        assert [one.record_id for one in found] == ["mine-0", "mine-1", "mine-2"]
        assert found[0].at.ToDatetime(UTC).isoformat() == "2026-11-23T06:30:00.123456+00:00"
        beyond = await ledger.ListActs(sealing_pb2.ListActsRequest(node="catalog", from_index=2**64 - 1))
        assert (list(beyond.acts), beyond.looked_through) == ([], 6)


def act(service: str, identifier: str) -> bytes:
    """The record of an administrative act."""
    return AdminRecord(
        id=identifier,
        tx=identifier,
        at="2026-11-23T06:30:00.123456Z",
        node=service,
        actor="operator",
        action="agency.create",
        object="Agency/H11",
    ).encode()
