"""What identity lacks counts as lost when it has gone past it, and is published again ever more rarely."""

from __future__ import annotations

from datetime import timedelta

from lienthong.catalog.domain.missed_changes import MissedChanges

AFTER_S = 30.0
A, B = "H11.05/land", "H11.01/one-stop"


def changes() -> MissedChanges:
    return MissedChanges(timedelta(seconds=AFTER_S))


def test_what_identity_has_gone_past_is_lost_after_a_while_oldest_first() -> None:
    missed = changes()
    behind = {A: 7, B: 4}
    assert missed.note(behind, newest=9, now=100.0) == {}
    assert missed.note(behind, newest=10, now=129.0) == {}
    assert list(missed.note(behind, newest=11, now=130.0).items()) == [(B, 4), (A, 7)]


def test_what_came_meanwhile_is_forgotten() -> None:
    missed = changes()
    missed.note({A: 7, B: 4}, newest=9, now=100.0)
    missed.note({A: 7}, newest=9, now=110.0)
    assert missed.note({A: 7, B: 4}, newest=9, now=130.0) == {A: 7}


def test_a_later_change_of_the_same_system_is_waited_for_anew() -> None:
    missed = changes()
    missed.note({A: 7}, newest=9, now=100.0)
    assert missed.note({A: 8}, newest=9, now=130.0) == {}
    assert missed.note({A: 8}, newest=9, now=160.0) == {A: 8}


def test_newer_changes_are_waited_for_while_identity_gets_on() -> None:
    missed = changes()
    for now in range(100, 1000, 10):
        assert missed.note({A: 5000}, newest=now, now=float(now)) == {}
    assert missed.note({A: 5000}, newest=990, now=1010.0) == {}
    assert missed.note({A: 5000}, newest=990, now=1020.0) == {A: 5000}


def test_each_repeat_waits_twice_as_long_up_to_about_an_hour() -> None:
    missed = changes()
    now, waited = 0.0, []
    missed.note({A: 7}, newest=9, now=now)
    for _ in range(9):
        before = now
        while not missed.note({A: 7}, newest=9, now=now):
            now += AFTER_S
        missed.published(A, now)
        waited.append((now - before) / AFTER_S)
    assert waited == [1, 2, 4, 8, 16, 32, 64, 128, 128]


def test_after_a_time_in_which_nothing_could_come_it_begins_anew() -> None:
    missed = changes()
    missed.note({A: 7}, newest=9, now=100.0)
    missed.forget()
    assert missed.note({A: 7}, newest=9, now=500.0) == {}
