"""Whoever sends a body too slowly is not waited for."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, cast

import pytest

from lienthong.gateway.body import RequestBody
from lienthong.gateway.http1.head import read_line
from lienthong.gateway.http1.incoming import Incoming
from lienthong.kit.problems import ProblemError
from tests.fuzz.clock import VirtualLoop
from tests.unit.gateway.wire import Wire, listener

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine


def in_virtual_time(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Run a test on a loop whose time passes when there is nothing to do: no other program takes of it."""

    @functools.wraps(test)
    def run() -> None:
        VirtualLoop().play(test())

    return run


def a_slow_body(
    *parts: bytes, pause: float = 60, timeout_s: float = 1, bytes_per_s: float = 1e6
) -> RequestBody:
    """A body of ten bytes whose parts come one after another, with pauses between them."""
    wire = Wire(listener(Unused()))
    incoming = Incoming(read_line(b"POST / HTTP/1.1"), wire.caller)

    def come(part: bytes) -> None:
        incoming.receive(part)
        incoming.wake()

    for number, part in enumerate(parts):
        asyncio.get_running_loop().call_later(number * pause, come, part)
    return RequestBody(incoming, 10, 1000, None, timeout_s=timeout_s, bytes_per_s=bytes_per_s)


class Unused:
    """A service that nobody calls."""

    async def serve(self, incoming: Incoming) -> None:
        raise AssertionError(incoming)

    def unreadable(self, reason: object) -> tuple[int, list[bytes], bytes]:
        raise AssertionError(reason)


@in_virtual_time
async def test_a_small_body_has_to_be_here_in_time() -> None:
    body = a_slow_body(b"abc", b"def", pause=3, timeout_s=5)
    with pytest.raises(ProblemError) as refusal:
        await body.whole()
    assert (refusal.value.code, refusal.value.status) == ("request-timeout", 408)
    assert body.size == 6


@in_virtual_time
async def test_of_a_large_body_the_next_part_has_to_be_here_in_time() -> None:
    body = a_slow_body(b"abc", b"def", pause=3, timeout_s=5)
    parts = body.chunks()
    assert [await anext(parts), await anext(parts)] == [b"abc", b"def"]
    with pytest.raises(ProblemError) as refusal:
        await anext(parts)
    assert (refusal.value.code, refusal.value.status) == ("request-timeout", 408)


@in_virtual_time
async def test_a_large_body_that_only_trickles_is_not_waited_for() -> None:
    body = a_slow_body(b"a", b"b", b"c", b"d", pause=2, timeout_s=3)
    parts = body.chunks()
    assert [await anext(parts), await anext(parts)] == [b"a", b"b"]
    with pytest.raises(ProblemError) as refusal:
        await anext(parts)
    assert refusal.value.code == "request-timeout"
    generator = a_slow_body(b"a", b"b", b"c", pause=2, timeout_s=3, bytes_per_s=1).chunks()
    patient = cast("AsyncGenerator[bytes, None]", generator)
    assert [await anext(patient), await anext(patient), await anext(patient)] == [b"a", b"b", b"c"]
    await patient.aclose()
