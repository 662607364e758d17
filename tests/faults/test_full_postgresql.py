"""PostgreSQL that cannot write: nothing is half done, and all goes on when there is room."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.client import LienthongError
from tests.faults.checker import assert_each_recorded_once, entries
from tests.faults.test_lost_stores import agency_manifest
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from lienthong.client import Client
    from tests.faults.calls import Calls
    from tests.support.platform import Platform
    from tests.support.postgres import PostgresCluster

pytestmark = pytest.mark.faults


async def test_a_postgresql_that_cannot_write_refuses_changes_and_loses_nothing(
    on_postgres: Platform, calls: Calls, postgres_cluster: PostgresCluster
) -> None:
    """Its own log fails first, and it ends; its operator starts it again when there is room."""
    with on_postgres.operator() as operator:
        await asyncio.to_thread(operator.token)
        async with calls.going_on():
            with postgres_cluster.no_room():
                with pytest.raises(LienthongError) as refused:
                    await asyncio.to_thread(operator.apply, [agency_manifest("H11.77")])
                # The second where the server ended during the commit.
                assert refused.value.code in {"storage-full", "platform-unavailable"}
                answered = len(calls.answered)
                await eventually(lambda: len(calls.answered) > answered + 100, "calls do not go on")
            await asyncio.to_thread(postgres_cluster.kill)
            await asyncio.to_thread(postgres_cluster.start_again)
            await eventually(
                lambda: asyncio.to_thread(_applied, operator), "changes are refused", within=60, every=0.5
            )
        assert "H11.77" in {one["metadata"]["id"] for one in operator.manifests("agencies")}
    assert not calls.errors
    assert_each_recorded_once(calls)


async def test_a_postgresql_without_room_for_tables_refuses_changes_and_goes_on_by_itself(
    on_postgres: Platform, calls: Calls, postgres_cluster: PostgresCluster
) -> None:
    """Its own log has room: it does not end, and nobody has to start anything again."""
    with on_postgres.operator() as operator:
        await asyncio.to_thread(operator.token)
        async with calls.going_on():
            with postgres_cluster.no_room_for_tables():
                server = postgres_cluster.pid
                taken = await asyncio.to_thread(_apply_until_refused, operator)
                grown = [len(entries(on_postgres))]

                async def stands_still() -> bool:
                    grown.append(len(await asyncio.to_thread(entries, on_postgres)))
                    return grown[-1] == grown[-2]

                await eventually(stands_still, "the ledger still grows", within=60, every=2.0)
                answered = len(calls.answered)
                await eventually(lambda: len(calls.answered) > answered + 100, "calls do not go on")
            await eventually(lambda: asyncio.to_thread(_applied, operator), "changes are refused", every=0.5)
        assert {"H11.77", *taken} <= {one["metadata"]["id"] for one in operator.manifests("agencies")}
    assert postgres_cluster.pid == server
    assert not calls.errors
    assert_each_recorded_once(calls)


def _apply_until_refused(operator: Client) -> list[str]:
    """Make agencies until the tables are full; those that were accepted."""
    accepted: list[str] = []
    deadline = time.monotonic() + 200
    for number in range(1000):
        agency = f"H{50 + number // 100}.{number % 100:02}"
        try:
            operator.apply([agency_manifest(agency)])
        except LienthongError as refused:
            if refused.code == "storage-full":
                return accepted
            # The services have not noticed yet that it was started again.
            if refused.code != "platform-unavailable":
                raise
        else:
            accepted.append(agency)
        assert time.monotonic() < deadline, "nothing is refused"
    raise AssertionError("so many changes find room")


def _applied(operator: Client) -> bool:
    try:
        operator.apply([agency_manifest("H11.77")])
    except LienthongError:
        return False
    return True
