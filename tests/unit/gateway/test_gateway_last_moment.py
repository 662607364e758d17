"""A worker that is told to stop ends, whatever does not end while it closes."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from lienthong.gateway import background, worker
from lienthong.kit.stopping import LONGEST_STOP
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import pytest


async def test_the_last_moment_is_set_before_anything_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []

    class Listener:
        def open(self) -> None:
            happened.append("serving")
            signal.raise_signal(signal.SIGTERM)

        async def close(self, within: float) -> None:
            happened.append(f"calls end within {within}")

    async def opened(_settings: object, stack: AsyncExitStack, *_: object) -> object:
        stack.callback(happened.append, "closed")
        return Listener()

    monkeypatch.setattr(worker, "open_gateway", opened)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(worker, "end_at_the_latest", lambda *_: happened.append("last moment"))
    nothing: Any = None
    try:
        await worker.serve(nothing, nothing, nothing)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    assert happened == ["serving", "last moment", "calls end within 15.0", "closed"]


async def test_a_worker_whose_background_task_fails_ends_though_calls_never_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[object] = []
    monkeypatch.setattr(background, "end_at_the_latest", happened.append)
    monkeypatch.setattr(signal, "raise_signal", happened.append)

    async def failing() -> None:
        raise RuntimeError("broken")

    async with AsyncExitStack() as stack:
        background.start(stack, "work", failing())
        await eventually(lambda: len(happened) == 2)
    (latest, number) = happened
    assert isinstance(latest, float)
    assert latest > LONGEST_STOP
    assert number is signal.SIGTERM
