"""What a full disk stops goes on by itself when there is room, with nothing lost, doubled or half written."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.faults.calls import assert_exactly_one_outcome, make_calls
from tests.support.full_disk import no_room
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults


async def test_a_bus_that_could_not_write_is_started_again_and_gets_every_record(platform: Platform) -> None:
    """Calls go on meanwhile, by the spool; nobody has to restart NATS."""
    supervisor = platform.installation.supervisor
    full = supervisor.pid("nats")

    def fill() -> None:
        resource.prlimit(full, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    answered = await make_calls(platform, 300, {100: fill})
    wait_until(lambda: supervisor.pid("nats") not in {0, full}, "NATS is not started again", within=20)
    assert "refuses to write" in (platform.home / "logs" / "nats-watch.log").read_text()

    answered += await make_calls(platform, 50, {})
    assert_exactly_one_outcome(platform, answered)


async def test_a_ledger_on_a_full_disk_goes_on_when_there_is_room(platform: Platform) -> None:
    pid = platform.installation.supervisor.pid("ledger")
    with no_room(pid):
        answered = await make_calls(platform, 200, {})
    assert_exactly_one_outcome(platform, answered)
    assert platform.installation.supervisor.pid("ledger") == pid
