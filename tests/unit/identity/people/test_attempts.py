"""Failures are counted before anyone knows, waits double and end, and a stranger's are not the owner's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lienthong.identity.people.domain.attempts import (
    FOR_AN_ACCOUNT,
    FOR_AN_ADDRESS,
    AttemptRules,
    Attempts,
    account_key,
    address_key,
)

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
RULES = AttemptRules(3, timedelta(minutes=1), timedelta(minutes=5))


def after(times: int, *, start: datetime = NOW, rules: AttemptRules = RULES) -> Attempts:
    """So many attempts, each as soon as it is allowed."""
    found, now = Attempts(), start
    for _ in range(times):
        now += found.wait(now)
        found = found.tried(now, rules)
    return found


def test_the_first_failures_are_free() -> None:
    assert [after(count).blocked_until for count in range(3)] == [None] * 3


def test_each_further_one_waits_twice_as_long_up_to_a_limit() -> None:
    waits = []
    for count in range(3, 8):
        found = after(count)
        assert found.last_at is not None
        waits.append(found.wait(found.last_at).total_seconds() / 60)
    assert waits == [1, 2, 4, 5, 5]


def test_a_wait_ends_and_the_failures_stay() -> None:
    found = after(3)
    assert found.wait(NOW + timedelta(seconds=59)) == timedelta(seconds=1)
    assert found.wait(NOW + timedelta(minutes=1)) == timedelta(0)
    assert found.tried(NOW + timedelta(minutes=2), RULES).failures == 4


def test_a_day_without_a_failure_forgets_them() -> None:
    found = after(7)
    assert found.last_at is not None
    assert found.tried(found.last_at + RULES.forgotten_after, RULES) == Attempts(
        1, None, found.last_at + RULES.forgotten_after
    )


def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    assert after(7).tried(NOW - timedelta(days=400), RULES).failures == 8


def test_a_million_failures_wait_no_longer_than_the_limit() -> None:
    found = Attempts(1_000_000, None, NOW).tried(NOW, FOR_AN_ACCOUNT)
    assert found.wait(NOW) == FOR_AN_ACCOUNT.longest_wait


def test_an_account_can_be_guessed_about_two_dozen_times_a_day() -> None:
    found, now, guesses = Attempts(), NOW, 0
    while now < NOW + timedelta(days=30):
        now += found.wait(now)
        found, guesses = found.tried(now, FOR_AN_ACCOUNT), guesses + 1
    assert guesses / 30 < 25


@pytest.mark.parametrize("rules", [FOR_AN_ACCOUNT, FOR_AN_ADDRESS])
def test_failures_are_kept_for_longer_than_anyone_waits(rules: AttemptRules) -> None:
    assert rules.forgotten_after > rules.longest_wait


def test_strangers_each_known_device_and_each_address_are_counted_apart() -> None:
    keys = {
        account_key("an@example.vn", None),
        account_key("an@example.vn", "device-1"),
        account_key("an@example.vn", "device-2"),
        account_key("binh@example.vn", None),
        address_key("192.0.2.1"),
        address_key("192.0.2.2"),
        address_key("an@example.vn"),
    }
    assert len(keys) == 7


def test_addresses_of_one_ipv6_network_are_one() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:2")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("::ffff:192.0.2.1") == address_key("192.0.2.1")
