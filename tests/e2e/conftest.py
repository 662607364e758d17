"""One running province for all tests that leave it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.province import Province
from tests.support.ports import take_free_offset

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """The province, running."""
    running = Province.start(tmp_path_factory.mktemp("province"), take_free_offset())
    yield running
    running.stop()
