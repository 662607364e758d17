"""Answers without a known end: they pass as they come, and begin and end in the journal."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.ids import uuid7
from tests.integration.gateway.test_gateway_streams import by_hand, of_case, worker_memory_mib
from tests.integration.gateway.world import API, CONSUMER, World, agreement, assert_in_form, service
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.gateway.peers import Exchange

EVERY_S = 0.4
EVENTS = "text/event-stream"
EVENT = b"data: x\n\n"
WITHIN_S = 1.0
"""In which a revocation has to be in force."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway that records every now and then that endless answers go on."""
    world = World(
        tmp_path_factory.mktemp("gateway"),
        endless_record_every_s=EVERY_S,
        caller_timeout_s=2,
        longest_call_s=8,
    )
    try:
        world.start()
        yield world
    finally:
        world.close()


class Stream:
    """A provider's endless answer, whose events a test sends."""

    def __init__(
        self, world: World, name: str, media_type: str = "text/event-stream", *, framing: str = ""
    ) -> None:
        self.path = f"/parcels/{name}"
        self.told = False
        """Whether the provider was told that nobody listens."""
        self._world = world
        self._exchange: Exchange | None = None
        framed = framing or "transfer-encoding: chunked"
        self._head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\n{framed}\r\n\r\n"
        self._chunked = not framing
        self._over = asyncio.Event()
        world.provider.behaviours[self.path] = self._serve

    async def _serve(self, exchange: Exchange) -> None:
        exchange.writer.write(self._head.encode())
        self._exchange = exchange
        gone = asyncio.ensure_future(exchange.reader.read())
        over = asyncio.ensure_future(self._over.wait())
        await asyncio.wait([gone, over], return_when=asyncio.FIRST_COMPLETED)
        self.told = gone.done()
        for task in (gone, over):
            task.cancel()
        await asyncio.gather(gone, over, return_exceptions=True)

    def send(self, event: bytes = EVENT) -> None:
        """Send an event."""
        self._world.wait(lambda: self._exchange is not None, "the provider is called")
        self._world.loop.run(self._send(b"%x\r\n%b\r\n" % (len(event), event) if self._chunked else event))

    def end(self) -> None:
        """End the answer."""
        self._world.loop.run(self._send(b"0\r\n\r\n" if self._chunked else b""))
        self._world.loop.run(self._finish())

    async def _send(self, data: bytes) -> None:
        if self._exchange is not None:
            self._exchange.writer.write(data)

    async def _finish(self) -> None:
        self._over.set()


@contextlib.contextmanager
def listening(world: World, stream: Stream, case: str) -> Iterator[Iterator[bytes]]:
    """What a caller gets of a stream, part by part."""
    with (
        world.client() as client,
        client.stream("GET", f"{API}{stream.path}", headers={"LGSP-Case-Id": case}) as answer,
    ):
        assert answer.status_code == 200
        yield answer.iter_raw()


def kinds(world: World, case: str) -> list[str]:
    """The kinds of the records of a case, in order."""
    return [record["kind"] for record in of_case(world, case)]


def closed(world: World, case: str) -> dict[str, Any]:
    """The record of the end of a case's only call."""
    world.wait(lambda: "call" in kinds(world, case), "the record of the end")
    [record] = [record for record in of_case(world, case) if record["kind"] == "call"]
    return record


def test_events_pass_as_they_come_and_the_call_is_recorded_at_its_beginning_and_its_end(world: World) -> None:
    stream, case = Stream(world, "events"), uuid7()
    events = [b"id: %d\ndata: x\n\n" % number for number in range(3)]
    with listening(world, stream, case) as parts:
        assert kinds(world, case) == ["opening"], "before anything has come of the body"
        for event in events:
            stream.send(event)
            assert next(parts) == event
        stream.end()
        assert list(parts) == []
        assert kinds(world, case)[-1] == "call", "before its caller sees the end"
    records = of_case(world, case)
    assert_in_form(records)
    opening, ended = records[0], records[-1]
    assert ended["opened"] == opening["opened"] <= opening["at"] < ended["answered"]
    assert (ended["response_bytes"], ended["response_sha256"]) == (
        len(b"".join(events)),
        hashlib.sha256(b"".join(events)).hexdigest(),
    )
    assert "answered" not in opening
    assert not {"error", "aborted"} & ended.keys()
    same = ("tx", "client", "service", "operation", "target", "agreement", "purpose", "status", "received")
    assert [opening[member] for member in same] == [ended[member] for member in same]
    assert len({record["id"] for record in records}) == len(records)


