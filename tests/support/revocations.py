"""What can be taken back, by name, and how it is given back: the four that calls depend on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.client import Client, RefusedError
from lienthong.client.operations import decide_agreement, set_system_state
from lienthong.identity.bootstrap import replace_signing_key
from lienthong.identity.settings import IdentitySettings
from tests.support.platform import AGREEMENT, CONSUMER, PROVIDER, PURPOSE, SERVICE, manifest
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.platform import Platform


@dataclass(frozen=True, slots=True)
class Revocation:
    """A way of taking something back from the consumer of a platform."""

    revoke: Callable[[], object]
    restore: Callable[[], object]


def revocations(platform: Platform, operator: Client) -> Mapping[str, Revocation]:
    """The four kinds, after the platform's agreement has been replaced by one that may be revoked. What is
    restored is in force a moment later."""
    numbers = iter(range(1_000_000))
    named = [""]

    def agree() -> None:
        named[0] = f"taken-back-{next(numbers)}"
        spec = {
            "consumer": CONSUMER,
            "service": SERVICE,
            "purposes": [PURPOSE],
            "legalGround": "Luật Đất đai 2024",
            "status": "approved",
        }
        operator.apply([manifest("Agreement", named[0], spec)])

    def decide(system: str, decision: str) -> Callable[[], object]:
        return lambda: operator.perform(set_system_state(system, decision))

    def take_back(agreement: str) -> None:
        operator.perform(decide_agreement(agreement, "revoke", legal_ground=None, reason="measured"))

    agree()
    take_back(AGREEMENT)
    identity = IdentitySettings(home=platform.home, port_offset=platform.settings.port_offset)
    return {
        "client": Revocation(decide(CONSUMER, "suspend"), decide(CONSUMER, "resume")),
        "signing key": Revocation(lambda: asyncio.run(replace_signing_key(identity)), lambda: None),
        "agreement": Revocation(lambda: take_back(named[0]), agree),
        "service": Revocation(decide(PROVIDER, "suspend"), decide(PROVIDER, "resume")),
    }


def token(platform: Platform) -> str:
    """A new token of the consumer's, as soon as identity knows that it may have one."""
    found: list[str] = []

    def issued() -> bool:
        with Client(platform.consumer) as client, suppress(RefusedError):
            found.append(client.token().value)
        return bool(found)

    wait_until(issued, "identity gives the consumer a token")
    return found[0]
