"""The shapes of requests and answers about people. Texts are brought into their canonical form here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from lienthong.identity.people.domain.accounts import MOST_GRANTS, AccountState
from lienthong.identity.people.domain.names import (
    LONGEST_LOGIN,
    LONGEST_NAME,
    UnusableNameError,
    login_of,
    name_of,
)
from lienthong.identity.people.domain.passwords import LONGEST
from lienthong.identity.people.domain.secrets import LONGEST_TOKEN
from lienthong.kit.policy import Grant, Role
from lienthong.kit.text import BilingualText
from lienthong.kit.validation import bilingual_error

_NEITHER: Final = BilingualText(
    "this role is held for an agency (name its code), or for the whole platform (leave the agency out): "
    "platform-operator for the platform only; agency-administrator, developer, data-owner for an agency only",
    "vai trò này gắn với một cơ quan (ghi mã) hoặc với toàn nền tảng (bỏ trống): platform-operator chỉ cho "
    "toàn nền tảng; agency-administrator, developer và data-owner chỉ cho một cơ quan",
)


def _login(given: str) -> str:
    try:
        return login_of(given)
    except UnusableNameError as unusable:
        raise bilingual_error(unusable.text) from None


def _name(given: str) -> str:
    try:
        return name_of(given)
    except UnusableNameError as unusable:
        raise bilingual_error(unusable.text) from None


Login = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_LOGIN), AfterValidator(_login)]
"""An e-mail address."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=4 * LONGEST_NAME), AfterValidator(_name)]
"""A person's name."""

Agency = Annotated[
    str,
    StringConstraints(
        max_length=35,
        pattern=r"^([A-Z][0-9]{2}(\.[0-9A-Z]+)*|[0-9]{10}(-[0-9]{3})?)?$",
        strip_whitespace=True,
    ),
]
"""An agency's code in its canonical form, as the catalog shows it; empty for the platform."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoleSpec(_Strict):
    """A role, for an agency or (without one) for the whole platform."""

    role: Role
    agency: Agency = ""


def _grants(given: list[RoleSpec]) -> frozenset[Grant]:
    try:
        return frozenset(Grant(one.role, one.agency) for one in given)
    except ValueError:
        raise bilingual_error(_NEITHER) from None


class RolesSpec(_Strict):
    """All roles that a person is to hold."""

    roles: list[RoleSpec] = Field(max_length=MOST_GRANTS)

    @field_validator("roles")
    @classmethod
    def _can_be_held(cls, value: list[RoleSpec]) -> list[RoleSpec]:
        _grants(value)
        return value

    @property
    def grants(self) -> frozenset[Grant]:
        """The roles, each once."""
        return _grants(self.roles)


class InvitationSpec(RolesSpec):
    """Whom to invite. `agency` is the one that the person belongs to; empty for the platform's own people."""

    login: Login
    name: Name
    agency: Agency = ""


class AcceptSpec(_Strict):
    """How an invited person takes the account over. The first administrator also chooses login and name."""

    max_body: ClassVar[int] = 4096

    token: str = Field(min_length=1, max_length=LONGEST_TOKEN)
    password: str = Field(min_length=1, max_length=4 * LONGEST, repr=False)
    login: Login | None = None
    name: Name | None = None


class RoleView(BaseModel):
    """A role that a person holds; `agency` is empty for the whole platform."""

    role: Role
    agency: str


class PersonView(BaseModel):
    """An account."""

    id: str
    login: str
    name: str
    agency: str
    state: AccountState
    roles: list[RoleView]
    created_at: datetime
    used_at: datetime
    """When the person last signed in, or was let in."""
    reviewed_at: datetime
    review_due: bool


class PersonPage(BaseModel):
    """Some accounts; `next` is the cursor of those after them, null at the end."""

    items: list[PersonView]
    next: str | None


class LinkView(BaseModel):
    """A one-time link. It is shown once: who loses it asks for a new one."""

    url: str
    expires_at: datetime


class InvitedView(BaseModel):
    """An account that was just made, and the link for the person."""

    person: PersonView
    link: LinkView


class SessionView(BaseModel):
    """A session: since when, used when last, when it ends at the latest, from where, and how it began."""

    id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    client: str
    factors: list[str]


class SessionList(BaseModel):
    """The sessions of a person, newest first."""

    items: list[SessionView]


class EndedView(BaseModel):
    """How many sessions were ended."""

    ended: int


ACCEPT_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": AcceptSpec.model_json_schema()}},
    }
}
