"""Bodies of requests, and both sides holding each other back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.http1.errors import ProviderBrokenError
from tests.integration.gateway.http1.wire import (
    KERNEL_BYTES,
    KIB,
    LONG_S,
    MIB,
    OK,
    SECOND,
    Peer,
    answering,
    on_both_loops,
    provider,
    rounds,
    standstill,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


# uploads


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def read_chunked(peer: Peer) -> list[bytes]:
    """The chunks of a request's body."""
    found: list[bytes] = []
    while size := int(await peer.reader.readline(), 16):
        found.append(await peer.reader.readexactly(size))
        assert await peer.reader.readexactly(2) == b"\r\n"
    assert await peer.reader.readexactly(2) == b"\r\n"
    return found


@pytest.mark.parametrize("sent", [(), (b"a",), (b"a", b"b" * 70_000, b"\r\n0\r\n\r\n")])
@on_both_loops
async def test_a_chunked_upload_arrives_as_it_was_and_the_connection_is_kept(sent: tuple[bytes, ...]) -> None:
    seen: list[list[bytes]] = []

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            seen.append(await read_chunked(peer))
            await peer.send(OK)

    async with provider(serve) as wire:
        for _ in range(2):
            assert (await wire.call("POST", upload=pieces(*sent))).body == b"ok"
    assert seen == [list(sent)] * 2
    assert len(wire.peers) == 1


@on_both_loops
async def test_an_empty_part_does_not_end_a_chunked_upload() -> None:
    seen: list[list[bytes]] = []

    async def serve(peer: Peer) -> None:
        await peer.request()
        seen.append(await read_chunked(peer))
        await peer.send(OK)
        await peer.gone()

    async with provider(serve) as wire:
        assert (
            await wire.call("POST", upload=pieces(b"a", b"", b"GET /forged HTTP/1.1\r\n\r\n"))
        ).status == 200
    assert seen == [[b"a", b"GET /forged HTTP/1.1\r\n\r\n"]]


@on_both_loops
async def test_an_upload_of_declared_length_arrives_byte_for_byte() -> None:
    sent = bytes(range(256)) * 4000
    seen: list[bytes] = []

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            seen.append(await peer.reader.readexactly(len(sent)))
            await peer.send(OK)

    async with provider(serve) as wire:
        for _ in range(2):
            upload = pieces(sent[:1], sent[1:200_000], sent[200_000:])
            assert (await wire.call("POST", upload=upload, declared=len(sent))).body == b"ok"
    assert seen == [sent] * 2
    assert len(wire.peers) == 1


@on_both_loops
async def test_an_answer_that_comes_before_the_upload_is_over_passes_and_ends_both() -> None:
    closed = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        try:
            yield b"x" * 1000
            await asyncio.sleep(LONG_S)
        finally:
            closed.set()

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK if peer.number else SECOND)
        await peer.gone()

    async with provider(serve) as wire:
        assert (await wire.call("POST", upload=stuck())).body == b"second"
        async with asyncio.timeout(LONG_S):
            await closed.wait()
        assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 2


class SpoiltError(Exception):
    """What a source of a body may raise."""


@pytest.mark.parametrize("answered", [False, True])
@on_both_loops
async def test_an_upload_whose_source_fails_ends_the_exchange_with_that_failure(answered: bool) -> None:
    async def spoilt() -> AsyncIterator[bytes]:
        yield b"x"
        await rounds()
        raise SpoiltError

    async def serve(peer: Peer) -> None:
        await peer.request()
        if answered:
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        await peer.gone()
        gone.set()

    gone = asyncio.Event()
    async with provider(serve) as wire:
        with pytest.raises(SpoiltError):
            await wire.call("POST", upload=spoilt())
        async with asyncio.timeout(LONG_S):
            await gone.wait()
        assert wire.pool.idle(wire.origin) is None


@pytest.mark.parametrize("chunked", [False, True])
@on_both_loops
async def test_a_provider_that_does_not_read_holds_the_upload_back(chunked: bool) -> None:
    piece, count = b"x" * 64 * KIB, 1024
    pulled = 0
    go_on = asyncio.Event()

    async def counted() -> AsyncIterator[bytes]:
        nonlocal pulled
        for _ in range(count):
            pulled += 1
            yield piece

    async def serve(peer: Peer) -> None:
        await peer.request()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await go_on.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        if chunked:
            assert await read_chunked(peer) == [piece] * count
        else:
            assert await peer.reader.readexactly(count * len(piece)) == piece * count
        await peer.send(OK)
        await peer.gone()

    async with provider(serve) as wire:
        declared = None if chunked else count * len(piece)
        call = asyncio.create_task(wire.call("POST", upload=counted(), declared=declared))
        held = await standstill(lambda: pulled)
        assert 0 < held * len(piece) < KERNEL_BYTES
        go_on.set()
        assert (await call).body == b"ok"
    assert pulled == count


@on_both_loops
async def test_a_provider_that_stops_sending_while_it_does_not_read_fails_the_exchange_at_once() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 64 * KIB

    async def serve(peer: Peer) -> None:
        await peer.request()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
        peer.writer.write_eof()
        await asyncio.sleep(LONG_S)

    async with provider(serve) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call("POST", upload=endless(), deadline_s=LONG_S)


# slow readers


@on_both_loops
async def test_a_slow_reader_holds_the_provider_back_and_gets_everything() -> None:
    total, sent = 64 * MIB, 0

    async def serve(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            peer.writer.write(b"x" * 64 * KIB)
            await peer.writer.drain()
            sent += 64 * KIB
        await peer.request()
        await peer.send(OK)
        await peer.gone()

    async with provider(serve) as wire:
        connection = await wire.take()
        wire.begin(connection)
        await connection.head()
        for _ in range(2):
            assert await standstill(lambda: sent) < total
            assert connection._buffered < MIB
            taken = await connection.chunk()
            assert taken is not None
            total_taken = len(taken)
            sent_before = sent
        assert sent_before < KERNEL_BYTES + MIB
        body = 0
        while (part := await connection.chunk()) is not None:
            body += len(part)
        connection.end()
        assert total - MIB < body + total_taken <= total
        assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 1


@pytest.mark.parametrize("size", [200 * KIB, 257 * KIB, 400 * KIB, 600 * KIB])
@on_both_loops
async def test_an_answer_that_nobody_reads_to_its_end_does_not_hold_up_the_next_exchange(size: int) -> None:
    """What came of it may have held the provider back, and it may be whole all the same."""
    large = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    async with provider(answering((large[: 150 * KIB], large[150 * KIB :]), OK, OK)) as wire:
        connection = await wire.take()
        wire.begin(connection)
        await connection.head()
        await standstill(lambda: connection._buffered)
        connection.end()
        for _ in range(2):
            assert (await wire.call(deadline_s=LONG_S)).body == b"ok"
