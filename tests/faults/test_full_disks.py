"""What a full disk stops goes on by itself when there is room, with nothing lost, doubled or half written."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from lienthong.client import Client, LienthongError
from tests.faults.checker import assert_each_recorded_once
from tests.support.full_disk import no_room
from tests.support.platform import PURPOSE, SERVICE
from tests.support.stopping import family
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults


async def test_a_bus_that_could_not_write_is_started_again_and_gets_every_record(
    platform: Platform, calls: Calls
) -> None:
    """Calls go on meanwhile, by the spool; nobody has to restart NATS."""
    supervisor = platform.installation.supervisor
    full = supervisor.pid("nats")

    def fill() -> None:
        resource.prlimit(full, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    await calls.make(300, {100: fill})
    wait_until(lambda: supervisor.pid("nats") not in {0, full}, "NATS is not started again")
    assert "refuses to write" in (platform.home / "logs" / "nats-watch.log").read_text()

    await calls.make(50)
    assert_each_recorded_once(calls)


async def test_a_ledger_on_a_full_disk_goes_on_when_there_is_room(platform: Platform, calls: Calls) -> None:
    pid = platform.installation.supervisor.pid("ledger")
    with no_room(pid):
        await calls.make(200)
    assert_each_recorded_once(calls)
    assert platform.installation.supervisor.pid("ledger") == pid


def test_a_catalog_on_a_full_disk_refuses_changes_and_takes_them_again(
    platform: Platform,
) -> None:
    agency = {
        "apiVersion": "lienthong/v1",
        "kind": "Agency",
        "metadata": {"id": "H11.77"},
        "spec": {"name": {"vi": "Sở mới", "en": "New"}, "class": "GOV"},
    }
    with platform.operator() as operator, Client(platform.consumer) as consumer:
        with no_room(platform.installation.supervisor.pid("catalog")):
            with pytest.raises(LienthongError) as refused:
                operator.apply([agency])
            assert refused.value.code == "storage-full"
            assert consumer.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE).ok
            assert "H11.77" not in {one["metadata"]["id"] for one in operator.manifests("agencies")}
        operator.apply([agency])
        assert "H11.77" in {one["metadata"]["id"] for one in operator.manifests("agencies")}


async def test_without_bus_and_disk_calls_are_refused_and_go_on_with_room(
    platform: Platform, calls: Calls
) -> None:
    supervisor = platform.installation.supervisor
    await calls.make(50)
    with Client(platform.consumer) as consumer:
        consumer.token()
        with no_room(*family(supervisor.pid("gateway"))):
            supervisor.stop("nats")
            with pytest.raises(LienthongError) as refused:
                consumer.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE)
            assert refused.value.code == "audit-unavailable"
        wait_until(lambda: answers(consumer), "calls are still refused")
    supervisor.start("nats")
    await calls.make(50)
    assert_each_recorded_once(calls)


def answers(consumer: Client) -> bool:
    """Whether a call is answered."""
    try:
        return consumer.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE).ok
    except LienthongError:
        return False
