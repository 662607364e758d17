"""One hostile tenant, or a stranger without a token, does not stop, blind or fill the platform."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.client.operations import decide_agreement
from tests.hostile.attacks import FILLING, REGISTERING, STARVING, STOPPING, TRAIL, Attack
from tests.hostile.floods import floods, leave_requests
from tests.hostile.world import HOSTILE
from tests.support.platform import CONSUMER, PURPOSE, SERVICE
from tests.support.promises import allowed_s
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client import Client
    from tests.hostile.report import Report
    from tests.hostile.world import World

TABLES = {
    "stopping": STOPPING,
    "trail": TRAIL,
    "starving": STARVING,
    "filling": FILLING,
    "registering": REGISTERING,
}
LONGEST_S = 1.0
"""What one call of others waits at most, on a machine that has nothing else to do."""
IN_FORCE_S = 1.0
"""How soon a revoked agreement allows nothing more, on such a machine."""


@pytest.mark.parametrize(
    ("kind", "attack"),
    [
        pytest.param(kind, attack, id=f"{kind}: {attack.name}")
        for kind, table in TABLES.items()
        for attack in table
    ],
)
def test_others_are_served_meanwhile(world: World, report: Report, kind: str, attack: Attack) -> None:
    with world.others.meanwhile() as windows:
        answered = attack.act(world)
    window = windows[0]
    report.add(kind, attack.name, answered, window)
    assert not window.failed
    assert window.worst_s < allowed_s(LONGEST_S)


@pytest.mark.parametrize(
    ("rounds", "waiting"),
    [
        pytest.param(5, 500, id="short"),
        pytest.param(100, 50_000, id="long", marks=pytest.mark.long),
    ],
)
def test_a_revocation_is_in_force_within_a_second_while_floods_go_on(
    world: World, report: Report, rounds: int, waiting: int
) -> None:
    took: list[float] = []
    leave_requests(world, f"before-{rounds}", waiting)
    with world.platform.operator() as operator, world.tenant() as tenant:
        # Before the floods and for all rounds: here the operator shares the strangers' address and limit.
        operator.token()

        def status() -> int:
            headers = {"LGSP-Purpose": PURPOSE}
            return tenant.get(f"/api/{SERVICE}/parcels/1", headers=headers).status_code

        with world.others.meanwhile() as windows, floods(world) as sent:
            for number in range(rounds):
                took.append(_revocation(operator, f"round-{number}-of-{rounds}", status))
                assert took[-1] < allowed_s(IN_FORCE_S)
    tried = f"{rounds} revocations under {sum(sent):,} requests, slow readers and {waiting:,} open requests"
    report.add("revoking", tried, f"in force after {max(took):.2f} s at most", windows[0])
    assert not windows[0].failed
    assert windows[0].worst_s < allowed_s(LONGEST_S)


def test_every_call_of_the_others_is_recorded_once(world: World) -> None:
    answered = sorted(call.transaction for call in world.others.calls if call.status == httpx.codes.OK)

    def recorded() -> bool:
        entries = world.entries({"client": CONSUMER, "service": SERVICE, "kind": "call"})
        found = sorted(str(entry["record"]["tx"]) for entry in entries)
        return [tx for tx in found if tx in set(answered)] == answered

    wait_until(recorded, "the ledger holds each of their calls once")


def _revocation(operator: Client, agreement: str, status: Callable[[], int]) -> float:
    """Let the hostile tenant call, then revoke that: how long it could go on, in seconds."""
    spec = {
        "consumer": HOSTILE,
        "service": SERVICE,
        "purposes": [PURPOSE],
        "legalGround": "Thử",
        "status": "approved",
    }
    operator.apply(
        [{"apiVersion": "lienthong/v1", "kind": "Agreement", "metadata": {"id": agreement}, "spec": spec}]
    )
    wait_until(lambda: status() == httpx.codes.OK, "the agreement is in force")
    operator.perform(decide_agreement(agreement, "revoke", legal_ground=None, reason="Thử"))
    revoked = time.monotonic()
    wait_until(lambda: status() == httpx.codes.FORBIDDEN, "the revocation is in force", every=0.02)
    return time.monotonic() - revoked
