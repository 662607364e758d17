"""Which proofs were used, here and at the other processes: what is remembered, and what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.proofs.messages import MAX_MESSAGE_BYTES, MOST_TOLD, decode, encode, message
from lienthong.gateway.proofs.seen import DIGEST_BYTES, SeenProofs

if TYPE_CHECKING:
    from lienthong.kit.clock import ManualClock


def digest(number: int) -> bytes:
    return number.to_bytes(DIGEST_BYTES)


def second(clock: ManualClock) -> int:
    return int(clock.now().timestamp())


@pytest.fixture
def seen(clock: ManualClock) -> SeenProofs:
    return SeenProofs(clock.now)


def test_a_proof_is_good_once(seen: SeenProofs, clock: ManualClock) -> None:
    now = second(clock)
    assert seen.use(now, digest(1))
    assert not seen.use(now, digest(1))
    assert seen.use(now, digest(2))
    assert seen.untold(10) == [(now, digest(1)), (now, digest(2))]
    assert seen.untold(10) == []


def test_what_was_used_elsewhere_is_used_here_too_and_not_told_again(
    seen: SeenProofs, clock: ManualClock
) -> None:
    now = second(clock)
    seen.hear(now, [digest(1), digest(2)])
    assert not seen.use(now, digest(1))
    assert seen.untold(10) == []


def test_it_is_forgotten_once_no_proof_with_such_a_nonce_is_taken(
    seen: SeenProofs, clock: ManualClock
) -> None:
    first = second(clock)
    seen.use(first, digest(1))
    clock.advance(129)
    seen.use(second(clock), digest(2))
    assert not seen.use(first, digest(1))
    clock.advance(2)
    seen.use(second(clock), digest(3))
    assert len(seen) == 2
    clock.jump(timedelta(seconds=-131))
    assert not seen.knows_all_since(first), "nor is it taken when the clock is set back"


def test_what_was_used_before_the_start_is_not_known(clock: ManualClock) -> None:
    before = second(clock)
    clock.advance(1)
    seen = SeenProofs(clock.now)
    assert not seen.knows_all_since(before)
    assert seen.knows_all_since(second(clock))


def test_after_a_time_of_hearing_nothing_older_nonces_are_not_taken(
    seen: SeenProofs, clock: ManualClock
) -> None:
    before = second(clock)
    clock.advance(30)
    assert seen.knows_all_since(before)
    seen.begin_anew()
    assert not seen.knows_all_since(before)
    assert seen.knows_all_since(second(clock))


def test_a_clock_that_was_ahead_at_the_start_is_no_reason_to_refuse_for_ever(clock: ManualClock) -> None:
    clock.jump(timedelta(hours=1))
    seen = SeenProofs(clock.now)
    clock.jump(timedelta(hours=-1))
    assert seen.knows_all_since(second(clock))


def test_without_room_the_oldest_are_taken_no_more(clock: ManualClock) -> None:
    seen = SeenProofs(clock.now, most=10)
    first = second(clock)
    for number in range(6):
        seen.use(first, digest(number))
    clock.advance(1)
    for number in range(5):
        seen.hear(second(clock), [digest(number)])
    assert len(seen) == 5
    assert not seen.knows_all_since(first)
    assert seen.knows_all_since(second(clock))


def test_what_is_of_no_time_near_takes_no_room(seen: SeenProofs, clock: ManualClock) -> None:
    now = second(clock)
    for nonce_from in (0, now - 121, now + 11, 2**40):
        seen.hear(nonce_from, [digest(1)])
    assert len(seen) == 0


def test_who_waits_is_told(seen: SeenProofs, clock: ManualClock) -> None:
    told: list[int] = []
    seen.changed = lambda: told.append(1)
    seen.use(second(clock), digest(1))
    seen.use(second(clock), digest(1))
    seen.hear(second(clock), [digest(2)])
    assert told == [1]


def test_a_message_says_what_was_used(clock: ManualClock) -> None:
    now = second(clock)
    used = [(now, digest(1)), (now - 1, digest(2)), (now, digest(3))]
    heard = decode(encode(message("seat", used)))
    assert heard.seat == "seat"
    found = [(part.nonce_from, one) for part in heard.used for one in part.each()]
    assert sorted(found) == sorted(used)


def test_the_largest_message_is_within_its_bound(clock: ManualClock) -> None:
    now = second(clock)
    for used in (
        [(now, digest(number)) for number in range(MOST_TOLD)],
        [(now + number, digest(number)) for number in range(MOST_TOLD)],
    ):
        assert len(encode(message("x" * 36, used))) < MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{}", encode([2, "s", []]), encode([1, "", []]), b"x" * (MAX_MESSAGE_BYTES + 1)]
)
def test_what_is_no_message_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)
