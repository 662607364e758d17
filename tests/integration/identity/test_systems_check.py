"""`Systems/Check` over real gRPC: which of the catalog's systems identity does not have as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
import pytest
from joserfc.jwk import ECKey

from lienthong.contracts.identity.v1 import systems_pb2, systems_pb2_grpc
from lienthong.kit.rpc import open_channel
from tests.integration.identity.harness import NOWHERE, SYSTEM, Process, running, settings_for
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from pathlib import Path

EC = ECKey.generate_key("P-256")
OTHER = "H11.05/land"


async def check(process: Process, *systems: tuple[str, int]) -> systems_pb2.CheckResponse:
    asked = [systems_pb2.SystemVersion(id=system, version=version) for system, version in systems]
    async with open_channel(process.rpc_address, rpc_trust()) as channel:
        stub = systems_pb2_grpc.SystemsStub(channel)
        return await stub.Check(systems_pb2.CheckRequest(node="test", systems=asked))


async def test_unknown_systems_and_older_ones_are_behind(tmp_path: Path, database_url: str) -> None:
    async with running(settings_for(tmp_path, database_url, NOWHERE)) as process:
        nothing = await check(process, (SYSTEM, 1))
        assert (list(nothing.behind_ids), nothing.newest_version) == ([SYSTEM], 0)
        await process.register(EC, SYSTEM, version=7)
        await process.register(EC, OTHER, version=4)
        for asked, behind in (
            ([(OTHER, 4), (SYSTEM, 7)], []),
            ([(OTHER, 3), (SYSTEM, 8)], [SYSTEM]),
            ([("H99/new", 5), (OTHER, 2**64 - 1)], ["H99/new", OTHER]),
            ([], []),
        ):
            found = await check(process, *asked)
            assert (list(found.behind_ids), found.newest_version) == (behind, 7)


async def test_more_than_a_thousand_at_once_are_refused(tmp_path: Path, database_url: str) -> None:
    async with running(settings_for(tmp_path, database_url, NOWHERE)) as process:
        many = [(f"H11.01/system-{number}", 1) for number in range(1001)]
        assert len((await check(process, *many[:1000])).behind_ids) == 1000
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await check(process, *many)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
