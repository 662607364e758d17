"""One running platform for what real clients, providers and documents do, with a provider that shows bytes.

Each module is one practice; the number in its name is the practice's own, and stands nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.practice.raw import Provider
from tests.support.platform import running_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.platform import Platform


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The provider of the services that these tests register."""
    with Provider().running() as provider:
        yield provider


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Platform]:
    """The platform, running; what a test registers has names of its own."""
    with running_platform(tmp_path_factory.mktemp("platform"), provider.url) as platform:
        yield platform
