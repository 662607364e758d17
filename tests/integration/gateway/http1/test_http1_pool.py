"""Connections that are kept, and those that never stand."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.http1 import pool as pool_module
from lienthong.gateway.http1.address import Address, Origin
from lienthong.gateway.http1.connection import Connection
from lienthong.gateway.http1.errors import ProviderBrokenError, ProviderTimeoutError, ProviderUnreachableError
from lienthong.gateway.http1.names import Names
from lienthong.gateway.http1.pool import Pool
from lienthong.gateway.http1.request import provider_request
from lienthong.kit.clock import ManualClock
from tests.integration.gateway.http1.wire import (
    CHUNKED,
    FORGED,
    LONG_S,
    OK,
    SECOND,
    UNLIMITED,
    Peer,
    answering,
    on_both_loops,
    provider,
    rest,
    rounds,
    values,
)
from tests.support.authorities import trust_of_this_machine
from tests.support.ports import take_free_port
from tests.support.promises import allowed_s
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lienthong.gateway.http1.names import AddressInfo

# kept connections


@pytest.mark.parametrize("reset", [False, True])
@on_both_loops
async def test_a_kept_connection_that_the_provider_closes_is_not_used_again(reset: bool) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK if peer.number == 0 else SECOND)
        if peer.number == 0:
            if reset:
                peer.writer.transport.abort()
            peer.writer.close()
        else:
            await peer.gone()

    async with provider(serve) as wire:
        first = await wire.call()
        await eventually(lambda: not first.connection.open, "the end is seen")
        assert (await wire.call()).body == b"second"
        await eventually(lambda: len(wire.pool._open) == 1, "the closed one is forgotten")
    assert len(wire.peers) == 2


@on_both_loops
async def test_a_connection_that_is_about_to_close_is_not_used_again() -> None:
    async with provider(answering(OK, SECOND)) as wire:
        (await wire.call()).connection.close()
        assert (await wire.call()).body == b"second"


@pytest.mark.parametrize("closes", [False, True])
@on_both_loops
async def test_what_the_provider_does_in_idle_time_counts_though_the_loop_has_not_seen_it(
    closes: bool,
) -> None:
    """A busy loop comes late to the socket: the next request must not be sent there all the same."""
    async with provider(answering(OK, SECOND)) as wire:
        assert (await wire.call()).body == b"ok"
        with socket.socket(fileno=os.dup(wire.peers[0].writer.get_extra_info("socket").fileno())) as raw:
            if closes:
                raw.shutdown(socket.SHUT_WR)
            else:
                raw.send(FORGED)
            # Nothing is awaited between here and the request.
            assert (await wire.call(deadline_s=LONG_S)).body == b"second"


@on_both_loops
async def test_the_latest_used_connection_is_used_first() -> None:
    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(OK)

    async with provider(serve) as wire:
        first, second = await wire.take(), await wire.take()
        for connection in (second, first):
            wire.begin(connection)
            await connection.head()
            assert await rest(connection) == b"ok"
        first.end()
        second.end()
        assert (await wire.call()).connection is second
        wire.begin(held := await wire.take())
        assert held is second
        assert (await wire.call()).connection is first
        held.end()


@on_both_loops
async def test_a_connection_gets_old_though_it_never_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_AGE_S", 0.5)

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(OK)

    async with provider(serve) as wire:
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            got = await wire.call()
            assert got.status == 200
            got.connection.end()
        assert 2 <= len(wire.peers) <= 4


@on_both_loops
async def test_calls_move_to_a_names_new_address_though_its_connection_never_rests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "MAX_AGE_S", 0.2)
    clock, place, port = ManualClock(), "127.0.0.1", take_free_port()
    asked: list[str] = []
    serving: set[asyncio.StreamWriter] = set()

    def resolve(host: str, port: int, **hints: object) -> list[AddressInfo]:
        if host != "land.example":
            raise OSError
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    def served_at(address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving.add(writer)
            with contextlib.suppress(ConnectionError):
                while await reader.readline():
                    await reader.readuntil(b"\r\n\r\n")
                    asked.append(address)
                    writer.write(OK)
            writer.close()
            serving.discard(writer)

        return serve

    servers = [
        await asyncio.start_server(served_at(address), address, port)
        for address in ("127.0.0.1", "127.0.0.2")
    ]
    names = Names(resolve, clock.monotonic)
    pool = Pool(connect_timeout=LONG_S, tls=trust_of_this_machine(), names=names)
    origin, loop = Origin("land.example", port, tls=False), asyncio.get_running_loop()
    request = provider_request("GET", b"/", (), (), authorization=None, length=0, body=b"")

    async def call() -> str:
        until = loop.time() + LONG_S
        connection = pool.idle(origin) or await pool.connect(origin, until)
        connection.begin(
            request.to(Address.parse(f"http://land.example:{port}")),
            bodiless=False,
            limits=UNLIMITED,
            until=until,
        )
        await connection.head()
        await rest(connection)
        connection.end()
        return asked[-1]

    try:
        assert [await call() for _ in range(3)] == ["127.0.0.1"] * 3
        place = "127.0.0.2"
        clock.advance(11)
        async with asyncio.timeout(LONG_S):
            while await call() != "127.0.0.2":
                pass
        assert [await call() for _ in range(3)] == ["127.0.0.2"] * 3
    finally:
        pool.close()
        for server in servers:
            server.close()
        await eventually(lambda: not serving, "nothing is served any more")


@pytest.mark.parametrize(
    ("said", "rests_s"),
    [
        (b"timeout=5", 4.5),
        (b"timeout=2, max=100", 1.5),
        (b'max=7, Timeout = "3"', 2.5),
        (b"max=5", None),
        (b"timeout=", None),
        (b"mytimeout=5", None),
        (b"timeout=99999999", None),
    ],
)
@on_both_loops
async def test_a_provider_says_how_long_it_keeps_a_connection(said: bytes, rests_s: float | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nKeep-Alive: %b\r\ncontent-length: 2\r\n\r\nok" % said
    async with provider(answering(answer)) as wire:
        assert (await wire.call()).connection.rests_s == (float("inf") if rests_s is None else rests_s)


@on_both_loops
async def test_a_connection_given_back_twice_is_kept_once() -> None:
    async with provider(answering(OK, SECOND)) as wire:
        got = await wire.call()
        got.connection.end()
        assert wire.pool.idle(wire.origin) is got.connection
        assert wire.pool.idle(wire.origin) is None


@on_both_loops
async def test_idle_connections_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_S", 0.5)
    gone = 0

    async def serve(peer: Peer) -> None:
        nonlocal gone
        await peer.request()
        await peer.send(OK)
        await peer.gone()
        gone += 1

    async with provider(serve) as wire:
        await asyncio.gather(*(wire.call() for _ in range(3)))
        assert len(wire.pool._open) == 3
        await eventually(lambda: gone == 3, "the provider sees them closed")
        assert not wire.pool._open
        assert not wire.pool._idle
        assert wire.pool._sweeping is None
        assert (await wire.call()).body == b"ok"


@on_both_loops
async def test_a_connection_that_was_idle_for_too_long_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its provider may close it at the very moment at which the next request is sent."""
    monkeypatch.setattr(pool_module, "IDLE_S", 0.4)
    async with provider(answering(OK, OK, OK)) as wire:
        one, two = await wire.take(), await wire.take()
        for connection in (one, two):
            wire.begin(connection)
            await connection.head()
            await rest(connection)
        one.end()
        await asyncio.sleep(0.04)
        two.end()
        since = wire.now
        await asyncio.sleep(0.42)
        assert wire.now - since > 0.4
        assert wire.pool.idle(wire.origin) is None


