"""The gRPC service Sealing: tells gateways and services which of their records are in the log."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingServicer
from lienthong.ledger.domain.sealing import MOST_BATCHES, BatchClaim, BatchState, UnusableBatchError
from lienthong.ledger.service.acts import LARGEST_INDEX

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from lienthong.ledger.service.acts import Acts
    from lienthong.ledger.service.sealing import Sealing
    from lienthong.tlog import VerifierKey

    Context = grpc.aio.ServicerContext[sealing_pb2.CheckRequest, Awaitable[sealing_pb2.CheckResponse]]
    ActsContext = grpc.aio.ServicerContext[
        sealing_pb2.ListActsRequest, Awaitable[sealing_pb2.ListActsResponse]
    ]

_STATES: Final[Mapping[BatchState, sealing_pb2.BatchState.ValueType]] = MappingProxyType(
    {
        BatchState.SEALED: sealing_pb2.BATCH_STATE_SEALED,
        BatchState.MISSING: sealing_pb2.BATCH_STATE_MISSING,
        BatchState.DIFFERENT: sealing_pb2.BATCH_STATE_DIFFERENT,
    }
)


class SealingService(SealingServicer):
    """Answers, also where another process follows the journal."""

    def __init__(self, sealing: Sealing, acts: Acts, key: VerifierKey) -> None:
        self._sealing = sealing
        self._acts = acts
        self._key = str(key)

    async def Check(  # noqa: N802  the contract's name
        self, request: sealing_pb2.CheckRequest, context: Context
    ) -> sealing_pb2.CheckResponse:
        """What the log has of each batch; INVALID_ARGUMENT for too many, and for what can be no batch."""
        if len(request.batches) > MOST_BATCHES:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"more than {MOST_BATCHES} batches")
        try:
            claims = [
                BatchClaim(batch.first_record_id, batch.records, batch.payload_sha256)
                for batch in request.batches
            ]
        except UnusableBatchError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        found = await self._sealing.check(claims, request.from_size)
        answer = sealing_pb2.CheckResponse(
            states=[_STATES[state] for state in found.states],
            checkpoint=found.checkpoint,
            verifier_key=self._key,
            consistency=found.consistency,
        )
        if found.read_through is not None:
            moment = Timestamp()
            moment.FromDatetime(found.read_through)
            answer.journal_read_through.CopyFrom(moment)
        return answer

    async def ListActs(  # noqa: N802  the contract's name
        self, request: sealing_pb2.ListActsRequest, context: ActsContext
    ) -> sealing_pb2.ListActsResponse:
        """A portion of the acts of a service."""
        del context
        found = await self._acts.of(request.node, min(request.from_index, LARGEST_INDEX))
        answer = sealing_pb2.ListActsResponse(
            looked_through=found.looked_through, size=found.size, verifier_key=self._key
        )
        for act in found.acts:
            message = answer.acts.add(record_id=act.record_id)
            if act.at is not None:
                message.at.FromDatetime(act.at)
        return answer
