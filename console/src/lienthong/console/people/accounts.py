"""Accounts as identity shows them, and what somebody may do with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from lienthong.console.errors import agency_missing, platform_away
from lienthong.kit.policy import Action, Grant, Role, may_grant
from lienthong.pages.browsers import browser_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lienthong.console.web import Visit
    from lienthong.kit.text import BilingualText

FOR_AN_AGENCY: Final = (
    Role.AGENCY_ADMINISTRATOR,
    Role.DEVELOPER,
    Role.DATA_OWNER,
    Role.SECURITY_OFFICER,
    Role.AUDITOR,
)
FOR_THE_PLATFORM: Final = (Role.PLATFORM_OPERATOR, Role.SECURITY_OFFICER, Role.AUDITOR)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what identity answered.

        Raises:
            ProblemError: 503 `platform-unavailable`, it is nothing that this version knows.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise platform_away() from error


class _Role(_Answer):
    role: str
    agency: str


class Account(_Answer):
    """An account."""

    id: str
    login: str
    name: str
    agency: str
    state: str
    roles: list[_Role]
    created_at: datetime
    used_at: datetime
    reviewed_at: datetime
    review_due: bool

    @property
    def grants(self) -> frozenset[Grant]:
        """The roles, as far as this version knows them."""
        found = set()
        for one in self.roles:
            try:
                found.add(Grant(Role(one.role), one.agency))
            except ValueError:
                continue
        return frozenset(found)

    @property
    def agencies(self) -> frozenset[str]:
        """The agency that it belongs to, and those that it holds a role for."""
        return frozenset({self.agency, *(one.agency for one in self.roles)})

    @property
    def ever_used(self) -> bool:
        """Whether somebody has signed in since the account was made."""
        return self.used_at != self.created_at


class AccountPage(_Answer):
    """Some accounts, and the cursor of those after them."""

    items: list[Account]
    next: str | None


class Link(_Answer):
    """A one-time link."""

    url: str
    expires_at: datetime


class Invited(_Answer):
    """An account that was just made, and the link for its person."""

    person: Account
    link: Link


class Session(_Answer):
    """A session of a person."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str
    client: str

    @property
    def browser(self) -> BilingualText:
        """What people call the browser."""
        return browser_name(self.client)


class SessionList(_Answer):
    """The sessions of a person, newest first."""

    items: list[Session]


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do with an account. Nobody changes the own one; the other rights are needed for each
    agency that the account touches. Identity decides by the same rule."""

    manage: bool
    suspend: bool
    roles: bool

    @classmethod
    def of(cls, visit: Visit, account: Account) -> Self:
        """Those of whoever looks at it."""
        other = visit.person.id != account.id
        return cls(
            manage=other and all(visit.may(Action.MANAGE_PEOPLE, place) for place in account.agencies),
            suspend=other and all(visit.may(Action.SUSPEND_PEOPLE, place) for place in account.agencies),
            roles=other and bool(visit.places(Action.MANAGE_PEOPLE)),
        )

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return self.manage or self.suspend or self.roles


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """Roles of one agency (or of the platform, "") that a form offers."""

    agency: str
    roles: tuple[Role, ...]


def choices(visit: Visit, account: Account | None = None) -> list[RoleChoice]:
    """The roles that somebody may give: of the own agencies; or of the platform and of the account's."""
    places = set(visit.places(Action.MANAGE_PEOPLE))
    if "" in places and account is not None:
        places |= account.agencies
    return [
        RoleChoice(place, FOR_AN_AGENCY if place else FOR_THE_PLATFORM)
        for place in sorted(places, key=lambda place: (place == "", place))
    ]


def chosen(
    visit: Visit, form: Mapping[str, str], *, another: str, held: Collection[Grant] = ()
) -> frozenset[tuple[str, str]]:
    """The roles that a form wants, each with its agency: those ticked, and of those held the ones that are
    not theirs to take.

    Boxes are named `role:auditor` for the whole platform, `role:auditor@H11.05` for an agency, and
    `role:auditor@+` for the one that the field `another` names.

    Raises:
        ProblemError: 422 `invalid-request`, the field is empty although a role for that agency is ticked:
            without an agency some roles would be held for the whole platform.
    """
    wanted = {(str(grant.role), grant.agency) for grant in held if not may_grant(visit.person.grants, grant)}
    for field, ticked in form.items():
        kind, _, name = field.partition(":")
        if kind != "role" or not ticked:
            continue
        role, at, agency = name.partition("@")
        if agency == "+":
            agency = code_of(form.get(another, ""))
        if at and not agency:
            raise agency_missing(another)
        wanted.add((role, agency))
    return frozenset(wanted)


def code_of(typed: str) -> str:
    """An agency's code as somebody typed it."""
    return typed.strip().upper()


def written(roles: Collection[tuple[str, str]]) -> list[dict[str, str]]:
    """Roles as identity takes them."""
    return [{"role": role, "agency": agency} for role, agency in sorted(roles)]