@on_both_loops
async def test_an_exchange_that_is_left_half_way_closes_its_connection() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhalf")
        await peer.gone()
        gone.set()

    gone = asyncio.Event()
    async with provider(serve) as wire:
        connection = await wire.take()
        wire.begin(connection)
        await connection.head()
        connection.end()
        async with asyncio.timeout(LONG_S):
            await gone.wait()
        assert wire.pool.idle(wire.origin) is None


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhalf"])
@on_both_loops
async def test_the_provider_sees_when_nobody_waits_any_more(head: bytes) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        asked.set()
        await peer.gone()
        gone.set()

    async with provider(serve) as wire:
        call = asyncio.create_task(wire.call())
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(LONG_S):
            await gone.wait()
        await eventually(lambda: not wire.pool._open, "the connection is forgotten")


async def _in_every_manner(peer: Peer) -> None:
    """Answer each request with its own path, one after the other properly, badly, late or not at all."""
    while True:
        method, path, _ = (await peer.request()).split(b" ", 2)
        own = b"%b " % path * 2000
        framed = b"HTTP/1.1 200 OK\r\nx-path: %b\r\ncontent-length: %d\r\n\r\n" % (path, len(own))
        manner = int(path.rpartition(b"/")[2]) % 7
        if method == b"HEAD":
            await peer.send(framed)
        elif manner == 0:
            await peer.send(framed + own)
        elif manner == 1:
            await peer.send(framed, own[:100], own[100:])
        elif manner == 2:
            await peer.send(
                CHUNKED, b"%x\r\n%b\r\n" % (len(own), own), b"0\r\nx-path: ", b"%b\r\n\r\n" % path
            )
        elif manner == 3:
            await peer.send(framed + own + FORGED[:20])
        elif manner == 4:
            await peer.send(framed, own[:100])
            await peer.gone()
        elif manner == 5:
            await peer.send(b"HTTP/1.1 103 Early\r\nx-path: %b\r\n\r\n" % path, framed + own)
        else:
            await peer.send(b"HTTP/1.1 200 OK\r\nx-path: %b\r\n\r\n" % path + own)
            peer.writer.close()
            return


