"""A server of the bus that answers nothing is left for another one, and not sooner than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.bus.servers import Servers

if TYPE_CHECKING:
    from lienthong.kit.clock import ManualClock

THREE = ["nats://nats-0.nats:4222", "nats-1.nats", "nats://nats-2.nats:4333"]


def test_a_server_is_left_when_it_has_answered_nothing_for_five_seconds(clock: ManualClock) -> None:
    servers = Servers(THREE, clock.monotonic)
    assert not servers.silent()
    clock.advance(4.9)
    assert not servers.silent()
    servers.answered()
    assert not servers.silent()
    clock.advance(4.9)
    assert not servers.silent()
    clock.advance(0.1)
    assert servers.silent()


def test_the_only_server_is_never_left(clock: ManualClock) -> None:
    servers = Servers(["nats://127.0.0.1:4222"], clock.monotonic)
    for _ in range(10):
        clock.advance(10)
        assert not servers.silent()


def test_one_that_was_left_is_tried_last() -> None:
    servers = Servers(THREE)
    assert sorted(servers.addresses) == sorted(THREE)
    for host, port, address in (("nats-0.nats", 4222, THREE[0]), ("nats-1.nats", 4222, THREE[1])):
        servers.leave(host, port)
        assert servers.addresses[-1] == address
    assert servers.addresses == [THREE[2], THREE[0], THREE[1]]
    servers.leave("elsewhere", 4222)
    assert servers.addresses == [THREE[2], THREE[0], THREE[1]]


def test_processes_begin_with_different_servers() -> None:
    assert len({Servers(THREE).addresses[0] for _ in range(200)}) == 3
