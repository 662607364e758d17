"""Who may do what on which agency's things: the roles of people, and the one table that decides.

Every service asks `allowed` with what it knows of the person, before it does anything; no service decides by
the name of a role. There is no I/O and no state: the decision follows from its arguments alone. Systems are
not people: what a system may do follows from its agreements and its scopes.

The table is in the reference of identity; the reasons are in decision 0058.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Role(StrEnum):
    """What a person is charged with."""

    PLATFORM_OPERATOR = "platform-operator"
    """Installs and runs the platform for everyone; its role is always held for the whole platform."""
    AGENCY_ADMINISTRATOR = "agency-administrator"
    """Decides who works on the platform for an agency."""
    DEVELOPER = "developer"
    """Registers an agency's systems, drafts its services, and requests what its systems may call."""
    DATA_OWNER = "data-owner"
    """Publishes an agency's data, and decides who gets it."""
    SECURITY_OFFICER = "security-officer"
    """Watches over what happens, and stops what must not go on."""
    AUDITOR = "auditor"
    """Reads what happened; changes nothing."""


class Action(StrEnum):
    """What can be done, as `thing:verb`. The thing is an agency's, or the platform's own."""

    READ_CATALOG = "catalog:read"
    """See agencies, systems, services, event types, and who has agreements on them."""
    MANAGE_AGENCIES = "agency:manage"
    """Register an agency, change it, and let another one succeed it."""
    MANAGE_SYSTEMS = "system:manage"
    """Register an agency's systems and change them: keys, certificates, event subscriptions."""
    SUSPEND_SYSTEMS = "system:suspend"
    """Stop an agency's system, and let it go on."""
    DRAFT_SERVICES = "service:draft"
    """Prepare an agency's services, as drafts that others do not see, and put them up for review."""
    MANAGE_SERVICES = "service:manage"
    """Publish an agency's services and event types, and change them."""
    REQUEST_AGREEMENTS = "agreement:request"
    """Ask for an agreement on behalf of an agency's system."""
    DECIDE_AGREEMENTS = "agreement:decide"
    """Approve or reject what others ask for of an agency's data."""
    REVOKE_AGREEMENTS = "agreement:revoke"
    """End an agreement on an agency's data."""
    READ_RECORDS = "record:read"
    """Search the audit records of an agency's calls, and of calls to it."""
    READ_HEALTH = "health:read"
    """See how the platform's processes are, or how calls from and to an agency's systems go, in figures."""
    READ_PEOPLE = "person:read"
    """See an agency's people, their roles, sessions and the list of accounts to review."""
    MANAGE_PEOPLE = "person:manage"
    """Invite an agency's people, change their roles, let locked ones in again, confirm the review."""
    SUSPEND_PEOPLE = "person:suspend"
    """Suspend an agency's people, and sign them out."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role that a person holds: for an agency, by its code, or for the whole platform (`agency` "").

    Raises:
        ValueError: the role cannot be held there.
    """

    role: Role
    agency: str = ""

    def __post_init__(self) -> None:
        if self.agency and self.role not in _FOR_AN_AGENCY:
            raise ValueError(f"{self.role} is held for the whole platform, not for an agency")
        if not self.agency and self.role not in _FOR_THE_PLATFORM:
            raise ValueError(f"{self.role} is held for an agency: name it")

    @classmethod
    def of_name(cls, name: str) -> Grant:
        """Read a role as access tokens name it.

        Raises:
            ValueError: it is none, or cannot be held there.
        """
        role, at, agency = name.partition("@")
        if at and not agency:
            raise ValueError(f"{name} names no agency")
        return cls(Role(role), agency)

    @property
    def name(self) -> str:
        """How access tokens name it: `developer@H11.05`; `auditor` if it is held for the whole platform."""
        return f"{self.role}@{self.agency}" if self.agency else str(self.role)

    def reaches(self, agency: str) -> bool:
        """Whether it is held for this agency's things; "" are the platform's own."""
        return not self.agency or self.agency == agency


