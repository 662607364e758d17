"""A worker that is told to stop ends, whatever does not end while it closes."""

from __future__ import annotations

import gc
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from lienthong.gateway import bootstrap
from lienthong.kit.stopping import LONGEST_STOP
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    import pytest


async def test_the_last_moment_is_set_before_anything_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []

    async def opened(_settings: object, stack: AsyncExitStack) -> object:
        stack.callback(happened.append, "closed")
        return object()

    async def receive() -> dict[str, Any]:
        happened.append("received")
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        happened.append(message["type"])

    monkeypatch.setattr(bootstrap, "open_gateway", opened)
    monkeypatch.setattr(bootstrap, "GatewaySettings", lambda: _Settings)
    for name in ("die_with_parent", "configure_logs"):
        monkeypatch.setattr(bootstrap, name, lambda *_: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(bootstrap, "end_at_the_latest", lambda *_: happened.append("last moment"))
    await bootstrap.Application()({"type": "lifespan"}, receive, send)
    started, stopped = "lifespan.startup.complete", "lifespan.shutdown.complete"
    assert happened == ["received", started, "received", "last moment", "closed", stopped]


async def test_a_worker_whose_background_task_fails_ends_though_calls_never_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[object] = []
    monkeypatch.setattr(bootstrap, "end_at_the_latest", happened.append)
    monkeypatch.setattr(signal, "raise_signal", happened.append)

    async def failing() -> None:
        raise RuntimeError("broken")

    async with AsyncExitStack() as stack:
        bootstrap._start(stack, "work", failing())
        await eventually(lambda: len(happened) == 2)
    (latest, number) = happened
    assert isinstance(latest, float)
    assert latest > LONGEST_STOP
    assert number is signal.SIGTERM


class _Settings:
    log_level = "info"
    log_format = "text"
