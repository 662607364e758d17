"""Which address of a provider is called next, and when none is."""

from __future__ import annotations

import pytest

from lienthong.gateway.http1.address import Address, Origin
from lienthong.gateway.http1.balance import Balance
from lienthong.gateway.http1.circuit import CheckTerms, CircuitState, CircuitTerms
from lienthong.gateway.http1.errors import (
    ProviderBrokenError,
    ProviderError,
    ProviderTimeoutError,
    ProviderUnreachableError,
)
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.kit.clock import ManualClock

TEXTS = tuple(f"http://{name}.example" for name in "abc")
A, B, C = map(Address.parse, TEXTS)
GONE, BROKEN = ProviderUnreachableError("gone"), ProviderBrokenError("broken")
SERVICE = "H11.05/land/parcels-v1"
CHECK = CheckTerms(
    b"/health", interval_s=10, timeout_s=2, statuses=frozenset((200,)), healthy_after=2, unhealthy_after=3
)


class Scene:
    """A balance whose clock and load a test sets, and one service."""

    def __init__(self, circuit: CircuitTerms | None = None, texts: tuple[str, ...] = TEXTS) -> None:
        self.clock = ManualClock()
        self.load: dict[Origin, int] = {}
        self.balance = Balance(lambda origin: self.load.get(origin, 0), self.clock.monotonic)
        self.upstreams = Upstreams(texts, name=SERVICE, circuit=circuit)

    def ordered(self, *addresses: Address) -> list[Address]:
        return list(self.balance.ordered(self.upstreams, addresses or (A, B, C)))

    def first(self) -> Address:
        """The address that a call goes to first, which it does."""
        found = self.ordered()[0]
        assert self.balance.enter(self.upstreams, found)
        return found

    def fail(self, address: Address, times: int = 1, error: ProviderError = GONE) -> None:
        for _ in range(times):
            self.balance.failed(self.upstreams, address, error, self.clock.monotonic())

    def answer(self, address: Address, status: int = 200) -> None:
        self.balance.answered(self.upstreams, address, status, self.clock.monotonic())

    def enter(self, address: Address = A) -> bool:
        return self.balance.enter(self.upstreams, address)

    def is_now(self, state: CircuitState) -> bool:
        """Whether that is where the only address is that is not closed."""
        return [known for _, known in self.balance.states()] == [state]


def test_the_one_with_the_least_to_do_is_first_and_equals_keep_their_order() -> None:
    scene = Scene()
    assert scene.ordered(B, C, A) == [B, C, A]
    scene.load = {A.origin: 3, B.origin: 1, C.origin: 2}
    assert scene.ordered() == [B, C, A]


def test_what_an_address_has_to_do_counts_for_its_weight() -> None:
    scene = Scene()
    heavy = Address.parse(TEXTS[0], 3)
    scene.load = {A.origin: 5, B.origin: 2}
    assert scene.ordered(heavy, B) == [heavy, B]
    scene.load = {A.origin: 7, B.origin: 2}
    assert scene.ordered(heavy, B) == [B, heavy]


def test_one_that_takes_no_connection_is_left_alone_and_comes_last() -> None:
    scene = Scene()
    scene.fail(A)
    scene.load = {B.origin: 9, C.origin: 8}
    assert scene.ordered() == [C, B, A]
    assert scene.balance.resting == 1


def test_where_all_fail_all_are_tried_the_first_to_come_back_first() -> None:
    scene = Scene()
    for address in (B, A, C):
        scene.fail(address)
        scene.clock.advance(0.1)
    assert scene.ordered() == [B, A, C]
    assert all(map(scene.enter, (A, B, C)))


def test_only_answers_that_stay_away_again_and_again_are_a_reason_to_leave_one_alone() -> None:
    scene = Scene()
    for failure in (BROKEN, ProviderTimeoutError("late"), BROKEN, BROKEN):
        scene.fail(A, error=failure)
    assert scene.first() == A
    scene.answer(A)
    scene.fail(A, 4, BROKEN)
    assert scene.first() == A
    scene.fail(A, 1, BROKEN)
    assert scene.first() == B


def test_what_one_service_found_is_nothing_to_another_with_limits_of_its_own() -> None:
    scene = Scene()
    scene.fail(A)
    other = Upstreams(TEXTS, name="H11.05/land/owners-v1")
    assert list(scene.balance.ordered(other, (A, B, C))) == [A, B, C]


def test_after_its_rest_one_call_tries_it_and_each_failure_doubles_the_rest() -> None:
    scene = Scene()
    scene.fail(A)
    for rest in (1, 2, 4, 8, 16, 32, 60, 60):
        scene.clock.advance(rest - 0.01)
        assert scene.first() != A
        scene.clock.advance(0.02)
        assert scene.first() == A
        assert scene.first() != A, "one is enough"
        scene.fail(A)


def test_a_call_that_tries_it_and_never_ends_is_followed_by_another() -> None:
    scene = Scene()
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A
    assert scene.first() == B
    scene.clock.advance(1.1)
    assert scene.first() == A


def test_a_call_that_tries_it_and_says_nothing_of_it_makes_room_for_another() -> None:
    scene = Scene()
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A
    scene.balance.left(scene.upstreams, A)
    assert scene.first() == A


