"""The shapes of requests and answers of OpenID Connect, but for those that are the RFCs' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lienthong.identity.domain.clients import ClientStatus, RegisteredClient, accepted
from lienthong.identity.openid.domain.applications import (
    LONGEST_ADDRESS,
    MOST_ADDRESSES,
    Application,
    UnusableAddressError,
    check_address,
    check_redirect,
)
from lienthong.kit.text import BilingualText
from lienthong.kit.validation import bilingual_error

if TYPE_CHECKING:
    from datetime import datetime


def _redirect(given: str) -> str:
    try:
        return check_redirect(given)
    except UnusableAddressError as unusable:
        raise bilingual_error(unusable.text) from None


def _address(given: str) -> str:
    try:
        return check_address(given)
    except UnusableAddressError as unusable:
        raise bilingual_error(unusable.text) from None


_NO_ADDRESS: Final = BilingualText(
    "redirect_uris must have an address, unless the client only acts for people (acts_for_people)",
    "redirect_uris phải có ít nhất một địa chỉ, trừ khi hệ thống chỉ thay mặt người dùng (acts_for_people)",
)
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
_Bounded = StringConstraints(min_length=1, max_length=LONGEST_ADDRESS)
Redirect = Annotated[str, _Bounded, AfterValidator(_redirect)]
Address = Annotated[str, _Bounded, AfterValidator(_address)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApplicationName(_Strict):
    """What people are told that they sign in to."""

    vi: _Text
    en: _Text


class ApplicationSpec(_Strict):
    """An application as it is registered (the names of addresses are those of OpenID Connect Dynamic Client
    Registration §2)."""

    name: ApplicationName
    redirect_uris: list[Redirect] = Field(max_length=MOST_ADDRESSES)
    """At least one, but for a client that acts for people and in which nobody signs in."""
    post_logout_redirect_uris: list[Redirect] = Field(default=[], max_length=MOST_ADDRESSES)
    backchannel_logout_uri: Address | None = None
    acts_for_people: bool = False
    """Whether it may exchange people's tokens for such that call services (RFC 8693)."""

    @model_validator(mode="after")
    def _some_use(self) -> Self:
        if not self.redirect_uris and not self.acts_for_people:
            raise bilingual_error(_NO_ADDRESS)
        return self

    def application(self, client_id: str) -> Application:
        """The application of a client; of an address that is given twice one stays."""
        return Application(
            client_id,
            BilingualText(self.name.en, self.name.vi),
            tuple(dict.fromkeys(self.redirect_uris)),
            tuple(dict.fromkeys(self.post_logout_redirect_uris)),
            self.backchannel_logout_uri,
            self.acts_for_people,
        )


class ApplicationView(ApplicationSpec):
    """An application, with the client that it is."""

    client_id: str

    @classmethod
    def of(cls, application: Application) -> ApplicationView:
        """Show an application."""
        return cls.model_construct(
            client_id=application.client_id,
            name=ApplicationName.model_construct(vi=application.name.vi, en=application.name.en),
            redirect_uris=list(application.redirects),
            post_logout_redirect_uris=list(application.after_sign_out),
            backchannel_logout_uri=application.logout,
            acts_for_people=application.acts_for_people,
        )


class ApplicationPage(_Strict):
    """Applications; `next` leads to the page after, where there is one."""

    items: list[ApplicationView]
    next: str | None


class ClientView(_Strict):
    """A system as identity knows it. `keys` are RFC 7638 thumbprints, `certificates` SHA-256 in hex;
    `catalog_version` is the catalog's version of the system that was taken over."""

    client_id: str
    status: ClientStatus
    keys: list[str]
    certificates: list[str]
    catalog_version: int

    @classmethod
    def of(cls, client: RegisteredClient, now: datetime) -> ClientView:
        """Show a system as it may get tokens at a moment."""
        return cls(
            client_id=client.client_id,
            status=client.status,
            keys=accepted(client.jwks, now.timestamp()),
            certificates=list(client.certificates),
            catalog_version=client.catalog_version,
        )


class ClientPage(_Strict):
    """Systems; `next` leads to the page after, where there is one."""

    items: list[ClientView]
    next: str | None


class PushedDocument(msgspec.Struct, frozen=True):
    """A pushed request (RFC 9126 §2.2). `expires_in` is in seconds."""

    request_uri: str
    expires_in: int


class IntrospectionDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token is worth (RFC 7662 §2.2); of one that is worth nothing only that."""

    active: bool
    scope: str = ""
    client_id: str = ""
    username: str = ""
    token_type: str = ""
    exp: int = 0
    iat: int = 0
    sub: str = ""
    aud: str = ""
    iss: str = ""
    jti: str = ""
    cnf: dict[str, str] = {}
    act: dict[str, Any] = {}
    sid: str = ""
    roles: list[str] = []
    stands_for: dict[str, list[str]] = {}
    """The codes of before of agencies that others were merged into."""
    auth_time: int = 0
    acr: str = ""
    amr: list[str] = []


class PersonDocument(msgspec.Struct, frozen=True):
    """What an application is told of a person (OpenID Connect Core §5.3.2), by the scopes of its token."""

    sub: str
    name: str | msgspec.UnsetType = msgspec.UNSET
    preferred_username: str | msgspec.UnsetType = msgspec.UNSET
    agency: str | msgspec.UnsetType = msgspec.UNSET
    """The code of the agency that the person belongs to; empty for the platform's own people."""
    roles: list[str] | msgspec.UnsetType = msgspec.UNSET
    stands_for: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    """The codes of before of agencies that others were merged into."""
