"""Which address of a provider is called next."""

from __future__ import annotations

from lienthong.gateway.http1.address import Address, Origin
from lienthong.gateway.http1.balance import Balance
from lienthong.gateway.http1.errors import ProviderBrokenError, ProviderTimeoutError, ProviderUnreachableError
from lienthong.kit.clock import ManualClock

A, B, C = (Address.parse(f"http://{name}.example") for name in "abc")
GONE, BROKEN = ProviderUnreachableError("gone"), ProviderBrokenError("broken")


class Scene:
    """A balance whose clock and load a test sets."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.load: dict[Origin, int] = {}
        self.balance = Balance(lambda origin: self.load.get(origin, 0), self.clock.monotonic)

    def first(self, *addresses: Address) -> Address:
        return self.balance.ordered(addresses or (A, B, C))[0]

    def fail(self, address: Address, times: int = 1) -> None:
        for _ in range(times):
            self.balance.failed(address.origin, GONE)


def test_the_one_with_the_least_to_do_is_first_and_equals_keep_their_order() -> None:
    scene = Scene()
    assert list(scene.balance.ordered((B, C, A))) == [B, C, A]
    scene.load = {A.origin: 3, B.origin: 1, C.origin: 2}
    assert list(scene.balance.ordered((A, B, C))) == [B, C, A]


def test_one_that_takes_no_connection_is_left_alone_and_comes_last() -> None:
    scene = Scene()
    scene.fail(A)
    scene.load = {B.origin: 9, C.origin: 8}
    assert list(scene.balance.ordered((A, B, C))) == [C, B, A]
    assert scene.balance.resting == 1


def test_where_all_fail_all_are_tried_the_first_to_come_back_first() -> None:
    scene = Scene()
    for address in (B, A, C):
        scene.fail(address)
        scene.clock.advance(0.1)
    assert list(scene.balance.ordered((A, B, C))) == [B, A, C]


def test_only_answers_that_stay_away_again_and_again_are_a_reason_to_leave_one_alone() -> None:
    scene = Scene()
    for failure in (BROKEN, ProviderTimeoutError("late"), BROKEN, BROKEN):
        scene.balance.failed(A.origin, failure)
    assert scene.first() == A
    scene.balance.succeeded(A.origin)
    for _ in range(4):
        scene.balance.failed(A.origin, BROKEN)
    assert scene.first() == A
    scene.balance.failed(A.origin, BROKEN)
    assert scene.first() == B


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


def test_one_that_is_well_again_gets_its_share_back_little_by_little() -> None:
    scene = Scene()
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A
    scene.balance.succeeded(A.origin)
    assert scene.balance.resting == 0
    scene.load = {B.origin: 5, C.origin: 5}
    shares = []
    for _ in range(3):
        shares.append([scene.first() for _ in range(80)].count(A))
        scene.clock.advance(15.1)
    assert shares[0] == 10
    assert 10 < shares[1] < shares[2] == 80
    scene.balance.succeeded(A.origin)
    scene.fail(A)
    scene.clock.advance(1.1)
    assert scene.first() == A, "what was long ago is forgotten: it rests for a second"


def test_what_is_known_is_bounded() -> None:
    scene = Scene()
    for number in range(10_100):
        scene.balance.failed(Origin(f"h{number}", 80, tls=False), BROKEN)
    assert len(scene.balance._states) == 10_000