@on_both_loops
async def test_among_many_exchanges_each_gets_its_own_answer_or_none() -> None:
    whole = 0

    async def one_after_the_other(caller: int) -> None:
        nonlocal whole
        for number in range(caller % 7, caller % 7 + 14):
            path = f"/{caller}/{number}"
            method = "HEAD" if number % 5 == 0 else "GET"
            call = asyncio.create_task(wire.call(method, deadline_s=1, path=path))
            if number % 6 == 3:
                await asyncio.sleep(0.002 * (caller % 4))
                call.cancel()
            try:
                got = await call
            except (asyncio.CancelledError, ProviderBrokenError, ProviderTimeoutError):
                continue
            whole += 1
            assert values(got, b"x-path") in ([path.encode()], [])
            assert got.body == (b"" if method == "HEAD" else b"%b " % path.encode() * 2000)

    async with provider(_in_every_manner) as wire:
        await asyncio.gather(*(one_after_the_other(caller) for caller in range(20)))
        assert len(wire.pool._open) <= 20
    assert whole > 100


@on_both_loops
async def test_to_close_the_pool_closes_idle_and_busy_connections() -> None:
    gone = 0

    async def serve(peer: Peer) -> None:
        nonlocal gone
        await peer.request()
        if peer.number == 0:
            await peer.send(OK)
        await peer.gone()
        gone += 1

    async with provider(serve) as wire:
        idle = (await wire.call()).connection
        held = wire.pool.idle(wire.origin)
        assert held is idle
        calls = [asyncio.create_task(wire.call()) for _ in range(2)]
        await eventually(lambda: len(wire.peers) == 3, "the calls are under way")
        wire.pool.keep(idle)
        await rounds()
        wire.pool.close()
        for call in calls:
            with pytest.raises(ProviderBrokenError):
                async with asyncio.timeout(LONG_S):
                    await call
        await eventually(lambda: gone == 3, "the provider sees them closed")
        assert not wire.pool._open
        assert wire.pool.idle(wire.origin) is None


@on_both_loops
async def test_connections_that_were_closed_leave_nothing_to_the_garbage_collector() -> None:
    last = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    async with provider(answering(*[last] * 20, close=True)) as wire:
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                connection = (await wire.call()).connection
            del connection
            await eventually(lambda: not wire.pool._open, "all are closed")
            await rounds()
            left = sum(isinstance(thing, Connection) for thing in gc.get_objects())
        finally:
            gc.enable()
    assert left == 0


# what cannot be reached


async def _unreachable(host: str, port: int, *, tls: bool = False, connect_timeout: float = 5) -> None:
    pool = Pool(connect_timeout=connect_timeout, tls=trust_of_this_machine())
    loop = asyncio.get_running_loop()
    with pytest.raises(ProviderUnreachableError):
        await pool.connect(Origin(host, port, tls), loop.time() + LONG_S)
    assert not pool._open
    pool.close()


@on_both_loops
async def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    await _unreachable("127.0.0.1", take_free_port())


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "x" * 64 + ".invalid", "a..invalid", ".invalid", "x." * 130 + "invalid"]
)
@on_both_loops
async def test_a_name_that_leads_nowhere_is_unreachable(host: str, tls: bool) -> None:
    await _unreachable(host, 80, tls=tls)


@on_both_loops
async def test_a_provider_that_takes_no_connections_is_unreachable_after_a_while() -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        began = asyncio.get_running_loop().time()
        await _unreachable("127.0.0.1", full.getsockname()[1], connect_timeout=0.2)
        assert asyncio.get_running_loop().time() - began < allowed_s(2)


@on_both_loops
async def test_a_connection_is_waited_for_no_longer_than_the_exchange() -> None:
    async def serve(peer: Peer) -> None:
        await peer.gone()

    async with provider(serve) as wire:
        began = wire.now
        with pytest.raises(ProviderUnreachableError):
            # It takes the connection, but never speaks TLS.
            await wire.pool.connect(wire.origin._replace(tls=True), wire.now + 0.1)
        assert wire.now - began < allowed_s(2)


@on_both_loops
async def test_a_caller_that_leaves_while_a_connection_is_made_leaves_nothing_behind() -> None:
    gone = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.gone()
        gone.set()

    async with provider(serve) as wire:
        origin = wire.origin._replace(tls=True)
        connecting = asyncio.create_task(wire.pool.connect(origin, wire.now + LONG_S))
        await eventually(lambda: bool(wire.peers), "the provider sees a connection")
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        async with asyncio.timeout(LONG_S):
            await gone.wait()
        assert not wire.pool._open
