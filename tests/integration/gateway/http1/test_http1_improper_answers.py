"""What is no proper answer is refused, and what is one is the same however it is cut."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lienthong.gateway.http1.connection import MAX_FIELDS, MAX_HEAD_BYTES
from lienthong.gateway.http1.errors import ProviderBrokenError
from lienthong.gateway.response_headers import passed_headers
from tests.integration.gateway.http1.wire import (
    CHUNKED,
    KERNEL_BYTES,
    LONG_S,
    LOOPS,
    MIB,
    OK,
    SECOND,
    Peer,
    answering,
    on_both_loops,
    provider,
    refused,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


# what is no proper answer


def _with(fields: bytes, body: bytes = b"ok") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (fields, body)


@pytest.mark.parametrize(
    "answer",
    [
        # Two lengths: llhttp refuses each of these.
        _with(b"content-length: 2\r\ntransfer-encoding: chunked", b"2\r\nok\r\n0\r\n\r\n"),
        _with(b"transfer-encoding: chunked\r\ncontent-length: 2", b"2\r\nok\r\n0\r\n\r\n"),
        _with(b"transfer-encoding: identity\r\ncontent-length: 2"),
        _with(b"content-length: 2\r\ncontent-length: 3"),
        _with(b"content-length: 2, 3"),
        # No statuses.
        b"HTTP/1.1 600 Beyond\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 999 Request denied\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 099 Below\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 000 Nothing\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 20 Short\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 2000 Long\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 -200 Minus\r\ncontent-length: 2\r\n\r\nok",
        # Too many fields.
        _with(b"content-length: 2" + b"\r\na: 1" * MAX_FIELDS),
        _with(b"content-length: 2" + b"\r\na:" * 5000),
        # No lengths.
        _with(b"content-length: -2"),
        _with(b"content-length: +2"),
        _with(b"content-length: 0x2"),
        _with(b"content-length: 2 2"),
        _with(b"content-length: two"),
        _with(b"content-length:"),
        _with(b"content-length: 99999999999999999999999"),
        _with(b"content-length : 2"),
        # No chunks.
        CHUNKED + b"-2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2 \r\nok\r\n0\r\n\r\n",
        CHUNKED + b"\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nokk\r\n0\r\n\r\n",
        CHUNKED + b"2;a\nb\r\nok\r\n0\r\n\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\ncontent-length: 5\r\n\r\n",
        # No fields.
        _with(b"x: a\0b\r\ncontent-length: 2"),
        _with(b"x: a\rb: c\r\ncontent-length: 2"),
        _with(b"x: a\nb: c\r\ncontent-length: 2"),
        _with(b"x: a\x07b\r\ncontent-length: 2"),
        _with(b"x: a\r\n folded\r\ncontent-length: 2"),
        _with(b" x: a\r\ncontent-length: 2"),
        _with(b"x\0y: a\r\ncontent-length: 2"),
        _with(b"x y: a\r\ncontent-length: 2"),
        _with(b": a\r\ncontent-length: 2"),
        _with(b"no colon\r\ncontent-length: 2"),
        # No status lines.
        b"ok",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 2x0 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.9 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        b"HTTP/1.1 200 O\rK\r\ncontent-length: 2\r\n\r\nok",
    ],
)
@on_both_loops
async def test_what_is_no_proper_answer_is_refused(answer: bytes) -> None:
    async with provider(answering(answer, OK)) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call(deadline_s=LONG_S)
        assert (await wire.call()).body == b"ok"
    assert len(wire.peers) == 2


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"chunked, chunked"])
@on_both_loops
async def test_a_body_whose_coding_the_caller_would_not_be_told_is_refused(coding: bytes) -> None:
    answer = _with(b"transfer-encoding: " + coding, b"2\r\nok\r\n0\r\n\r\n")
    async with provider(answering(answer)) as wire:
        await refused(wire)


@on_both_loops
async def test_fields_pass_as_they_are_without_the_space_around_them() -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Empty:\r\nx-none: \r\nX-Both: \t a  b \t \r\ncontent-length: 2 \r\n\r\nok"
    expected = [(b"X-Empty", b""), (b"x-none", b""), (b"X-Both", b"a  b"), (b"content-length", b"2")]
    async with provider(answering(answer)) as wire:
        got = await wire.call()
        assert (got.fields, got.body) == (expected, b"ok")
        assert passed_headers(got.fields, from_platform=False).length == 2


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"HTTP/1.1 200 O", b"K" * 1000),
        (b"HTTP/1.1 200 OK\r\nx: ", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"x-name: x\r\n" * 100),
        (b"", b"\r\n" * 500),
        (CHUNKED + b"2\r\nok\r\n0\r\n", b"x-name: x\r\n" * 100),
        (CHUNKED + b"2\r\nok\r\n0\r\nx: ", b"x" * 1000),
        (CHUNKED + b"2;a=", b"b" * 1000),
        (CHUNKED, b"0" * 1000),
    ],
)
@on_both_loops
async def test_what_has_no_end_is_given_up_and_takes_no_memory(begin: bytes, piece: bytes) -> None:
    sent = 0

    async def serve(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(begin)
        sent = await peer.flood(piece, most=100 * MIB)

    async with provider(serve) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call()
    assert sent < KERNEL_BYTES


@on_both_loops
async def test_fields_as_large_as_is_allowed_pass() -> None:
    large = b"x" * (MAX_HEAD_BYTES - 1000)
    answer = b"HTTP/1.1 200 OK\r\nx: %b\r\ncontent-length: 2\r\n\r\nok" % large
    async with provider(
        answering(tuple(answer[at : at + 10_000] for at in range(0, len(answer), 10_000)))
    ) as wire:
        got = await wire.call()
        assert (values(got, b"x"), got.body) == ([large], b"ok")


@on_both_loops
async def test_what_is_small_many_times_over_is_not_taken_for_large() -> None:
    """Chunks with extensions: their sum is more than a head may have, each of them is not."""
    part = b"1;a=%b\r\nx\r\n" % (b"b" * 1000)
    async with provider(answering((CHUNKED, *([part * 10] * 20), b"0\r\n\r\n"))) as wire:
        assert (await wire.call()).body == b"x" * 200


@on_both_loops
async def test_trailers_are_dropped_and_do_not_reach_the_next_exchange() -> None:
    trailers = CHUNKED + b"2\r\nok\r\n0\r\nx-first: 1\r\nx-last: 2\r\n\r\n"
    async with provider(answering(trailers, SECOND)) as wire:
        first = await wire.call()
        assert (first.fields, first.body) == ([(b"transfer-encoding", b"chunked")], b"ok")
        second = await wire.call()
        assert (second.fields, second.body) == ([(b"content-length", b"6")], b"second")
    assert len(wire.peers) == 1


@on_both_loops
async def test_fields_that_are_too_large_are_refused_though_they_come_at_once() -> None:
    large = b"x: " + b"y" * MAX_HEAD_BYTES + b"\r\ncontent-length: 2"
    async with provider(
        answering(b"HTTP/1.1 200 OK\r\n" + large + b"\r\ncontent-length: 2\r\n\r\nok")
    ) as wire:
        await refused(wire)


@on_both_loops
async def test_the_head_of_an_interim_answer_is_bounded_like_the_last_one() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\n%b\r\n\r\n"
    large = b"x: " + b"y" * (MAX_HEAD_BYTES // 2)
    final = b"HTTP/1.1 200 OK\r\n" + large + b"\r\ncontent-length: 2\r\n\r\nok"
    for answer in (early % b"\r\n".join([b"a: 1"] * (MAX_FIELDS + 1)) + OK, early % large + final):
        async with provider(answering(answer)) as wire:
            await refused(wire)


@on_both_loops
async def test_a_length_of_thousands_of_digits_is_refused() -> None:
    length = b"content-length: " + b"0" * 6000 + b"2"
    async with provider(answering(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\nok")) as wire:
        await refused(wire)


# segments

_ANSWERS = (
    OK,
    b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nX-A:\r\nX-B: \r\nX-C: 1\r\nx-c: 2\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: <a>\r\n\r\n" + SECOND,
    CHUNKED + b'5\r\nhello\r\n6;ext="1"\r\n world\r\n0\r\nx-trailer: 1\r\nx-t2:\r\n\r\n',
    b"HTTP/1.1 204 No Content\r\ncontent-length: 3\r\nx: \xe1\xba\xa4p\r\n\r\n",
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(_ANSWERS), st.sets(st.integers(1, 200), max_size=12)),
        min_size=1,
        max_size=4,
    )
)
@example([(answer, set(range(200))) for answer in _ANSWERS])
@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_is_the_same_however_it_is_cut(loop: str, drawn: list[tuple[bytes, set[int]]]) -> None:
    def cut(answer: bytes, at: Iterable[int]) -> tuple[bytes, ...]:
        edges = [0, *sorted(edge for edge in at if 0 < edge < len(answer)), len(answer)]
        return tuple(answer[start:end] for start, end in itertools.pairwise(edges))

    async def read(segments: list[tuple[bytes, ...]]) -> list[tuple[int, list[tuple[bytes, bytes]], bytes]]:
        found = []
        async with provider(answering(*segments)) as wire:
            for _ in segments:
                got = await wire.call()
                found.append((got.status, got.fields, got.body))
        assert len(wire.peers) == 1
        return found

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        whole = runner.run(read([(answer,) for answer, _ in drawn]))
        assert runner.run(read([cut(answer, at) for answer, at in drawn])) == whole
    assert all(status >= 200 for status, _, _ in whole)


@on_both_loops
async def test_as_many_fields_as_are_allowed_and_the_last_status_pass() -> None:
    fields = b"content-length: 2" + b"\r\na: 1" * (MAX_FIELDS - 1)
    async with provider(answering(b"HTTP/1.1 599 Last\r\n%b\r\n\r\nok" % fields)) as wire:
        got = await wire.call()
        assert (got.status, len(got.fields), got.body) == (599, MAX_FIELDS, b"ok")
