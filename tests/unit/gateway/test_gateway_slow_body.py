"""Whoever sends a body too slowly is not waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lienthong.gateway.body import RequestBody
from lienthong.kit.problems import ProblemError


def a_slow_body(*parts: bytes, pause: float = 60, timeout_s: float = 0.01) -> RequestBody:
    """A body of ten bytes whose parts come one after another, with pauses between them."""
    left = list(parts)

    async def receive() -> Any:  # noqa: ANN401  ASGI's own messages
        if len(left) < len(parts):
            await asyncio.sleep(pause)
        if not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    return RequestBody(receive, 10, 1000, lambda: None, timeout_s=timeout_s)


async def test_a_small_body_has_to_be_here_in_time() -> None:
    body = a_slow_body(b"abc", b"def", pause=0.03, timeout_s=0.05)
    with pytest.raises(ProblemError) as refusal:
        await body.whole()
    assert (refusal.value.code, refusal.value.status) == ("request-timeout", 408)
    assert body.size == 6


async def test_of_a_large_body_the_next_part_has_to_be_here_in_time() -> None:
    body = a_slow_body(b"abc", b"def", pause=0.03, timeout_s=0.05)
    parts = body.chunks()
    assert [await anext(parts), await anext(parts)] == [b"abc", b"def"]
    with pytest.raises(ProblemError) as refusal:
        await anext(parts)
    assert (refusal.value.code, refusal.value.status) == ("request-timeout", 408)
