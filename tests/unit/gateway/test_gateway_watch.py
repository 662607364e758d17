"""Callers that go away are noticed at once, and end what is done for them."""

from __future__ import annotations

import asyncio

import pytest

from lienthong.gateway.http1.errors import CallerGoneError
from lienthong.gateway.http1.fields import written
from lienthong.gateway.http1.head import read_line
from lienthong.gateway.http1.incoming import Incoming
from tests.support.waiting import eventually
from tests.unit.gateway.wire import Wire, listener


class Waiting:
    """A service that has the request under way at hand, and waits until it is told."""

    def __init__(self) -> None:
        self.incoming: list[Incoming] = []
        self.outcome = ""
        self.cancelling = -1
        self.go_on = asyncio.Event()

    async def serve(self, incoming: Incoming) -> None:
        self.incoming.append(incoming)
        try:
            with incoming:
                await self.go_on.wait()
            self.outcome = "done"
        except CallerGoneError:
            self.outcome = "gone"
        incoming.answer(200, written([(b"content-length", b"0")]), b"")

    def unreadable(self, reason: object) -> tuple[int, list[bytes], bytes]:
        raise AssertionError(reason)


@pytest.fixture
async def service() -> Waiting:
    return Waiting()


GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_a_caller_that_goes_away_ends_the_block_at_once(service: Waiting) -> None:
    wire = Wire(listener(service))
    wire.send(GET)
    await eventually(lambda: service.incoming, "the call begins", every=0)
    wire.leave()
    await wire.settle()
    assert service.outcome == "gone"
    assert service.incoming[0].gone
    assert wire.transport.written == b"", "nobody is there to be answered"


async def test_outside_the_block_it_is_noted_and_the_next_block_does_not_begin() -> None:
    wire = Wire(listener(Waiting()))
    incoming = Incoming(read_line(b"GET / HTTP/1.1"), wire.caller)
    incoming.lose()
    assert incoming.gone
    with pytest.raises(CallerGoneError), incoming:
        pytest.fail("the block begins")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_task_that_was_ended_so_can_wait_again() -> None:
    class Patient(Waiting):
        async def serve(self, incoming: Incoming) -> None:
            await super().serve(incoming)
            task = asyncio.current_task()
            assert task is not None
            self.cancelling = task.cancelling()
            await asyncio.sleep(0)
            self.outcome += " and done"

    service = Patient()
    wire = Wire(listener(service))
    wire.send(GET)
    await eventually(lambda: service.incoming, "the call begins", every=0)
    wire.leave()
    await wire.settle()
    assert (service.outcome, service.cancelling) == ("gone and done", 0)


async def test_a_cancellation_from_elsewhere_passes(service: Waiting) -> None:
    wire = Wire(listener(service))
    wire.send(GET)
    await eventually(lambda: service.incoming, "the call begins", every=0)
    task = wire.caller.task
    assert task is not None
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert service.outcome == ""


async def test_no_request_leaves_a_timer_or_a_task_behind(service: Waiting) -> None:
    before = asyncio.all_tasks()
    wire = Wire(listener(service))
    service.go_on.set()
    for _ in range(100):
        wire.send(GET)
        await wire.settle()
    assert len(service.incoming) == 100
    assert asyncio.all_tasks() == before
