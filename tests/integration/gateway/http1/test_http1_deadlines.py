"""Deadlines of exchanges."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.http1.errors import ProviderTimeoutError
from lienthong.gateway.http1.limits import TimeLimits
from tests.integration.gateway.http1.wire import (
    CHUNKED,
    KIB,
    LONG_S,
    OK,
    SECOND,
    Peer,
    answering,
    on_both_loops,
    provider,
)
from tests.support.promises import allowed_s
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.gateway.http1.wire import Serve


def _answering_the_first(count: int, *, then: bytes = b"") -> Serve:
    """Answer so many requests, and the next one with `then`, which is not all of an answer."""

    async def serve(peer: Peer) -> None:
        for _ in range(count):
            await peer.request()
            await peer.send(OK)
        await peer.request()
        await peer.send(then)
        await peer.gone()

    return serve


@on_both_loops
async def test_a_deadline_before_the_one_of_the_last_exchange_is_kept() -> None:
    async with provider(_answering_the_first(1)) as wire:
        await wire.call(deadline_s=LONG_S)
        began = wire.now
        with pytest.raises(ProviderTimeoutError):
            await wire.call(deadline_s=0.1)
        assert 0.09 <= wire.now - began < allowed_s(2)
        assert wire.pool.idle(wire.origin) is None
    assert len(wire.peers) == 1


@on_both_loops
async def test_a_deadline_after_the_one_of_the_last_exchange_is_kept() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        await peer.request()
        await asyncio.sleep(1.1)
        await peer.send(SECOND)
        await peer.request()
        await peer.gone()

    async with provider(serve) as wire:
        await wire.call(deadline_s=1)
        assert (await wire.call(deadline_s=2.5)).body == b"second"
        began = wire.now
        with pytest.raises(ProviderTimeoutError):
            await wire.call(deadline_s=2)
        assert 1.99 <= wire.now - began < allowed_s(5)
    assert len(wire.peers) == 1


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhalf",
        CHUNKED + b"5\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil close",
    ],
)
@on_both_loops
async def test_an_answer_that_stops_half_way_ends_at_the_deadline(half: bytes) -> None:
    async with provider(_answering_the_first(0, then=half)) as wire:
        with pytest.raises(ProviderTimeoutError):
            await wire.call(deadline_s=0.1)
        assert wire.pool.idle(wire.origin) is None
        await eventually(lambda: not wire.pool._open, "the connection is closed")


@on_both_loops
async def test_a_deadline_that_passes_in_idle_time_leaves_the_connection_alone() -> None:
    async with provider(answering(OK, SECOND)) as wire:
        first = await wire.call(deadline_s=1)
        await asyncio.sleep(1.1)
        second = await wire.call()
        assert second.body == b"second"
        assert second.connection is first.connection


@on_both_loops
async def test_a_deadline_that_has_passed_ends_the_exchange() -> None:
    async with provider(_answering_the_first(0)) as wire:
        connection = await wire.take()
        wire.begin(connection, deadline_s=-1)
        with pytest.raises(ProviderTimeoutError):
            async with asyncio.timeout(LONG_S):
                await connection.head()
        connection.end()


@on_both_loops
async def test_each_part_of_an_answer_has_its_own_time() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await asyncio.sleep(0.6)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
        for _ in range(4):
            await asyncio.sleep(0.3)
            await peer.send(b"x")
        await peer.gone()

    async with provider(serve) as wire:
        began = wire.now
        with pytest.raises(ProviderTimeoutError):
            await wire.call(limits=TimeLimits(first_byte_s=1, idle_s=0.6))
        assert 2.2 < wire.now - began < allowed_s(5)


@on_both_loops
async def test_the_time_of_the_provider_begins_when_it_has_the_whole_request() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.2)
            yield b"x"

    async with provider(_answering_the_first(0)) as wire:
        began = wire.now
        with pytest.raises(ProviderTimeoutError):
            await wire.call("POST", upload=slow(), limits=TimeLimits(first_byte_s=0.2, idle_s=0.2))
        assert 0.75 < wire.now - began < allowed_s(2.5)


@on_both_loops
async def test_a_provider_that_does_not_take_the_request_is_cut_off() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 64 * KIB

    async def serve(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(LONG_S)

    async with provider(serve) as wire:
        with pytest.raises(ProviderTimeoutError):
            await wire.call("POST", upload=endless(), limits=TimeLimits(first_byte_s=LONG_S, idle_s=0.2))


@on_both_loops
async def test_the_deadline_holds_for_an_upload_that_goes_nowhere() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 64 * KIB

    async def serve(peer: Peer) -> None:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(LONG_S)

    async with provider(serve) as wire:
        with pytest.raises(ProviderTimeoutError):
            await wire.call("POST", upload=endless(), deadline_s=0.2)
        await eventually(lambda: not wire.pool._open, "the connection is closed")
