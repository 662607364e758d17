"""A cancelled task ends as cancelled, whatever came of the block that it was cancelled in."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.bus import Bus, BusError
from lienthong.kit.bus.faults import translated
from lienthong.kit.cancellation import cancelled_first

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def bus_request() -> AbstractContextManager[None]:
    """The block around every request that nats-py makes for the kit's bus."""
    return translated("a request")


BLOCKS = pytest.mark.parametrize(
    "block", [cancelled_first, bus_request], ids=["cancelled_first", "bus request"]
)


@BLOCKS
async def test_a_cancellation_at_the_moment_of_the_answer_is_not_lost(
    block: type[AbstractContextManager[None]],
) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    went_on = False

    async def ask() -> None:
        nonlocal went_on
        with block():
            await asyncio.wait_for(answer, 5)  # noqa: TID251 - as libraries do it
        went_on = True

    task = asyncio.create_task(ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    answer.set_result("here")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not went_on


@BLOCKS
@pytest.mark.parametrize("then", ["ends well", "fails"])
async def test_a_block_that_swallows_a_cancellation_ends_as_cancelled(
    block: type[AbstractContextManager[None]], then: str
) -> None:
    async def swallow() -> None:
        with contextlib.suppress(BusError, OSError), block():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if then == "fails":
                    raise OSError("something else") from None
        await asyncio.Event().wait()

    task = asyncio.create_task(swallow())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_in_the_block_and_one_around_it_stay_timeouts() -> None:
    async def replaced() -> None:
        async with asyncio.timeout(0.01):
            with cancelled_first():
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    raise OSError("something else") from None

    with cancelled_first(), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError):
        await replaced()


async def test_what_is_done_after_a_cancellation_may_use_the_block_again() -> None:
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        try:
            await asyncio.Event().wait()
        finally:
            with cancelled_first():
                await asyncio.sleep(0)
            cleaned = True

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert cleaned


async def test_closing_a_bus_ends_though_its_connecting_swallows_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connecting = asyncio.Event()

    class Swallowing:
        is_connected = False
        _transport = None

        async def connect(self, *_: object, **__: object) -> None:
            connecting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise OSError("no server") from None

        async def close(self) -> None:
            pass

    monkeypatch.setattr("lienthong.kit.bus.connection.Client", Swallowing)
    bus = await Bus.connect("nats://127.0.0.1:1", "test")
    await connecting.wait()
    async with asyncio.timeout(5):
        await bus.close()
