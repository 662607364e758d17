"""People are told 30, 7 and 1 days before a key ends: once each, and never of what has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey

from lienthong.catalog.systems.domain.key_ends import due_now, end_of, first_look, past_end

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


def key(ends_in: timedelta | None) -> dict[str, Any]:
    jwk = ECKey.generate_key("P-256").as_dict(private=False)
    return dict(jwk) if ends_in is None else {**jwk, "exp": int((NOW + ends_in).timestamp())}


def walk(jwks: dict[str, Any], days: int) -> list[int]:
    """On which days something is told, if it is looked every day."""
    told: datetime | None = None
    found = []
    for day in range(days):
        now = NOW + day * DAY
        due, _ = due_now(jwks, told, now)
        found += [day] * len(due)
        told = now
    return found


def test_each_reminder_is_told_once() -> None:
    assert walk({"keys": [key(40 * DAY)]}, 60) == [10, 33, 39]
    assert walk({"keys": [key(None)]}, 60) == []


def test_of_what_was_missed_only_the_last_is_told_and_nothing_of_what_has_ended() -> None:
    due, again = due_now({"keys": [key(5 * DAY)]}, None, NOW)
    assert [one.until for one in due] == [NOW + 5 * DAY]
    assert again == NOW + 4 * DAY
    assert due_now({"keys": [key(-DAY)]}, None, NOW) == ([], None)


def test_each_key_has_reminders_of_its_own() -> None:
    keys = [key(40 * DAY), key(40 * DAY), key(20 * DAY), key(None)]
    assert walk({"keys": keys}, 41) == [0, 10, 10, 13, 19, 33, 33, 39, 39]


def test_the_first_look_is_at_what_was_not_told() -> None:
    jwks = {"keys": [key(40 * DAY)]}
    assert first_look(jwks, None) == NOW + 10 * DAY
    assert first_look(jwks, NOW + 10 * DAY) == NOW + 33 * DAY
    assert first_look(jwks, NOW + 39 * DAY) is None
    assert first_look({"keys": []}, None) is None


def test_a_new_key_ends_later_than_now() -> None:
    assert end_of(key(DAY)) == NOW + DAY
    assert list(past_end(key(DAY), NOW)) == []
    assert list(past_end(key(None), NOW)) == []
    assert len(list(past_end(key(timedelta()), NOW))) == 1
