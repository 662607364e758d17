"""Changes of systems that identity lacks, although the bus had taken them, are published again, no others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.integration.catalog.test_lost_events import SYSTEMS, apply, systems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog, Identity
    from tests.support.nats import NatsServer


@pytest.fixture(autouse=True)
def soon_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change counts as lost after a second."""
    monkeypatch.setenv("LIENTHONG_LOST_AFTER_S", "1")


@pytest.fixture
def lacks(identity: Identity) -> Iterator[set[str]]:
    """The systems that identity says it lacks."""
    yield identity.lacks
    identity.lacks.clear()


async def test_what_identity_lacks_comes_again_and_behind_it_the_newest_change(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province, lacks: set[str]
) -> None:
    await asyncio.to_thread(apply, own_catalog, *place.everything())
    first = await systems(own_nats_server, SYSTEMS)
    lacking = first[0]
    assert lacking != first[-1]
    lacks.add(lacking[0])
    again = (await systems(own_nats_server, SYSTEMS + 2))[: SYSTEMS + 2]
    lacks.clear()
    assert again == [*first, lacking, first[-1]]

    # So nothing looks lost on the next connection.
    before = await systems(own_nats_server, SYSTEMS + 2)
    own_nats_server.stop()
    own_nats_server.start()
    with own_catalog.operator() as operator:
        assert (await asyncio.to_thread(operator.post, f"/systems/{place.consumer}/suspend")).is_success
    assert (await systems(own_nats_server, len(before) + 1))[:-1] == before


async def test_what_identity_lacks_for_good_comes_ever_more_rarely(
    own_catalog: Catalog, own_nats_server: NatsServer, place: Province, lacks: set[str]
) -> None:
    await asyncio.to_thread(apply, own_catalog, *place.everything())
    newest = (await systems(own_nats_server, SYSTEMS))[-1]
    lacks.add(newest[0])
    # After one second, two and four, but not once a second.
    await asyncio.sleep(6)
    found = await systems(own_nats_server, SYSTEMS + 2)
    assert found[SYSTEMS:] in ([newest] * 2, [newest] * 3)
