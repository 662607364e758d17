"""One platform for all attacks, as in life: what one of them leaves behind, the next and the others meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.report import Report
from tests.hostile.world import hostile_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.world import World
    from tests.support.sharing import KeptForGroup


@pytest.fixture
def world(kept: KeptForGroup, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The platform, the hostile tenant, and the well-behaved one that calls all the time."""
    return kept.use("world", lambda: hostile_world(tmp_path_factory.mktemp("hostile")))


@pytest.fixture(scope="session")
def report() -> Iterator[Report]:
    """What was answered, and what others saw meanwhile; written to `build/hostile.md`."""
    kept = Report()
    yield kept
    kept.write()
