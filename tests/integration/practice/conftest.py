"""One running platform for what real clients, providers and documents do, with a provider that shows bytes.

Each module is one practice; the number in its name is the practice's own, and stands nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.practice.raw import Provider
from tests.support.platform import running_platform

if TYPE_CHECKING:
    from tests.support.platform import Platform
    from tests.support.sharing import KeptForGroup


@pytest.fixture(scope="module")
def provider(kept: KeptForGroup) -> Provider:
    """The provider of the services that these tests register."""
    return kept.use("provider", lambda: Provider().running())


@pytest.fixture(scope="module")
def platform(kept: KeptForGroup, tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Platform:
    """The platform, running; what a test registers has names of its own."""
    return kept.use("platform", lambda: running_platform(tmp_path_factory.mktemp("platform"), provider.url))
