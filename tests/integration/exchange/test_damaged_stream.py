"""Bytes are flipped and files cut off in the store of NATS: who lacks an event gets it, and nobody twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.exchange.test_lost_stream import everything, nats_stopped, persist
from tests.integration.exchange.world import Party, World, ids
from tests.support.damage import cut_in_the_middle, cut_to_nothing, flip_at_the_end, flip_in_the_middle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    "damage",
    [flip_in_the_middle, flip_at_the_end, cut_in_the_middle, cut_to_nothing],
)
def test_a_block_that_is_damaged_while_events_wait_loses_none(
    world: World, damage: Callable[[Path], None]
) -> None:
    party = Party(world)
    party.subscribe()
    party.publish(*"123456")
    taken = party.pull(most=2)
    party.ack(taken)

    with nats_stopped(world) as store:
        damage(newest_block(store))

    persist(party, "7")
    assert [*ids(taken), *ids(everything(party))] == list("1234567")


def newest_block(store: Path) -> Path:
    """Where NATS has written the newest events."""
    return max(store.rglob("EVENTS/msgs/*.blk"), key=lambda path: int(path.stem))
