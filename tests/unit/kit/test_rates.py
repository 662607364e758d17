"""Rates are kept, whoever comes and however many, and a refusal says when to come again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.clock import ManualClock
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems.load import charge
from lienthong.kit.rates import RateLimit, TokenBucket, TokenBuckets, limit_detail, limit_headers, network_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def budget(clock: ManualClock, per_second: float = 2, burst: float = 3) -> TokenBucket:
    return TokenBucket(per_second=per_second, burst=burst, now=clock.monotonic)


def test_a_budget_lasts_for_its_burst_and_fills_again() -> None:
    clock = ManualClock()
    tokens = budget(clock)
    assert [tokens.take() for _ in range(5)] == [True, True, True, False, False]
    clock.advance(0.5)
    assert [tokens.take() for _ in range(2)] == [True, False]
    clock.advance(100)
    assert [tokens.take() for _ in range(4)] == [True, True, True, False]


@given(st.lists(st.floats(0, 2), max_size=100))
def test_no_more_is_ever_taken_than_burst_and_rate_allow(pauses: Sequence[float]) -> None:
    clock = ManualClock()
    tokens = budget(clock)
    taken = 0
    for pause in pauses:
        clock.advance(pause)
        taken += tokens.take()
        assert taken <= 3 + 2 * clock.monotonic() + 1e-6


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 20)), max_size=60))
def test_an_amount_over_the_burst_is_paid_back_before_anything_else(
    requests: Sequence[tuple[float, float]],
) -> None:
    clock = ManualClock()
    tokens = budget(clock)
    taken = largest = 0.0
    for pause, amount in requests:
        clock.advance(pause)
        if tokens.wait(amount) == 0:
            taken, largest = taken + amount, max(largest, amount)
        assert taken <= 3 + 2 * clock.monotonic() + max(0.0, largest - 3) + 1e-6


@given(st.floats(0.1, 10), st.lists(st.floats(0.1, 5), min_size=1, max_size=20))
def test_after_the_wait_that_was_told_there_is_enough(pause: float, amounts: Sequence[float]) -> None:
    clock = ManualClock()
    tokens = budget(clock)
    for amount in amounts:
        clock.advance(pause)
        wait = tokens.wait(amount)
        if wait > 0:
            clock.advance(wait + 1e-6)
            assert tokens.wait(amount) == 0


@given(st.lists(st.sampled_from("abcdefghij"), max_size=200), st.integers(1, 5))
def test_never_more_keys_are_kept_than_allowed_and_the_busiest_one_is_kept(
    keys: Sequence[str], most: int
) -> None:
    clock = ManualClock()
    buckets = TokenBuckets(RateLimit("x", 0.0, 1), now=clock.monotonic, most=most + 1)
    assert buckets.take("busy")
    for key in keys:
        buckets.take(key)
        assert not buckets.take("busy"), "others do not give it a new bucket"
        assert len(buckets) <= most + 1


def test_each_key_has_its_own_bucket() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(RateLimit("x", 1, 2), now=clock.monotonic)
    assert [buckets.take(key) for key in "aaabba"] == [True, True, False, True, True, False]
    clock.advance(1)
    assert [buckets.take(key) for key in "aabb"] == [True, False, True, False]


def test_what_is_spent_without_asking_is_owed_and_no_more_than_can_be() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(RateLimit("x", 2, 3, most_debt=10), now=clock.monotonic)
    assert [buckets.due("a"), buckets.due("a", 5)] == [0, 0], "asking takes nothing"
    clock.advance(60)
    buckets.spend("a", 4)
    assert [buckets.due("a", 0), buckets.due("a"), buckets.due("b")] == [0.5, 1, 0]
    buckets.spend("a", 1000)
    assert buckets.due("a", 0) == 5
    clock.advance(5)
    assert [buckets.due("a", 0), buckets.due("a")] == [0, 0.5]


def test_a_refusal_says_what_is_allowed_and_when() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(RateLimit("token-requests", 0.25, 10), now=clock.monotonic)
    assert [buckets.wait("a") for _ in range(10)] == [0] * 10
    assert limit_headers(buckets.limit, buckets.wait("a")) == {
        "Retry-After": "4",
        "RateLimit-Policy": '"token-requests";q=10;w=40',
        "RateLimit": '"token-requests";r=0;t=4',
    }
    assert (
        limit_detail(buckets.limit).en
        == "The limit token-requests is 10 requests at once and 0.25 per second."
    )
    assert buckets.wait("b") == 0


def test_who_has_used_up_a_limit_is_told_so_with_a_problem() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(RateLimit("token-requests", 0.25, 10), now=clock.monotonic)
    charge(buckets, "a", 10)
    charge(buckets, "b")
    with pytest.raises(ProblemError) as refused:
        charge(buckets, "a")
    assert refused.value.kind is general.RATE_LIMITED
    assert refused.value.headers == limit_headers(buckets.limit, 4)
    assert refused.value.detail == limit_detail(buckets.limit)


@given(st.floats(0, 1e9), st.floats(1, 1e9), st.floats(0, allow_nan=False, allow_infinity=True))
def test_the_fields_are_whole_numbers_that_can_be_waited_for(
    per_second: float, burst: float, wait: float
) -> None:
    headers = limit_headers(RateLimit("x", per_second, burst, "content-bytes"), wait)
    assert 1 <= int(headers["Retry-After"]) <= 86_400
    assert headers["RateLimit-Policy"].startswith(f'"x";q={math.floor(burst)};qu="content-bytes";w=')


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (None, ""),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not:an:address", ""),
    ],
)
def test_who_has_one_address_of_a_network_has_them_all(address: str | None, network: str) -> None:
    assert network_of(address) == network