def test_it_is_recorded_now_and_then_that_a_stream_goes_on(world: World) -> None:
    stream, case = Stream(world, "goes-on"), uuid7()
    with listening(world, stream, case) as parts:
        stream.send()
        assert next(parts) == EVENT
        world.wait(lambda: kinds(world, case).count("continuing") >= 2, "two records that it goes on")
        stream.end()
        list(parts)
    records = of_case(world, case)
    assert_in_form(records)
    assert [records[0]["kind"], records[-1]["kind"]] == ["opening", "call"]
    for record in records[1:-1]:
        assert record["response_bytes"] == len(EVENT)
        assert record["response_sha256"] == hashlib.sha256(EVENT).hexdigest()


@pytest.mark.parametrize(
    ("media_type", "framing", "opened"),
    [
        ("text/event-stream; charset=utf-8", "", True),
        ("Text/Event-Stream", "connection: close", True),
        ("application/x-ndjson", "", True),
        ("application/geo+json-seq", "", True),
        ("application/json", "", False),
        ("text/event-stream", f"content-length: {len(EVENT)}", False),
    ],
)
def test_what_passes_as_it_comes_is_told_by_its_media_type(
    world: World, media_type: str, framing: str, opened: bool
) -> None:
    stream, case = Stream(world, f"of-{uuid7()}", media_type, framing=framing), uuid7()
    with socket.create_connection(("127.0.0.1", world.port), timeout=10) as connection:
        connection.sendall(
            f"GET {API}{stream.path} HTTP/1.1\r\nHost: x\r\nLGSP-Case-Id: {case}\r\n"
            f"Authorization: Bearer {world.token()}\r\nConnection: close\r\n\r\n".encode()
        )
        if opened:
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        stream.send()
        received = b""
        while opened and EVENT not in received:
            received += connection.recv(1 << 16)
        stream.end()
        while part := connection.recv(1 << 16):
            received += part
    assert EVENT in received
    closed(world, case)
    assert ("opening" in kinds(world, case)) is opened


def test_a_head_is_no_stream(world: World) -> None:
    async def answer(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")

    world.provider.behaviours["/parcels/head"] = answer
    case = uuid7()
    with world.client() as client:
        assert client.head(f"{API}/parcels/head", headers={"LGSP-Case-Id": case}).status_code == 200
    assert kinds(world, case) == ["call"]


def revoke(world: World) -> None:
    world.change(agreement(status=routes_pb2.AGREEMENT_STATUS_REVOKED))


def suspend(world: World) -> None:
    world.loop.run(_call(lambda: world.identity.suspend(CONSUMER)))


def remove_key(world: World) -> None:
    world.loop.run(_call(world.identity.rotate))


def narrow(world: World) -> None:
    world.change(agreement(operations=["listParcels"]))


def suspend_service(world: World) -> None:
    world.change(service([world.provider.url], suspended=True))


def restore(world: World) -> None:
    """Put back what a test has revoked."""
    suspended: list[str] = []
    world.loop.run(_call(lambda: world.identity.suspend(*suspended)))
    world.change(service([world.provider.url]), agreement())
    with world.client() as client:
        world.wait(lambda: client.get(f"{API}/parcels/1").status_code == 200, "calls pass again")


async def _call(act: Callable[[], object]) -> None:
    act()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (revoke, "agreement-revoked"),
        (World.remove_agreement, "no-agreement"),
        (narrow, "operation-not-in-agreement"),
        (suspend, "client-suspended"),
        (remove_key, "token-refused"),
        (suspend_service, "unknown-service"),
    ],
)
def test_a_stream_ends_within_a_second_when_it_would_not_be_allowed_any_more(
    world: World, act: Callable[[World], None], code: str
) -> None:
    stream, case = Stream(world, code), uuid7()
    try:
        with listening(world, stream, case) as parts:
            stream.send()
            assert next(parts) == EVENT
            act(world)
            began = time.monotonic()
            with pytest.raises(httpx.RemoteProtocolError):
                next(parts)
            assert time.monotonic() - began < allowed_s(WITHIN_S)
        record = closed(world, case)
        assert (record["status"], record["error"], record["aborted"]) == (200, code, True)
        world.wait(lambda: stream.told, "the provider is told")
    finally:
        restore(world)


def test_a_stream_ends_with_its_agreement(world: World) -> None:
    world.change(agreement(valid_to=datetime.now(UTC) + timedelta(seconds=4)))
    try:
        stream, case = Stream(world, "expires"), uuid7()
        with listening(world, stream, case) as parts, pytest.raises(httpx.RemoteProtocolError):
            next(parts)
        assert closed(world, case)["error"] == "agreement-expired"
    finally:
        restore(world)


def test_a_stream_outlives_its_token_and_changes_that_do_not_concern_it(world: World) -> None:
    stream, case = Stream(world, "outlives"), uuid7()
    now = int(time.time())
    with (
        world.client(world.token(iat=now - 10, exp=now + 1)) as client,
        client.stream("GET", f"{API}{stream.path}", headers={"LGSP-Case-Id": case}) as answer,
    ):
        assert answer.status_code == 200
        world.change(agreement(purposes=["another", "land-procedure"]), agreement("another"))
        world.wait(lambda: time.time() > now + 2, "the token has expired")
        stream.send()
        assert next(answer.iter_raw()) == EVENT
        stream.end()
    restore(world)