_FOR_THE_PLATFORM: Final = frozenset({Role.PLATFORM_OPERATOR, Role.SECURITY_OFFICER, Role.AUDITOR})
_FOR_AN_AGENCY: Final = frozenset(Role) - {Role.PLATFORM_OPERATOR}

_OPERATOR, _ADMINISTRATOR, _DEVELOPER, _OWNER, _SECURITY, _AUDITOR = Role
_MAY: Final[Mapping[Action, frozenset[Role]]] = MappingProxyType(
    {
        Action.READ_CATALOG: frozenset(Role),
        Action.MANAGE_AGENCIES: frozenset({_OPERATOR}),
        Action.MANAGE_SYSTEMS: frozenset({_OPERATOR, _ADMINISTRATOR, _DEVELOPER}),
        Action.SUSPEND_SYSTEMS: frozenset({_OPERATOR, _ADMINISTRATOR, _SECURITY}),
        Action.DRAFT_SERVICES: frozenset({_OPERATOR, _DEVELOPER, _OWNER}),
        Action.MANAGE_SERVICES: frozenset({_OPERATOR, _OWNER}),
        Action.REQUEST_AGREEMENTS: frozenset({_OPERATOR, _ADMINISTRATOR, _DEVELOPER}),
        Action.DECIDE_AGREEMENTS: frozenset({_OWNER}),
        Action.REVOKE_AGREEMENTS: frozenset({_OPERATOR, _OWNER, _SECURITY}),
        Action.READ_RECORDS: frozenset({_OWNER, _SECURITY, _AUDITOR}),
        Action.READ_HEALTH: frozenset(Role) - {_AUDITOR},
        Action.READ_PEOPLE: frozenset({_OPERATOR, _ADMINISTRATOR, _SECURITY, _AUDITOR}),
        Action.MANAGE_PEOPLE: frozenset({_OPERATOR, _ADMINISTRATOR}),
        Action.SUSPEND_PEOPLE: frozenset({_OPERATOR, _ADMINISTRATOR, _SECURITY}),
    }
)
"""Which roles may do it, where they are held."""

_EVERYWHERE: Final = frozenset({Action.READ_CATALOG})
"""What a role for one agency lets a person do with every agency's things: they are shared to be found."""

_TWO_FACTORS: Final = frozenset({_OPERATOR, _ADMINISTRATOR, _SECURITY})


def allowed(grants: Collection[Grant], action: Action, agency: str = "") -> bool:
    """Whether a person with these roles may do `action` on things of `agency`; "" are the platform's own.

    What no line of the table allows is refused.
    """
    may = _MAY[action]
    return any(grant.role in may and (grant.reaches(agency) or action in _EVERYWHERE) for grant in grants)


def reached(grants: Collection[Grant], action: Action) -> frozenset[str]:
    """The agencies on whose things a person with these roles may do `action`; "" stands for all of them."""
    may = _MAY[action]
    anywhere = action in _EVERYWHERE
    return frozenset("" if anywhere else grant.agency for grant in grants if grant.role in may)


def who_may(action: Action, agency: str | None) -> tuple[tuple[Role, str | None], ...]:
    """The roles that allow `action` on things of `agency`, each with where it is held: for the agency, or ""
    for the whole platform. None asks for any agency, and has None for it; "" are the platform's own things.
    """
    found: list[tuple[Role, str | None]] = []
    for role in Role:
        if role not in _MAY[action]:
            continue
        if agency != "" and role in _FOR_AN_AGENCY:
            found.append((role, agency))
        if role in _FOR_THE_PLATFORM and (agency is not None or role not in _FOR_AN_AGENCY):
            found.append((role, ""))
    return tuple(found)


def may_grant(grants: Collection[Grant], wanted: Grant) -> bool:
    """Whether a person with these roles may give `wanted` to someone else, or take it away.

    A role for the whole platform is given by those who manage the platform's own people.
    """
    return allowed(grants, Action.MANAGE_PEOPLE, wanted.agency)


def needs_second_factor(grants: Collection[Grant]) -> bool:
    """Whether a person with these roles signs in with two factors: who could let others in, or stop them."""
    return any(grant.role in _TWO_FACTORS for grant in grants)
