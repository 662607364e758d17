"""Who asks for agreements and who decides on them, and short ways to what they do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.kit.actors import Actor
from lienthong.kit.policy import Grant, Role
from lienthong.kit.problems import ProblemError
from tests.integration.catalog.province import Province
from tests.support.catalog import OPERATOR, Catalog

if TYPE_CHECKING:
    from lienthong.catalog.agreements.domain.agreement import AgreementResource
    from lienthong.catalog.agreements.domain.lifecycle import AgreementAction as Step

PLACE = Province("H11")
_TX = "019ab000-0000-7000-8000-00000000000"
CONSUMER = Actor(PLACE.consumer, transaction_id=f"{_TX}1")
PROVIDER = Actor(PLACE.provider, transaction_id=f"{_TX}2")
UNRELATED = Actor(PLACE.unrelated, transaction_id=f"{_TX}3")


def person(number: int, role: Role, agency: str = "") -> Actor:
    """A person with one role."""
    return Actor(f"person/{number}", frozenset({Grant(role, agency)}), str(number), f"{_TX}{number}")


DEVELOPER = person(4, Role.DEVELOPER, "H11.01")
FIRST, SECOND = (person(number, Role.DATA_OWNER, "H11.05") for number in (5, 6))
SECURITY = person(7, Role.SECURITY_OFFICER)
BOTH = Actor("person/8", DEVELOPER.grants | FIRST.grants, "8", f"{_TX}8")
"""Somebody who asks for the one side and decides for the other."""


@dataclass(frozen=True)
class Desk:
    """The catalog, with short ways to what these tests do."""

    catalog: Catalog

    async def apply(self, *manifests: dict[str, Any], by: Actor = OPERATOR) -> None:
        """Apply manifests."""
        body = json.dumps({"manifests": manifests}).encode()
        await self.catalog.services.apply.apply(body, by, dry_run=False)

    async def ask(self, by: Actor = CONSUMER, **more: object) -> AgreementResource:
        """Ask for the agreement."""
        asked = {"id": "parcels", **PLACE.terms(**more)}
        agreement, _ = await self.catalog.services.agreements.request(asked, by)
        return agreement

    async def take(self, step: Step, by: Actor, stated: int | None = None, **body: str) -> str:
        """Take a step; returns the status."""
        agreements = self.catalog.services.agreements
        return (await agreements.take(PLACE.agreement_id, step, body, by, stated)).status

    async def change(self, by: Actor, stated: int | None = None, **terms: object) -> AgreementResource:
        """Change the terms."""
        body = {**PLACE.terms(), **terms}
        return await self.catalog.services.agreements.change(PLACE.agreement_id, body, by, stated)

    async def history(self, by: Actor = CONSUMER) -> list[tuple[str, str, str]]:
        """All steps: action, status, by."""
        steps, _ = await self.catalog.services.agreements.history(PLACE.agreement_id, by, after=0, limit=200)
        return [(one.action, one.status, one.by) for one in steps]


async def refused(code: str, asked: Any) -> str:  # noqa: ANN401 - any coroutine
    """Check that it is refused with this problem; returns what it says."""
    with pytest.raises(ProblemError) as problem:
        await asked
    assert problem.value.code == code, problem.value.detail.en
    return problem.value.detail.en
