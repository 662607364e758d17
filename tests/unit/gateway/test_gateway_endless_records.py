"""A record that an endless answer goes on comes to nothing while the record of its end is under way."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lienthong.gateway.call import Answered
from lienthong.gateway.endless import EndlessAnswers
from lienthong.gateway.journal.writer import AuditUnavailableError
from lienthong.kit.clock import ManualClock
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RECORD_EVERY_S = 60


class Incoming:
    """A caller who takes everything."""

    last = gone = False

    def __init__(self) -> None:
        self.ended = ""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def begin(self, *_: object, **__: object) -> None: ...

    def break_off(self) -> None:
        self.ended = self.ended or "broken off"

    def finish(self, _: bytes) -> None:
        self.ended = self.ended or "finished"


class Recorder:
    """Opening records are durable at once, those of the rest when the test says so."""

    def __init__(self) -> None:
        self.continues: asyncio.Future[None] | None = None
        self.ends: asyncio.Future[None] | None = None

    def opening(self, *_: object) -> tuple[asyncio.Future[None], bytes]:
        durable = asyncio.get_running_loop().create_future()
        durable.set_result(None)
        return durable, b"{}"

    def continuing(self, *_: object) -> asyncio.Future[None]:
        self.continues = asyncio.get_running_loop().create_future()
        return self.continues

    def outcome(self, *_: object) -> asyncio.Future[None]:
        self.ends = asyncio.get_running_loop().create_future()
        return self.ends


@pytest.mark.interpreted
@pytest.mark.parametrize("failed", [True, False])
async def test_an_answer_that_has_ended_is_not_broken_off_by_an_earlier_record(*, failed: bool) -> None:
    clock, recorder, incoming, over = ManualClock(), Recorder(), Incoming(), asyncio.Event()
    settings = SimpleNamespace(
        gateway_caller_timeout_s=60,
        gateway_caller_bytes_per_s=1,
        gateway_endless_record_every_s=RECORD_EVERY_S,
    )
    live = SimpleNamespace(table=None, authenticator=None)
    answers = EndlessAnswers(cast("Any", live), cast("Any", recorder), clock, cast("Any", settings))

    parts: list[bytes] = []

    async def rest() -> AsyncIterator[bytes]:
        await over.wait()
        for part in parts:
            yield part

    call = SimpleNamespace(tx="1", client=None, opened=None)
    response = SimpleNamespace(
        status=200, fields=(), declared=None, dated=True, rest=rest(), close=lambda: None
    )
    sent = asyncio.ensure_future(
        answers.send(cast("Any", call), cast("Any", response), cast("Any", incoming))
    )
    await eventually(lambda: len(answers) == 1, "it is passing")
    clock.advance(RECORD_EVERY_S + 1)
    answers.look()
    assert recorder.continues is not None
    over.set()
    await eventually(lambda: recorder.ends is not None, "its end is being recorded")
    assert recorder.ends is not None
    if failed:
        recorder.continues.set_exception(AuditUnavailableError("the disk is full"))
    else:
        recorder.continues.set_result(None)
    await asyncio.sleep(0)
    recorder.ends.set_result(None)
    outcome = await sent
    assert isinstance(outcome, Answered)
    assert (outcome.error, outcome.broken_off, incoming.ended) == (None, False, "finished")