def test_the_provider_is_told_when_the_caller_leaves(world: World) -> None:
    stream, case = Stream(world, "left"), uuid7()
    with listening(world, stream, case) as parts:
        stream.send()
        assert next(parts) == EVENT
    world.wait(lambda: stream.told, "the provider is told")
    record = closed(world, case)
    assert record["aborted"] is True
    assert "error" not in record
    assert record["response_bytes"] == len(EVENT)


def test_who_does_not_read_holds_the_provider_back_and_is_blamed(world: World) -> None:
    sent = 0

    async def eager(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        event = b"data: %b\n\n" % (b"x" * 50_000)
        while True:
            exchange.writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await exchange.writer.drain()
            sent += len(event)

    world.provider.behaviours["/parcels/eager"] = eager
    before, case = worker_memory_mib(world), uuid7()
    with by_hand(world, "/parcels/eager", "1.1", f"LGSP-Case-Id: {case}"):
        record = closed(world, case)
        assert sent < 100 << 20, "more than the kernel's buffers hold"
        assert worker_memory_mib(world) - before < 64
    assert (record["error"], record["aborted"]) == ("caller-stalled", True)


def test_a_provider_that_falls_silent_is_blamed(world: World) -> None:
    world.change(service([world.provider.url], timeouts=routes_pb2.Timeouts(first_byte_ms=2000, idle_ms=500)))
    stream, case = Stream(world, "silent"), uuid7()
    with listening(world, stream, case) as parts, pytest.raises(httpx.RemoteProtocolError):
        next(parts)
    record = closed(world, case)
    assert (record["error"], record["aborted"]) == ("provider-timeout", True)
    restore(world)


def test_a_stream_whose_time_is_over_ends_as_if_it_were_complete(world: World) -> None:
    world.change(service([world.provider.url], timeouts=routes_pb2.Timeouts(total_ms=3000)))
    stream, case = Stream(world, "over"), uuid7()
    with listening(world, stream, case) as parts:
        stream.send()
        assert list(parts) == [EVENT]
    record = closed(world, case)
    assert record["error"] == "answer-ended"
    assert "aborted" not in record
    world.wait(lambda: stream.told, "the provider is told")
    restore(world)


def test_streams_are_counted_while_they_are_open(world: World) -> None:
    def open_answers() -> list[str]:
        text = httpx.get(f"http://127.0.0.1:{world.health_port}/metrics", trust_env=False).text
        return re.findall(r"^lienthong_answers_endless{.*} (.*)$", text, re.MULTILINE)

    stream, case = Stream(world, "counted"), uuid7()
    with listening(world, stream, case):
        world.wait(lambda: open_answers() == ["1.0"], "it is counted")
        stream.end()
    closed(world, case)
    world.wait(lambda: open_answers() == ["0.0"], "it is counted no more")


def test_streams_end_when_the_gateway_stops_and_are_recorded(new_world: Callable[..., World]) -> None:
    world = new_world()
    world.start()
    stream, case = Stream(world, "stopping"), uuid7()
    with listening(world, stream, case) as parts:
        stream.send()
        assert next(parts) == EVENT
        began = time.monotonic()
        assert world.stop_gateway(signal.SIGTERM) == 0
        assert time.monotonic() - began < allowed_s(10), "calls under way may take 15 seconds"
        assert list(parts) == []
    record = closed(world, case)
    assert record["error"] == "answer-ended"
    assert "aborted" not in record


def test_the_end_of_a_stream_that_a_kill_cuts_off_is_recorded_by_the_next_gateway(
    new_world: Callable[..., World],
) -> None:
    world = new_world()
    world.start()
    stream, ended, case, of_ended = Stream(world, "killed"), Stream(world, "ended"), uuid7(), uuid7()
    with listening(world, ended, of_ended):
        ended.end()
    closed(world, of_ended)
    with listening(world, stream, case) as parts:
        stream.send()
        assert next(parts) == EVENT
        world.wait(lambda: list((world.folder / "home/gateway/open").glob("*/*")), "it is noted on disk")
        world.kill_gateway()
        with pytest.raises(httpx.HTTPError):
            next(parts)
    assert kinds(world, case) == ["opening"]
    for _ in range(2):
        world.start()
        record = closed(world, case)
        assert (record["status"], record["error"], record["aborted"]) == (200, "gateway-lost", True)
        assert record["opened"] == of_case(world, case)[0]["opened"]
        assert_in_form(of_case(world, case))
        assert world.stop_gateway() == 0
    assert kinds(world, of_ended) == ["opening", "call"]
    assert list((world.folder / "home/gateway/open").iterdir()) == []
