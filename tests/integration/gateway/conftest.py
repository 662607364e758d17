"""A world around a real gateway: one that tests share, and ones that a test may break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.gateway.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running gateway for all tests of a module; what a test changes it puts back."""
    world = World(
        tmp_path_factory.mktemp("world"), unauthenticated_per_s=10_000, unauthenticated_burst=10_000
    )
    try:
        world.start()
        yield world
    finally:
        world.close()


@pytest.fixture
def new_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes worlds of the test's own, with settings of its choice; their gateways are not started yet."""
    worlds: list[World] = []

    def make(**settings: object) -> World:
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        worlds.append(World(folder, **settings))
        return worlds[-1]

    yield make
    for made in worlds:
        made.close()
