"""Tests that wait end as soon as they can, and say what they waited for when it does not come."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.waiting import eventually, wait_until


async def test_what_comes_true_is_waited_for_in_either_way() -> None:
    calls = iter([False, False, True, False, True])

    async def asked() -> bool:
        return next(calls)

    wait_until(lambda: next(calls), every=0)
    await eventually(asked, every=0)
    assert list(calls) == []


async def test_what_does_not_come_true_is_told() -> None:
    with pytest.raises(AssertionError, match=r"waited in vain for 0\.01 s: 3 are missing"):
        wait_until(lambda: False, lambda: "3 are missing", within=0.01, every=0.001)
    with pytest.raises(AssertionError, match=r"waited in vain for 0\.01 s: the others"):
        await eventually(lambda: 0, "the others", within=0.01, every=0.001)
    with pytest.raises(AssertionError, match="hangs"):
        await eventually(lambda: asyncio.sleep(60), "it hangs", within=0.01)
