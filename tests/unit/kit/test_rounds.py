"""Callers at the same time share a round, each with its own outcome, whoever is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Sequence


class Work:
    """Doubles numbers when it is told to go on; refuses negative ones, and rounds with a zero."""

    def __init__(self, *, most: int = 100) -> None:
        self.rounds: list[list[int]] = []
        self.go_on = asyncio.Event()
        self.together = Rounds(self._do, most=most, size=lambda number: max(abs(number), 1))

    async def _do(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.rounds.append(list(numbers))
        await self.go_on.wait()
        if 0 in numbers:
            raise ZeroDivisionError
        return [LookupError(number) if number < 0 else 2 * number for number in numbers]

    def take(self, *numbers: int) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.together.take(number)) for number in numbers]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_comes_first_waits_for_nobody_and_the_others_share_the_next_round() -> None:
    work = Work()
    tasks = work.take(1, 2, 3)
    await turns()
    assert work.rounds == [[1]]
    work.go_on.set()
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert work.rounds == [[1], [2, 3]]
    assert await work.together.take(4) == 8
    assert work.rounds == [[1], [2, 3], [4]]


async def test_each_is_told_what_became_of_its_own_part() -> None:
    work = Work()
    tasks = work.take(1, 2, -3, 4)
    await turns()
    work.go_on.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(one) for one in found] == ["2", "4", "-3", "8"]
    assert isinstance(found[2], LookupError)


async def test_a_round_that_fails_fails_all_its_parts_and_no_others() -> None:
    work = Work()
    tasks = work.take(1, 2, 0, 3)
    await turns()
    work.go_on.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0] == 2
    assert [type(one) for one in found[1:]] == [ZeroDivisionError] * 3
    assert await work.together.take(5) == 10


async def test_a_round_holds_so_much_and_a_larger_part_is_alone() -> None:
    work = Work(most=10)
    tasks = work.take(1, 4, 5, 2, 30, 6, 3)
    await turns()
    work.go_on.set()
    assert await asyncio.gather(*tasks) == [2, 8, 10, 4, 60, 12, 6]
    assert work.rounds == [[1], [4, 5], [2], [30], [6, 3]]


async def test_who_is_cancelled_while_doing_a_round_leaves_it_to_the_next() -> None:
    work = Work()
    tasks = work.take(1, 2, 3)
    await turns()
    tasks[0].cancel()
    await turns()
    assert work.rounds == [[1], [2, 3]]
    tasks[1].cancel()
    await turns()
    assert work.rounds == [[1], [2, 3], [3]]
    work.go_on.set()
    assert await tasks[2] == 6
    assert await work.together.take(4) == 8


async def test_who_is_cancelled_at_the_moment_of_its_turn_hands_it_on() -> None:
    work = Work()
    tasks = work.take(1, 2, 3)
    await turns()
    work.go_on.set()
    tasks[0].add_done_callback(lambda _: tasks[1].cancel())
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert (found[0], found[2]) == (2, 6)


@given(
    numbers=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    cancelled=st.sets(st.integers(0, 11)),
    pauses=st.lists(st.integers(0, 3), min_size=12, max_size=12),
)
def test_whoever_is_not_cancelled_has_its_outcome(
    numbers: list[int], cancelled: set[int], pauses: list[int]
) -> None:
    async def run() -> None:
        async def double(parts: Sequence[int]) -> Sequence[int | Exception]:
            await turns(2)
            return [2 * part for part in parts]

        together = Rounds(double, most=20, size=lambda number: number)
        tasks = []
        for number, pause in zip(numbers, pauses, strict=False):
            tasks.append(asyncio.create_task(together.take(number)))
            await turns(pause)
        for place in cancelled:
            if place < len(tasks):
                tasks[place].cancel()
                await turns(pauses[place])
        async with asyncio.timeout(20):
            found = await asyncio.gather(*tasks, return_exceptions=True)
        for place, one in enumerate(found):
            if place in cancelled and isinstance(one, asyncio.CancelledError):
                continue
            assert one == 2 * numbers[place]
        assert await together.take(1) == 2

    asyncio.run(run())


async def test_an_exception_is_raised_where_it_belongs() -> None:
    work = Work()
    work.go_on.set()
    with pytest.raises(LookupError):
        await work.together.take(-1)
