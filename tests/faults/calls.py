"""Many calls at once, and what the ledger knows of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import httpx

from lienthong.client import Client, UnavailableError
from tests.support.platform import PURPOSE, SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.platform import Platform

CONCURRENCY = 32
LEDGER_TIMEOUT_S = 60.0


async def make_calls(platform: Platform, calls: int, at: Mapping[int, Callable[[], None]]) -> list[str]:
    """Make so many calls and return the transaction ids of those that were answered with 200.

    A call that finds no gateway, or loses it half way, was not answered: it is made again. `at` says what to
    do when so many calls have been answered.
    """
    with Client(platform.consumer) as client:
        token = client.token().value
    answered: list[str] = []
    numbers = iter(range(calls))
    headers = {"Authorization": f"Bearer {token}", "LGSP-Purpose": PURPOSE}
    due = dict(at)
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    async with httpx.AsyncClient(base_url=platform.gateway, headers=headers, limits=limits) as http:

        async def worker() -> None:
            for number in numbers:
                answered.append(await _answered(http, f"/api/{SERVICE}/parcels/{number}"))
                action = due.pop(len(answered), None)
                if action is not None:
                    await asyncio.to_thread(action)

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    assert not due, f"not all faults happened: {sorted(due)}"
    return answered


async def _answered(http: httpx.AsyncClient, path: str) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = await http.get(path)
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the gateway did not come back"
            await asyncio.sleep(0.05)
            continue
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.headers["LGSP-Transaction-Id"]


def outcomes(platform: Platform, expected: list[str]) -> Counter[str]:
    """How many outcome entries the ledger holds for each transaction, once all `expected` are there.

    The ledger may be one of the killed processes, and still be starting.
    """
    deadline = time.monotonic() + LEDGER_TIMEOUT_S
    filters = {"kind": "call", "service": SERVICE}
    with platform.auditor() as auditor:
        while True:
            try:
                found = Counter(str(entry["record"]["tx"]) for entry in auditor.entries(filters))
            except UnavailableError:
                if time.monotonic() > deadline:
                    raise
            else:
                if all(found[transaction] for transaction in expected) or time.monotonic() > deadline:
                    return found
            time.sleep(0.5)


def assert_exactly_one_outcome(platform: Platform, answered: list[str]) -> None:
    """Every answered call has one entry, none is missing and none is double; the log is whole."""
    assert len(set(answered)) == len(answered), "two calls were answered with the same transaction id"
    found = outcomes(platform, answered)
    missing = [transaction for transaction in answered if found[transaction] == 0]
    double = {transaction: count for transaction, count in found.items() if count > 1}
    assert not missing, f"{len(missing)} answered calls have no entry, such as {missing[:3]}"
    assert not double, f"{len(double)} calls have several entries: {dict(list(double.items())[:3])}"
