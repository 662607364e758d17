"""A service with several addresses: who is called, who is left alone, and what is sent again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import API, service
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World


def test_addresses_with_nothing_to_do_are_called_in_turn(world: World) -> None:
    world.change(service([world.provider.url, world.second_provider.url]))
    with world.client() as client:
        for _ in range(20):
            assert client.get(f"{API}/parcels/1").status_code == 200
    assert len(world.provider.seen) == len(world.second_provider.seen) == 10


def test_an_address_that_is_away_costs_few_calls_their_first_attempt(world: World) -> None:
    away = f"http://127.0.0.1:{take_free_port()}"
    world.change(service([away, world.provider.url, world.second_provider.url]))
    before = world.log.read_text().count("provider failed")
    with world.client() as client:
        for _ in range(60):
            assert client.get(f"{API}/parcels/1").status_code == 200
    tried = world.log.read_text().count("provider failed") - before
    assert 1 <= tried <= 10, "not every third of sixty"


def test_an_address_that_comes_back_is_called_again(world: World) -> None:
    world.loop.run(world.second_provider.stop())
    try:
        world.change(service([world.provider.url, world.second_provider.url]))
        with world.client() as client:
            for _ in range(4):
                assert client.get(f"{API}/parcels/1").status_code == 200
            world.loop.run(world.second_provider.start())
            world.second_provider.seen.clear()

            def called() -> bool:
                assert client.get(f"{API}/parcels/1").status_code == 200
                return bool(world.second_provider.seen)

            world.wait(called, "the second address is called again")
    finally:
        with contextlib.suppress(OSError):
            world.loop.run(world.second_provider.start())


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/parcels/once", 200), ("POST", "/parcels", 502)]
)
def test_what_only_reads_is_sent_again_when_a_kept_connection_turns_out_to_be_closed(
    world: World, method: str, path: str, status: int
) -> None:
    seen: list[str] = []

    async def close_the_second(exchange: Exchange) -> None:
        seen.append(exchange.request_line)
        if len(seen) == 2:
            # The connection ends with the request in it, and nothing was answered.
            exchange.writer.close()
        else:
            await exchange.answer()

    world.provider.behaviours[path] = close_the_second
    world.change(service([world.provider.url]))
    try:
        with world.client() as client:
            assert client.request(method, f"{API}{path}").status_code == 200
            assert client.request(method, f"{API}{path}").status_code == status
        assert len(seen) == (3 if status == 200 else 2)
    finally:
        del world.provider.behaviours[path]


def test_what_breaks_on_a_new_connection_is_not_sent_again(world: World) -> None:
    seen: list[str] = []

    async def close(exchange: Exchange) -> None:
        seen.append(exchange.request_line)
        exchange.writer.close()

    world.provider.behaviours["/parcels/closes"] = close
    world.change(service([world.provider.url]))
    with world.client() as client:
        assert client.get(f"{API}/parcels/closes").status_code == 502
        count = len(seen)
        assert count in (1, 2), "once more if the first connection was a kept one"
        assert client.get(f"{API}/parcels/closes").status_code == 502
        assert len(seen) == count + 1, "none is kept now"
