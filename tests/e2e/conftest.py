"""One running province for all tests that leave it as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.province import Province
from tests.support.ports import take_free_offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sharing import KeptForGroup


@pytest.fixture
def province(kept: KeptForGroup, tmp_path_factory: pytest.TempPathFactory) -> Province:
    """The province, running."""
    return kept.use("province", lambda: _running(tmp_path_factory.mktemp("province")))


@contextmanager
def _running(home: Path) -> Iterator[Province]:
    running = Province.start(home, take_free_offset())
    try:
        yield running
    finally:
        running.stop()
