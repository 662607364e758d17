"""How many exchanges with a service are under way at a time."""

from __future__ import annotations

import asyncio

import pytest

from lienthong.gateway.http1.bulkhead import BulkheadFullError, Bulkheads, BulkheadTerms

SERVICE = "H11.05/land/parcels-v1"
LONG_S = 60.0


async def _turns(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_beyond_the_calls_and_those_that_wait_it_is_full() -> None:
    bulkheads, terms = Bulkheads(), BulkheadTerms(2, waiting=1, wait_s=LONG_S)
    places = [await bulkheads.enter(SERVICE, terms) for _ in range(2)]
    third = asyncio.create_task(bulkheads.enter(SERVICE, terms))
    await _turns()
    with pytest.raises(BulkheadFullError):
        await bulkheads.enter(SERVICE, terms)
    assert (bulkheads.waiting, bulkheads.refused) == (1, 1)
    places[0].leave()
    places[0].leave()
    (await third).leave()
    places[1].leave()
    assert not bulkheads._of, "nothing is kept of a service without exchanges"


async def test_who_came_first_enters_first() -> None:
    bulkheads, terms, order = Bulkheads(), BulkheadTerms(1, waiting=3, wait_s=LONG_S), []

    async def call(number: int) -> None:
        place = await bulkheads.enter(SERVICE, terms)
        order.append(number)
        place.leave()

    held = await bulkheads.enter(SERVICE, terms)
    calls = [asyncio.create_task(call(number)) for number in range(3)]
    await _turns()
    held.leave()
    await asyncio.gather(*calls)
    assert order == [0, 1, 2]


async def test_who_waits_for_too_long_finds_it_full() -> None:
    bulkheads, terms = Bulkheads(), BulkheadTerms(1, waiting=1, wait_s=0)
    place = await bulkheads.enter(SERVICE, terms)
    with pytest.raises(BulkheadFullError):
        await bulkheads.enter(SERVICE, terms)
    assert bulkheads.waiting == 0
    place.leave()


async def test_who_leaves_while_waiting_takes_no_place_also_at_the_last_moment() -> None:
    bulkheads, terms = Bulkheads(), BulkheadTerms(1, waiting=2, wait_s=LONG_S)
    place = await bulkheads.enter(SERVICE, terms)
    early, late = (asyncio.create_task(bulkheads.enter(SERVICE, terms)) for _ in range(2))
    await _turns()
    early.cancel()
    await _turns()
    place.leave()
    late.cancel()
    await asyncio.gather(early, late, return_exceptions=True)
    (await bulkheads.enter(SERVICE, terms)).leave()


async def test_one_service_takes_no_place_of_another() -> None:
    bulkheads, terms = Bulkheads(), BulkheadTerms(1, waiting=0, wait_s=LONG_S)
    await bulkheads.enter(SERVICE, terms)
    (await bulkheads.enter("H11.05/land/owners-v1", terms)).leave()


async def test_the_newest_terms_hold() -> None:
    bulkheads = Bulkheads()
    await bulkheads.enter(SERVICE, BulkheadTerms(1, waiting=0, wait_s=LONG_S))
    await bulkheads.enter(SERVICE, BulkheadTerms(2, waiting=0, wait_s=LONG_S))
    with pytest.raises(BulkheadFullError):
        await bulkheads.enter(SERVICE, BulkheadTerms(2, waiting=0, wait_s=LONG_S))
