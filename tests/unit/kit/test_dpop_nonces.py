"""Nonces that every process of an installation judges by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lienthong.kit.clock import ManualClock
from lienthong.kit.dpop_nonces import Nonces
from tests.support.rpc import rpc_trust


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_any_process_takes_it_for_two_minutes(clock: ManualClock) -> None:
    nonce = Nonces(rpc_trust(), clock).fresh()
    other = Nonces(rpc_trust(), clock)
    given = int(clock.now().timestamp())
    clock.advance(119)
    assert other.given(nonce) == given
    clock.advance(1)
    assert other.given(nonce) is None


def test_another_process_may_have_a_clock_that_is_a_little_ahead(clock: ManualClock) -> None:
    nonces = Nonces(rpc_trust(), clock)
    nonce = nonces.fresh()
    clock.jump(timedelta(seconds=-10))
    assert nonces.given(nonce) is not None
    clock.jump(timedelta(seconds=-1))
    assert nonces.given(nonce) is None


def test_of_another_installation_it_is_none(clock: ManualClock) -> None:
    other = Nonces(replace(rpc_trust(), token="another"), clock)
    assert Nonces(rpc_trust(), clock).given(other.fresh()) is None


@pytest.mark.parametrize("change", ["", "x", "A" * 28, "ệ" * 28, "=" * 28, "-" * 10_000])
def test_what_is_none(clock: ManualClock, change: str) -> None:
    assert Nonces(rpc_trust(), clock).given(change) is None


def test_a_changed_character_anywhere_is_noticed(clock: ManualClock) -> None:
    nonces = Nonces(rpc_trust(), clock)
    nonce = nonces.fresh()
    for position in range(len(nonce)):
        changed = nonce[:position] + ("A" if nonce[position] != "A" else "B") + nonce[position + 1 :]
        assert nonces.given(changed) is None


def test_each_second_has_its_own(clock: ManualClock) -> None:
    nonces = Nonces(rpc_trust(), clock)
    first = nonces.fresh()
    assert nonces.fresh() == first
    clock.advance(1)
    assert nonces.fresh() != first
