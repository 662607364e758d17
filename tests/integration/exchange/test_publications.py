"""Requests at the same time are published together, and what is wrong with one of them is nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lienthong.exchange.domain.numbering import Numbering
from lienthong.exchange.service.event_messages import EventReusedError
from lienthong.exchange.service.event_register import StreamWentBackError
from lienthong.exchange.service.publications import Publications, Stored
from lienthong.kit.bus import MESSAGE_ID, BusUnavailableError
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText
from tests.integration.exchange.memory_bus import Exchange, event, exchange_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from lienthong.kit.messages import StoredMessage


class Requests:
    """Requests to publish; the first waits until `go_on`, so that those behind it meet."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.publications = Publications(exchange.stream)
        self.numbering = Numbering()
        self.go_on = asyncio.Event()
        self.batches: list[int] = []
        exchange.memory.on_publish = self._wait
        publish_together = exchange.memory.publish_together

        async def counted(messages: Sequence[tuple[str, StoredMessage]]) -> int:
            self.batches.append(len(messages))
            return await publish_together(messages)

        exchange.memory.publish_together = counted  # type: ignore[method-assign]
        self.tasks = [self.begin("first")]

    async def _wait(self) -> None:
        await self.go_on.wait()

    def begin(self, *identifiers: str, numbering: Numbering | None = None) -> asyncio.Task[list[Stored]]:
        events = [event(identifier) for identifier in identifiers]
        work = self.publications.publish(events, numbering or self.numbering, lambda: None)
        return asyncio.create_task(work)

    async def outcomes(self, *tasks: asyncio.Task[list[Stored]]) -> list[list[Stored] | BaseException]:
        for _ in range(5):
            await asyncio.sleep(0)
        self.exchange.memory.on_publish = None
        self.go_on.set()
        return await asyncio.gather(*self.tasks, *tasks, return_exceptions=True)

    def stored(self) -> list[str]:
        messages = self.exchange.memory.messages or {}
        return [messages[sequence].headers[MESSAGE_ID] for sequence in sorted(messages)]


@pytest.fixture
async def requests(tmp_path: Path) -> AsyncIterator[Requests]:
    async with exchange_on(f"sqlite+aiosqlite:///{tmp_path}/exchange.db") as running:
        requests = Requests(running)
        requests.numbering = await running.stream.current()
        yield requests


async def test_those_that_wait_go_together_each_with_its_events_in_order(requests: Requests) -> None:
    found = await requests.outcomes(requests.begin("a"), requests.begin("b1", "b2"), requests.begin("c"))
    assert found == [
        [Stored(1, duplicate=False)],
        [Stored(2, duplicate=False)],
        [Stored(3, duplicate=False), Stored(4, duplicate=False)],
        [Stored(5, duplicate=False)],
    ]
    assert requests.stored() == ["first", "a", "b1", "b2", "c"]
    assert requests.batches == [4]


async def test_a_duplicate_among_them_is_told_to_its_own_request(requests: Requests) -> None:
    found = await requests.outcomes(requests.begin("a"), requests.begin("first"), requests.begin("b1", "b2"))
    assert found[2] == [Stored(1, duplicate=True)]
    assert requests.stored()[0] == "first"
    assert sorted(requests.stored()) == ["a", "b1", "b2", "first"]
    assert all(isinstance(one, list) for one in found)


async def test_the_same_event_twice_is_stored_once(requests: Requests) -> None:
    found = await requests.outcomes(requests.begin("a"), requests.begin("a"), requests.begin("b"))
    assert sorted(requests.stored()) == ["a", "b", "first"]
    assert found[1] != found[2]
    assert [one[0].sequence for one in found[1:3] if isinstance(one, list)] == [2, 2]


async def test_another_event_under_an_id_is_refused_and_the_others_are_stored(requests: Requests) -> None:
    other = requests.publications.publish([event("first", "other")], requests.numbering, lambda: None)
    found = await requests.outcomes(requests.begin("a"), asyncio.create_task(other), requests.begin("b"))
    assert isinstance(found[2], EventReusedError)
    assert sorted(requests.stored()) == ["a", "b", "first"]


async def test_a_right_that_ends_while_it_waits_refuses_that_request_alone(requests: Requests) -> None:
    refusal = ProblemError(general.NOT_READY, BilingualText("No.", "Không."))

    def ended() -> None:
        raise refusal

    other = requests.publications.publish([event("x")], requests.numbering, ended)
    found = await requests.outcomes(requests.begin("a"), asyncio.create_task(other), requests.begin("b"))
    assert found[2] is refusal
    assert requests.stored() == ["first", "a", "b"]


async def test_what_was_learned_under_another_numbering_is_refused_alone(requests: Requests) -> None:
    old = replace(requests.numbering, generation=requests.numbering.generation - 1)
    found = await requests.outcomes(
        requests.begin("a"), requests.begin("x", numbering=old), requests.begin("b")
    )
    assert isinstance(found[2], StreamWentBackError)
    assert requests.stored() == ["first", "a", "b"]


async def test_a_bus_that_is_away_is_told_to_all_of_them(requests: Requests) -> None:
    tasks = [requests.begin("a"), requests.begin("b")]
    for _ in range(5):
        await asyncio.sleep(0)
    requests.exchange.memory.lose()
    found = await requests.outcomes(*tasks)
    assert [type(one) for one in found[1:]] == [BusUnavailableError, BusUnavailableError]