def test_one_that_is_well_again_gets_its_share_back_little_by_little() -> None:
    scene = Scene()
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A
    scene.answer(A)
    assert scene.balance.resting == 0
    scene.load = {B.origin: 5, C.origin: 5}
    shares = []
    for _ in range(3):
        shares.append([scene.first() for _ in range(80)].count(A))
        scene.clock.advance(15.1)
    assert shares[0] == 10
    assert 10 < shares[1] < shares[2] == 80
    scene.answer(A)
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A, "what was long ago is forgotten: it rests for a second"


def test_a_breaker_refuses_while_its_only_address_is_open_and_says_for_how_long() -> None:
    scene = Scene(CircuitTerms(failures=3, unreachable=3, rest_s=5, refuses=True), TEXTS[:1])
    scene.fail(A, 2)
    assert scene.enter()
    scene.fail(A)
    scene.clock.advance(2)
    assert not scene.enter()
    assert scene.balance.wait_s(scene.upstreams) == pytest.approx(3)
    assert scene.is_now(CircuitState.OPEN)


def test_so_many_trials_at_a_time_and_in_a_row_close_a_breaker() -> None:
    scene = Scene(CircuitTerms(failures=1, unreachable=1, rest_s=5, trials=2, refuses=True), TEXTS[:1])
    scene.fail(A)
    scene.clock.advance(5.1)
    assert scene.is_now(CircuitState.HALF_OPEN)
    assert [scene.enter() for _ in range(3)] == [True, True, False]
    scene.answer(A)
    assert [scene.enter() for _ in range(2)] == [True, False]
    scene.answer(A)
    assert scene.is_now(CircuitState.RETURNING)
    assert all(scene.enter() for _ in range(10))


def test_a_trial_that_fails_opens_a_breaker_for_twice_as_long() -> None:
    scene = Scene(CircuitTerms(failures=3, unreachable=3, rest_s=5, trials=2, refuses=True), TEXTS[:1])
    scene.fail(A, 3)
    scene.clock.advance(5.1)
    assert scene.enter()
    scene.fail(A)
    scene.clock.advance(9.9)
    assert not scene.enter()
    scene.clock.advance(0.2)
    assert scene.enter()


def test_what_began_before_a_breaker_opened_neither_closes_it_nor_keeps_it_open() -> None:
    scene = Scene(CircuitTerms(failures=1, unreachable=1, rest_s=5, refuses=True), TEXTS[:1])
    before = scene.clock.monotonic()
    scene.clock.advance(1)
    scene.fail(A)
    scene.clock.advance(4)
    scene.balance.answered(scene.upstreams, A, 200, before)
    assert not scene.enter()
    scene.balance.failed(scene.upstreams, A, BROKEN, before)
    scene.clock.advance(1.1)
    assert scene.enter()


def test_a_breaker_opens_when_too_many_of_the_last_exchanges_failed() -> None:
    scene = Scene(
        CircuitTerms(failures=100, unreachable=100, percent=50, minimum=10, window_s=10, refuses=True),
        TEXTS[:1],
    )
    for _ in range(4):
        scene.answer(A)
        scene.fail(A)
    assert scene.enter(), "there were eight, and ten are needed"
    scene.clock.advance(11)
    for _ in range(5):
        scene.answer(A)
    scene.fail(A, 4)
    assert scene.enter(), "those of eleven seconds ago do not count"
    scene.fail(A)
    assert not scene.enter()


def test_an_answer_counts_as_a_failure_where_the_service_says_so() -> None:
    scene = Scene(
        CircuitTerms(failures=2, unreachable=2, statuses=frozenset((503,)), refuses=True), TEXTS[:1]
    )
    scene.answer(A, 503)
    scene.answer(A, 500)
    scene.answer(A, 503)
    assert scene.enter(), "500 is an answer like any other, and ends the row"
    scene.answer(A, 503)
    assert not scene.enter()


def test_of_several_addresses_a_breaker_leaves_out_those_that_are_open() -> None:
    scene = Scene(CircuitTerms(failures=1, unreachable=1, rest_s=5, refuses=True))
    scene.fail(A)
    assert [address for address in scene.ordered() if scene.enter(address)] == [B, C]


def test_checks_in_a_row_turn_calls_away_and_bring_them_back() -> None:
    scene = Scene()

    def check(*, passed: bool) -> bool:
        scene.clock.advance(10)
        return scene.balance.checked(scene.upstreams, A, CHECK, passed=passed)

    assert not check(passed=False)
    assert not check(passed=True)
    assert [check(passed=False) for _ in range(4)] == [False, False, True, False]
    assert scene.ordered()[-1] == A
    assert not check(passed=True)
    assert scene.ordered()[-1] == A
    assert check(passed=True)
    assert scene.is_now(CircuitState.RETURNING)


def test_where_checks_stop_a_call_tries_what_the_last_one_turned_away() -> None:
    scene = Scene()
    for _ in range(3):
        scene.balance.checked(scene.upstreams, A, CHECK, passed=False)
    scene.clock.advance(31)
    assert scene.first() == B
    scene.clock.advance(2)
    assert scene.first() == A


def test_what_is_known_is_bounded() -> None:
    scene = Scene()
    for number in range(10_100):
        scene.fail(Address.parse(f"http://h{number}"), 1, BROKEN)
    assert len(scene.balance._circuits) == 10_000
