"""Answers: where each begins and ends, and what comes between them."""

from __future__ import annotations

import asyncio

import pytest

from lienthong.gateway.http1.errors import ProviderBrokenError
from tests.integration.gateway.http1.wire import (
    CHUNKED,
    FORGED,
    KERNEL_BYTES,
    LONG_S,
    MIB,
    OK,
    SECOND,
    Peer,
    answering,
    on_both_loops,
    provider,
    rounds,
)
from tests.support.waiting import eventually

# answers without a body


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"),
        ("HEAD", CHUNKED),
        ("GET", b"HTTP/1.1 204 No Content\r\ncontent-length: 1000\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 1000\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    ],
)
@on_both_loops
async def test_an_answer_without_a_body_is_whole_at_once_and_the_next_one_is_read_as_it_is(
    method: str, answer: bytes
) -> None:
    async with provider(answering(answer, OK, answer, SECOND)) as wire:
        for follower in (b"ok", b"second"):
            bare = await wire.call(method)
            assert (bare.status, bare.body) == (int(answer[9:12]), b"")
            after = await wire.call()
            assert after.body == follower
            assert after.connection is bare.connection
    assert len(wire.peers) == 1


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("later", [False, True])
@on_both_loops
async def test_a_body_that_must_not_be_there_is_never_read_as_the_next_answer(
    method: str, later: bool
) -> None:
    status = b"200 OK" if method == "HEAD" else b"304 Not Modified"
    head = b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n" % (status, len(FORGED))
    first = (head, FORGED) if later else (head + FORGED,)
    async with provider(answering(first, OK)) as wire:
        assert (await wire.call(method)).body == b""
        await rounds()
        assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 2


# interim answers


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\nx-early: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early\r\nx: 1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("apart", [False, True])
@on_both_loops
async def test_interim_answers_are_passed_over(interim: bytes, apart: bool) -> None:
    first = (interim, OK) if apart else interim + OK
    async with provider(answering(first, SECOND)) as wire:
        got = await wire.call()
        assert (got.status, got.fields, got.body) == (200, [(b"content-length", b"2")], b"ok")
        assert (await wire.call()).body == b"second"
    assert len(wire.peers) == 1


@on_both_loops
async def test_interim_answers_without_end_are_given_up() -> None:
    sent = 0

    async def serve(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        sent = await peer.flood(b"HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\n" * 20, most=100 * MIB)

    async with provider(serve) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call()
    assert sent < KERNEL_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n" + OK,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK,
    ],
)
@on_both_loops
async def test_a_switch_of_protocols_is_refused(answer: bytes) -> None:
    async with provider(answering(answer)) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call(deadline_s=LONG_S)
        assert wire.pool.idle(wire.origin) is None


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    "framing", [b"content-length: 0", b"content-length: 5", b"transfer-encoding: chunked"]
)
@on_both_loops
async def test_an_interim_answer_that_declares_a_body_is_refused_however_it_is_cut(
    framing: bytes, apart: bool
) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n%b\r\n\r\n" % framing
    async with provider(answering((interim, OK) if apart else interim + OK)) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call(deadline_s=LONG_S)
        assert wire.pool.idle(wire.origin) is None


@pytest.mark.parametrize("status", [b"000", b"099"])
@on_both_loops
async def test_a_status_below_100_is_refused_at_once(status: bytes) -> None:
    async with provider(answering(b"HTTP/1.1 %b X\r\n\r\n" % status + OK)) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call(deadline_s=LONG_S)


@on_both_loops
async def test_an_offer_to_upgrade_passes() -> None:
    offer = b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\ncontent-length: 2\r\n\r\nok"
    async with provider(answering(offer, SECOND)) as wire:
        assert (await wire.call()).body == b"ok"
        assert (await wire.call()).body == b"second"
    assert len(wire.peers) == 1


# what nobody asked for


@pytest.mark.parametrize("surplus", [FORGED, b"HTTP/1.1 2", b"H", b"\0", b"garbage\r\n\r\n"])
@pytest.mark.parametrize("answer", [OK, CHUNKED + b"2\r\nok\r\n0\r\n\r\n"])
@pytest.mark.parametrize("later", [False, True])
@on_both_loops
async def test_bytes_after_an_answer_are_never_read_as_the_next_one(
    answer: bytes, surplus: bytes, later: bool
) -> None:
    async with provider(answering((answer, surplus) if later else answer + surplus, SECOND)) as wire:
        first = await wire.call()
        assert (first.status, first.body) == (200, b"ok")
        await rounds()
        second = await wire.call()
        assert (second.status, second.body) == (201, b"second")
        assert second.connection is not first.connection
    assert len(wire.peers) == 2


@pytest.mark.parametrize("later", [False, True])
@on_both_loops
async def test_a_line_break_after_an_answer_does_no_harm(later: bool) -> None:
    async with provider(answering((OK, b"\r\n") if later else OK + b"\r\n", SECOND)) as wire:
        assert (await wire.call()).body == b"ok"
        await rounds()
        second = await wire.call()
        assert (second.status, second.fields, second.body) == (201, [(b"content-length", b"6")], b"second")


@pytest.mark.parametrize("greeting", [b"", FORGED])
@on_both_loops
async def test_a_request_on_a_connection_that_is_gone_fails_at_once(greeting: bytes) -> None:
    """It may go at the moment at which it stands; what came on it unasked is no answer."""
    go_on = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(greeting)

    async with provider(serve) as wire:
        connection = await wire.take()
        go_on.set()
        await eventually(lambda: not connection.open, "the end is seen")
        await rounds()
        wire.begin(connection, deadline_s=LONG_S)
        with pytest.raises(ProviderBrokenError):
            await connection.head()
        connection.end()


# the end of an answer


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@on_both_loops
async def test_an_answer_that_lasts_until_the_connection_closes_is_whole(version: bytes) -> None:
    body = b"x" * 700_000
    async with provider(answering(b"HTTP/%b 200 OK\r\n\r\n" % version + body, OK, close=True)) as wire:
        assert (await wire.call()).body == body
        assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 2


@pytest.mark.parametrize(
    "cut_off",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nx: 1\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        CHUNKED,
        CHUNKED + b"2\r\nok\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\nx: 1\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
    ],
)
@on_both_loops
async def test_an_answer_that_is_cut_off_is_not_taken_as_whole(cut_off: bytes) -> None:
    async with provider(answering(cut_off, close=True)) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        CHUNKED[:-2] + b"connection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
@on_both_loops
async def test_a_connection_that_the_provider_is_about_to_close_is_not_kept(answer: bytes) -> None:
    async with provider(answering(answer, SECOND)) as wire:
        assert (await wire.call()).body == b"ok"
        assert wire.pool.idle(wire.origin) is None
        assert (await wire.call()).body == b"second"
    assert len(wire.peers) == 2


@on_both_loops
async def test_a_connection_of_http_1_0_is_kept_when_the_provider_says_so() -> None:
    old = b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"
    async with provider(answering(old, old)) as wire:
        for _ in range(2):
            assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 1
