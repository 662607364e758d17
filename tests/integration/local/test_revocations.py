"""What is taken back is refused by every worker of every gateway: client, key, agreement or service."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.support.in_force import Asked, another_gateway, connected_to_each, refused_after, wait_allowed
from tests.support.platform import Platform, running_platform
from tests.support.revocations import Revocation, revocations, token
from tests.support.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class World:
    """A platform with two gateways of two workers each."""

    def __init__(self, platform: Platform, kinds: Mapping[str, Revocation], asked: list[Asked]) -> None:
        self.platform = platform
        self.kinds = kinds
        self.asked = asked


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("revocations")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("LIENTHONG_GATEWAY_WORKERS", "2")
        platform = stack.enter_context(
            running_platform(folder / "home", stack.enter_context(running_upstream()))
        )
        operator = stack.enter_context(platform.operator())
        kinds = revocations(platform, operator)
        port, process = stack.enter_context(another_gateway(platform, folder / "another"))
        main, first = platform.installation.supervisor.pid("gateway"), token(platform)
        asked = [
            *stack.enter_context(connected_to_each(platform.settings.port("gateway"), main, first)),
            *stack.enter_context(connected_to_each(port, process, first)),
        ]
        yield World(platform, kinds, asked)


@pytest.mark.parametrize("kind", ["client", "signing key", "agreement", "service"])
def test_what_is_taken_back_is_refused_everywhere(world: World, kind: str) -> None:
    present = token(world.platform)
    wait_allowed(world.asked, present)
    assert len(world.asked) == 4
    refused_after(world.asked, present, world.kinds[kind].revoke)
    world.kinds[kind].restore()
