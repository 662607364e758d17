"""Large bodies, cut-off bodies, and callers that go away."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.kit.ids import uuid7
from tests.integration.gateway.world import API, assert_in_form, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.peers import Behaviour, Exchange
    from tests.integration.gateway.world import World

MIB = 1 << 20
PIECE = os.urandom(MIB)


def stream_of(size_mib: int, *, declared: bool) -> Behaviour:
    """A behaviour that sends `size_mib` MiB."""

    async def streaming(exchange: Exchange) -> None:
        framing = f"content-length: {size_mib * MIB}" if declared else "transfer-encoding: chunked"
        exchange.writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        for _ in range(size_mib):
            exchange.writer.write(PIECE if declared else b"%x\r\n%b\r\n" % (MIB, PIECE))
            await exchange.writer.drain()
        if not declared:
            exchange.writer.write(b"0\r\n\r\n")
        await exchange.writer.drain()

    return streaming


def digest_of(size_mib: int) -> str:
    digest = hashlib.sha256()
    for _ in range(size_mib):
        digest.update(PIECE)
    return digest.hexdigest()


def worker_memory_mib(world: World) -> float:
    """What the gateway's worker holds in memory."""
    pages = [int(Path(f"/proc/{worker}/statm").read_text().split()[1]) for worker in world.workers]
    return max(pages) * os.sysconf("SC_PAGE_SIZE") / MIB


def arrived(world: World, case: str) -> bool:
    """Whether the call of this case has reached the provider."""
    return any(exchange.header("lgsp-case-id") == case for exchange in world.provider.seen)


def of_case(world: World, case: str) -> list[dict[str, Any]]:
    """The records of a case."""
    return [record for record in world.records() if record.get("case") == case]


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_answer_streams_through_and_is_recorded(world: World, declared: bool) -> None:
    world.change(service([world.provider.url], timeout_ms=60_000, max_request_bytes=1 << 30))
    world.provider.behaviours["/parcels/large"] = stream_of(200, declared=declared)
    before = worker_memory_mib(world)
    size, digest = 0, hashlib.sha256()
    with world.client() as client, client.stream("GET", f"{API}/parcels/large") as answer:
        for chunk in answer.iter_raw():
            size += len(chunk)
            digest.update(chunk)
    assert (size, digest.hexdigest()) == (200 * MIB, digest_of(200))
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["response_bytes"], record["response_sha256"]) == (size, digest.hexdigest())
    assert worker_memory_mib(world) - before < 64


@pytest.mark.parametrize("declared", [True, False])
def test_a_large_body_streams_through_and_is_recorded(world: World, declared: bool) -> None:
    world.change(service([world.provider.url], timeout_ms=60_000, max_request_bytes=1 << 30))
    received: list[tuple[int, str]] = []

    async def counting(exchange: Exchange) -> None:
        size, digest = 0, hashlib.sha256()
        if exchange.header("content-length") is not None:
            left = int(exchange.header("content-length") or 0)
            while left:
                piece = await exchange.reader.read(min(left, MIB))
                left -= len(piece)
                size += len(piece)
                digest.update(piece)
        else:
            while length := int(await exchange.reader.readline(), 16):
                piece = await exchange.reader.readexactly(length)
                await exchange.reader.readline()
                size += len(piece)
                digest.update(piece)
            await exchange.reader.readline()
        received.append((size, digest.hexdigest()))
        await exchange.answer()

    counting.streams = True  # type: ignore[attr-defined]
    world.provider.behaviours["/parcels"] = counting

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield PIECE

    with world.client() as client:
        headers = {"Content-Length": str(100 * MIB)} if declared else {}
        before = worker_memory_mib(world)
        answer = client.post(f"{API}/parcels", content=pieces(), headers=headers)
    assert answer.status_code == 200
    assert received == [(100 * MIB, digest_of(100))]
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["request_bytes"], record["request_sha256"]) == received[0]
    assert worker_memory_mib(world) - before < 64
    del world.provider.behaviours["/parcels"]


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_that_the_provider_cuts_off_is_cut_off_for_the_caller_too(
    world: World, declared: bool
) -> None:
    async def cut_off(exchange: Exchange) -> None:
        framing = f"content-length: {4 * MIB}" if declared else "transfer-encoding: chunked"
        exchange.writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        exchange.writer.write(PIECE if declared else b"%x\r\n%b\r\n" % (MIB, PIECE))
        await exchange.writer.drain()
        exchange.writer.close()

    world.provider.behaviours["/parcels/cut"] = cut_off
    with world.client() as client, client.stream("GET", f"{API}/parcels/cut") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    tx = answer.headers["lgsp-transaction-id"]
    world.wait(lambda: any(record["tx"] == tx for record in world.records()), "the record")
    record = world.record(tx)
    assert (record["aborted"], record["error"], record["status"]) == (True, "provider-broken", 200)


