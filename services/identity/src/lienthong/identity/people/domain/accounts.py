"""Accounts of officials: their states, and who may change what of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lienthong.kit.actors import Actor, actor_name
from lienthong.kit.policy import Action, Grant, allowed, may_grant, needs_second_factor
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems.roles import role_required

MOST_GRANTS: Final = 50
"""Roles of one person; someone who works for more agencies holds a role for the whole platform."""


class AccountState(StrEnum):
    """Whether a person may sign in."""

    INVITED = "invited"
    """There is a link, and no password yet."""
    ACTIVE = "active"
    LOCKED = "locked"
    """Nobody signed in for so long that the account was closed; who manages people opens it again."""
    SUSPENDED = "suspended"
    """Somebody said that it must not be used."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. `agency` is the one that the person belongs to; "" is the platform's own."""

    id: str
    login: str
    name: str
    agency: str
    state: AccountState
    grants: frozenset[Grant]
    created_at: datetime
    used_at: datetime
    """When the person last signed in, or was let in: what the idle days count from."""
    reviewed_at: datetime
    """When somebody last confirmed that the account and its roles are needed."""
    password_hash: str | None = field(default=None, repr=False)

    @property
    def needs_second_factor(self) -> bool:
        """Whether its roles demand two factors."""
        return needs_second_factor(self.grants)


@dataclass(frozen=True, slots=True)
class AccountRules:
    """How long an account may lie idle before it is locked, and how long a review holds."""

    idle: timedelta = timedelta(days=45)
    review: timedelta = timedelta(days=182)

    def is_idle(self, account: Account, now: datetime) -> bool:
        """Whether an active account has not been used for too long."""
        return account.state is AccountState.ACTIVE and now - account.used_at >= self.idle

    def review_due(self, account: Account, now: datetime) -> bool:
        """Whether somebody has to confirm the account."""
        return now - account.reviewed_at >= self.review


def person_actor(account: Account, transaction_id: str = "", application: str = "") -> Actor:
    """A person who acts, with the roles of this moment; in an application, or on our own pages."""
    return Actor(actor_name(account.id), account.grants, account.id, transaction_id, application)


def may_see(actor: Actor, account: Account) -> bool:
    """Whether `actor` may see this account: who may for the agency that it belongs to or holds a role for."""
    return actor.id == account.id or any(
        allowed(actor.grants, Action.READ_PEOPLE, agency) for agency in agencies_of(account)
    )


def may_change(actor: Actor, action: Action, account: Account) -> bool:
    """Whether `actor` may do `action` to this account.

    Nobody does to the own account what somebody else has to look at. And who may manage one agency's people
    must not come into another's by a link for an account that holds roles there, or stop a platform
    operator: the right is needed for the account's agency and for each agency that it holds a role for.
    """
    return actor.id != account.id and all(
        allowed(actor.grants, action, agency) for agency in agencies_of(account)
    )


def refusal(actor: Actor, action: Action, account: Account) -> ProblemError:
    """Why `actor` may not do `action` to this account: the first agency whose role is missing."""
    lacking = (agency for agency in sorted(agencies_of(account)) if not actor.may(action, agency))
    return role_required(action, next(lacking, account.agency))


def agencies_of(account: Account) -> set[str]:
    """The agency that an account belongs to, and those that it holds a role for."""
    return {account.agency, *(grant.agency for grant in account.grants)}


def ungrantable(actor: Actor, before: Collection[Grant], wanted: Collection[Grant]) -> list[Grant]:
    """The roles that `actor` may not give or take away, of those that differ; sorted."""
    return sorted(grant for grant in {*before} ^ {*wanted} if not may_grant(actor.grants, grant))


def visible_agencies(actor: Actor) -> frozenset[str] | None:
    """The agencies whose people `actor` may see; None for those of all."""
    return actor.agencies(Action.READ_PEOPLE)
