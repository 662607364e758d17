"""The audit records of what is done to accounts, in the transaction of the act."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.events import ACTOR
from lienthong.identity.people.domain.accounts import Account
from lienthong.kit.actors import Actor, actor_name
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.policy import Grant

IDENTITY: Final = Actor(ACTOR, frozenset())
"""The service itself, where nobody asked."""


async def record(
    journal: AdminJournal,
    session: AsyncSession,
    actor: Actor,
    action: str,
    person_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record an act on an account: no login, no name, no address, no secret."""
    act = AdminAct(
        actor.name, action, f"Person/{person_id}", actor.recorded(detail or {}), actor.transaction_id
    )
    await journal.add(session, act)


def itself(account: Account) -> Actor:
    """The person, who acts on the own account."""
    return Actor(actor_name(account.id), account.grants, account.id)


def named(grants: Collection[Grant]) -> list[str]:
    """Roles as records and answers name them: `developer@H11.05`, `auditor@platform`."""
    return [f"{one.role}@{one.agency or 'platform'}" for one in sorted(grants)]