def by_hand(world: World, path: str, version: str, *fields: str) -> socket.socket:
    """A connection on which one request was sent, byte by byte as it is."""
    connection = socket.create_connection(("127.0.0.1", world.port), timeout=20)
    head = [f"GET {API}{path} HTTP/{version}", "Host: x", f"Authorization: Bearer {world.token()}", *fields]
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def read_to_end(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass


def test_an_answer_without_a_length_that_is_cut_off_ends_in_a_reset(world: World) -> None:
    async def cut_off(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        exchange.writer.write(b"%x\r\n%b\r\n" % (MIB, PIECE))
        await exchange.writer.drain()
        exchange.writer.close()

    world.provider.behaviours["/parcels/cut"] = cut_off
    with by_hand(world, "/parcels/cut", "1.0") as connection, pytest.raises(ConnectionResetError):
        read_to_end(connection)


def test_a_last_answer_arrives_whole_whatever_its_caller_sends_meanwhile(world: World) -> None:
    world.provider.behaviours["/parcels/whole"] = answering(PIECE[: 200 * 1024])
    for _ in range(10):
        received = b""
        with by_hand(world, "/parcels/whole", "1.1", "Connection: close") as connection:
            while part := connection.recv(1024 if len(received) < 8192 else 1 << 16):
                if len(received) < 8192:
                    connection.sendall(b"GET / HTTP/1.1\r\n")
                    time.sleep(0.005)
                received += part
        assert received.partition(b"\r\n\r\n")[2] == PIECE[: 200 * 1024]


def answering(body: bytes) -> Behaviour:
    """A behaviour that answers with this body."""

    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await exchange.writer.drain()

    return answer


def test_a_caller_that_goes_away_is_recorded_as_aborted_and_the_provider_is_told(world: World) -> None:
    told: list[bytes] = []

    async def slow(exchange: Exchange) -> None:
        told.append(await exchange.reader.read())

    world.provider.behaviours["/parcels/waiting"] = slow
    case = uuid7()
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall(
            f"GET {API}/parcels/waiting HTTP/1.1\r\nHost: x\r\nLGSP-Case-Id: {case}\r\n"
            f"Authorization: Bearer {world.token()}\r\n\r\n".encode()
        )
        world.wait(lambda: arrived(world, case), "the request")
    world.wait(lambda: of_case(world, case), "the record")
    world.wait(lambda: told == [b""], "the provider is told")
    (record,) = of_case(world, case)
    assert record["aborted"] is True
    assert record["operation"] == "getParcel"
    assert "status" not in record
    assert "answered" not in record


def test_a_caller_that_goes_away_during_an_upload_is_recorded_as_aborted(world: World) -> None:
    async def taking(exchange: Exchange) -> None:
        await exchange.reader.read()

    taking.streams = True  # type: ignore[attr-defined]
    world.provider.behaviours["/parcels"] = taking
    case = uuid7()
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall(
            f"POST {API}/parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nLGSP-Case-Id: {case}\r\n"
            f"Authorization: Bearer {world.token()}\r\n\r\n".encode()
            + b"x" * 100_000
        )
        world.wait(lambda: arrived(world, case), "the request")
    world.wait(lambda: of_case(world, case), "the record")
    del world.provider.behaviours["/parcels"]
    (record,) = of_case(world, case)
    assert record["aborted"] is True
    assert 0 < record["request_bytes"] <= 100_000


def test_a_caller_that_goes_away_during_a_download_is_recorded_as_aborted(world: World) -> None:
    world.provider.behaviours["/parcels/large"] = stream_of(100, declared=True)
    with world.client() as client, client.stream("GET", f"{API}/parcels/large") as answer:
        next(answer.iter_raw())
        tx = answer.headers["lgsp-transaction-id"]
    world.wait(lambda: any(record["tx"] == tx for record in world.records()), "the record")
    record = world.record(tx)
    assert record["aborted"] is True
    assert record["response_bytes"] < 100 * MIB


def test_a_body_that_is_still_sent_while_the_answer_streams_is_recorded_whole(world: World) -> None:
    async def echo(exchange: Exchange) -> None:
        exchange.writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {2 * MIB}\r\n\r\n".encode())
        left = 2 * MIB
        while left:
            piece = await exchange.reader.read(min(left, 1 << 16))
            left -= len(piece)
            exchange.writer.write(piece)
            await exchange.writer.drain()

    echo.streams = True  # type: ignore[attr-defined]
    world.provider.behaviours["/parcels"] = echo
    with world.client() as client:
        answer = client.post(f"{API}/parcels", content=PIECE * 2)
    assert answer.content == PIECE * 2
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["request_bytes"], record["request_sha256"]) == (2 * MIB, digest_of(2))
    del world.provider.behaviours["/parcels"]


def test_a_slow_reader_holds_the_provider_back(world: World) -> None:
    world.change(service([world.provider.url], timeout_ms=60_000, max_request_bytes=1 << 30))
    sent = 0

    async def eager(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {300 * MIB}\r\n\r\n".encode())
        for _ in range(300):
            exchange.writer.write(PIECE)
            await exchange.writer.drain()
            sent += MIB

    world.provider.behaviours["/parcels/eager"] = eager
    before = worker_memory_mib(world)
    with world.client() as client, client.stream("GET", f"{API}/parcels/eager") as answer:
        next(answer.iter_raw())
        time.sleep(1.5)
        assert sent < 200 * MIB, "more than the kernel's buffers hold"
        assert worker_memory_mib(world) - before < 64


def test_every_record_of_broken_off_and_aborted_calls_has_the_documented_form(world: World) -> None:
    with world.client() as client:
        client.get(f"{API}/parcels/1")
        client.get(f"{API}/nothing")
    assert_in_form(world.records())
