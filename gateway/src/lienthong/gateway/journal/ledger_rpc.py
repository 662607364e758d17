"""The ledger as gateways ask it: gRPC, `Sealing/Check`."""

from __future__ import annotations

from datetime import UTC
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc.aio

from lienthong.contracts.audit.v1 import sealing_pb2
from lienthong.contracts.audit.v1.sealing_pb2_grpc import SealingStub
from lienthong.gateway.journal.claims import LedgerAnswer, LedgerUnavailableError, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.gateway.journal.claims import Claim

_STATES: Final[Mapping[int, State]] = MappingProxyType(
    {
        sealing_pb2.BATCH_STATE_SEALED: State.SEALED,
        sealing_pb2.BATCH_STATE_MISSING: State.MISSING,
        sealing_pb2.BATCH_STATE_DIFFERENT: State.DIFFERENT,
    }
)


class LedgerRpc:
    """Asks over a channel; `node` is this gateway's name, for the ledger's logs."""

    def __init__(self, channel: grpc.aio.Channel, node: str) -> None:
        self._stub = SealingStub(channel)
        self._node = node

    async def check(self, claims: Sequence[Claim], from_size: int) -> LedgerAnswer:
        """As `claims.Ledger` says.

        Raises:
            LedgerUnavailableError: it does not answer, or not what it was asked.
        """
        request = sealing_pb2.CheckRequest(
            node=self._node,
            from_size=from_size,
            batches=[
                sealing_pb2.Batch(
                    first_record_id=claim.first_record_id,
                    records=claim.records,
                    payload_sha256=claim.sha256,
                )
                for claim in claims
            ],
        )
        try:
            answer = await self._stub.Check(request)
        except grpc.aio.AioRpcError as error:
            raise LedgerUnavailableError(f"{error.code().name}: {error.details()}") from error
        if len(answer.states) != len(claims) or not _STATES.keys() >= set(answer.states):
            raise LedgerUnavailableError("the ledger's answer does not fit the question")
        moment = answer.journal_read_through
        return LedgerAnswer(
            states=[_STATES[state] for state in answer.states],
            checkpoint=answer.checkpoint,
            verifier_key=answer.verifier_key,
            consistency=list(answer.consistency),
            read_through=moment.ToDatetime(UTC) if answer.HasField("journal_read_through") else None,
        )
