"""Looking up names: slow ones hold nobody up, and old answers are better than none."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.gateway.http1.names import Names
from lienthong.kit.clock import ManualClock
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


class Resolver:
    """A resolver whose answers and delays a test chooses."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, str] = {}
        self.held: dict[str, threading.Event] = {}

    def hold(self, host: str) -> None:
        """Let look-ups of this name hang until it is released."""
        self.held[host] = threading.Event()

    def release(self, host: str) -> None:
        self.held.pop(host).set()

    def __call__(self, host: str, port: int, *, type: int, flags: int = 0) -> list[Any]:  # noqa: A002
        if flags:
            return socket.getaddrinfo(host, port, type=type, flags=flags)
        self.asked[host] += 1
        if (held := self.held.get(host)) is not None:
            held.wait(20)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, type, 6, "", (self.answers[host], port))]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    for held in resolver.held.values():
        held.set()


def address(found: Any) -> str:  # noqa: ANN401  as getaddrinfo says it
    return str(found[0][4][0])


async def test_an_address_is_not_looked_up(resolver: Resolver) -> None:
    names = Names(resolver)
    assert address(await names.look_up("10.0.0.5", 80)) == "10.0.0.5"
    assert address(await names.look_up("::1", 80)) == "::1"
    assert not resolver.asked


async def test_an_answer_is_good_for_ten_seconds(resolver: Resolver) -> None:
    clock = ManualClock()
    names = Names(resolver, clock.monotonic)
    resolver.answers["a"] = "10.0.0.1"
    for expected, advance in (("10.0.0.1", 9.9), ("10.0.0.1", 0.2), ("10.0.0.2", 0)):
        assert address(await names.look_up("a", 80)) == expected
        resolver.answers["a"] = "10.0.0.2"
        clock.advance(advance)
    assert resolver.asked["a"] == 2


async def test_one_look_up_serves_all_who_wait_and_outlives_who_leaves(resolver: Resolver) -> None:
    names = Names(resolver)
    resolver.answers["a"] = "10.0.0.1"
    resolver.hold("a")
    waiting = [asyncio.create_task(names.look_up("a", 80)) for _ in range(20)]
    await eventually(lambda: resolver.asked["a"] == 1)
    waiting[0].cancel()
    resolver.release("a")
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert {address(one) for one in found[1:]} == {"10.0.0.1"}
    assert resolver.asked["a"] == 1


async def test_many_slow_names_hold_nobody_up(resolver: Resolver) -> None:
    names = Names(resolver)
    slow = [f"slow-{number}" for number in range(30)]
    for host in slow:
        resolver.hold(host)
    waiting = [asyncio.create_task(names.look_up(host, 80)) for host in slow]
    await eventually(lambda: sum(resolver.asked.values()) == len(slow))
    resolver.answers["quick"] = "10.0.0.1"
    async with asyncio.timeout(5):
        assert address(await names.look_up("quick", 80)) == "10.0.0.1"
    for host in slow:
        resolver.release(host)
    assert all(isinstance(one, OSError) for one in await asyncio.gather(*waiting, return_exceptions=True))
    # Those that were slow or failed share a few threads from now on.
    for host in slow:
        resolver.hold(host)
    again = [asyncio.create_task(names.look_up(host, 80)) for host in slow]
    await eventually(lambda: sum(resolver.asked[host] for host in slow) == len(slow) + 8)
    for task in again:
        task.cancel()


async def test_an_older_answer_is_used_while_there_is_no_newer_one(resolver: Resolver) -> None:
    clock = ManualClock()
    names = Names(resolver, clock.monotonic)
    resolver.answers["a"] = "10.0.0.1"
    await names.look_up("a", 80)
    clock.advance(11)
    resolver.hold("a")
    assert address(await names.look_up("a", 80)) == "10.0.0.1", "the newer one takes long"
    del resolver.answers["a"]
    resolver.release("a")
    await eventually(lambda: names._names["a", 80].asking is None)
    assert address(await names.look_up("a", 80)) == "10.0.0.1", "there is none"
    clock.advance(600)
    with pytest.raises(OSError, match="no such name"):
        await names.look_up("a", 80)
    resolver.answers["a"] = "10.0.0.2"
    assert address(await names.look_up("a", 80)) == "10.0.0.2"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".invalid", "a..invalid"])
async def test_a_name_that_leads_nowhere_is_told(host: str) -> None:
    with pytest.raises((OSError, UnicodeError)):
        await Names().look_up(host, 80)
