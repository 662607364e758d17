"""Whoever sends a small body too slowly is not waited for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lienthong.gateway import forward
from lienthong.gateway.body import RequestBody
from lienthong.kit.problems import ProblemError


async def test_a_body_that_does_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "WHOLE_REQUEST_S", 0.01)
    parts = [{"type": "http.request", "body": b"abc", "more_body": True}]

    async def receive() -> Any:  # noqa: ANN401  ASGI's own messages
        return parts.pop() if parts else await asyncio.Event().wait()

    body = RequestBody(receive, 10, 1000, lambda: None)
    with pytest.raises(ProblemError) as refusal:
        async with asyncio.timeout(5):
            await forward._whole(body)
    assert (refusal.value.code, refusal.value.status) == ("malformed-request", 400)
    assert body.size == 3
