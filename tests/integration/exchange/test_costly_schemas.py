"""One system's costly schema costs that system its budget, and no one else a place in a queue."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.integration.exchange.world import OUTSIDER, Party, event_type
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import httpx

    from tests.integration.exchange.world import World

# To tell numbers of many digits apart takes the validator time that grows with the square of their number.
# It would take about a minute; the budget ends it after a second.
COSTLY = {"uniqueItems": True}
NUMBERS = [10**25 + number for number in range(9_000)]


def test_a_costly_schema_is_ended_and_holds_up_no_other_publisher(world: World, party: Party) -> None:
    identifier = f"{OUTSIDER}/costly-{os.urandom(3).hex()}-v1"
    world.catalog.put(event_type(identifier, COSTLY))
    outsider = world.client(OUTSIDER)
    wait_until(lambda: outsider.post(f"/events/{identifier}").status_code == 415, world.log)

    def costly(number: int) -> httpx.Response:
        event = {
            "specversion": "1.0",
            "id": str(number),
            "source": f"/{OUTSIDER}",
            "type": identifier,
            "data": NUMBERS,
        }
        headers = {"Content-Type": "application/cloudevents+json"}
        return outsider.post(f"/events/{identifier}", content=json.dumps(event), headers=headers)

    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(costly, number) for number in range(4)]
        for number in range(20):
            party.publish(str(number))
        # Four take at least four seconds of processor time, one after the other; twenty of others passed.
        assert not all(answer.done() for answer in slow)
        answers = [answer.result() for answer in slow]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "too-costly")}
    assert party.land.get("/subscriptions").status_code == 200
