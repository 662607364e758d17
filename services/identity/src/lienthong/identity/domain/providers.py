"""Providers in which people may sign in instead of here, as an operator's file describes them."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lienthong.kit.text import BilingualText
from lienthong.relying.keys import ALGORITHMS
from lienthong.relying.metadata import is_address

MOST_PROVIDERS: Final = 10
_LOOPBACK: Final = re.compile(r"127(?:\.[0-9]{1,3}){3}|localhost|::1")
_Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
_Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Strict):
    """What people call the provider, in both languages."""

    vi: _Name
    en: _Name


class AuthenticationSpec(_Strict):
    """How we prove ourselves there; the files' names are relative to the folder of this one."""

    method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt"]
    secret_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        by_key = self.method == "private_key_jwt"
        if (self.key_file is not None) != by_key or (self.secret_file is not None) == by_key:
            needed = "key_file" if by_key else "secret_file"
            raise ValueError(f"{self.method} needs {needed} and no other file")
        return self


class ClaimsSpec(_Strict):
    """Which claims say what."""

    name: _Word = "name"
    email: _Word = "email"
    login: _Word = "email"
    """Compared with logins of accounts, where `link_by_login` is set."""
    verified: _Word | None = "email_verified"
    """The claim that has to be true for `login` to count; null where the provider asserts every login."""


class TwoFactorsSpec(_Strict):
    """What the provider says when a person has proved two factors there: any of these values."""

    acr: tuple[_Word, ...] = ()
    amr: tuple[_Word, ...] = ()


class ProviderSpec(_Strict):
    """One provider."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    name: Names
    issuer: str
    client_id: _Word
    authentication: AuthenticationSpec
    scopes: tuple[_Word, ...] = ("openid", "profile", "email")
    algorithms: frozenset[str] = frozenset({"RS256", "PS256", "ES256", "EdDSA"})
    acr_values: tuple[_Word, ...] = ()
    userinfo: bool = False
    claims: ClaimsSpec = ClaimsSpec()
    link_by_login: bool = False
    two_factors: TwoFactorsSpec = TwoFactorsSpec()

    @field_validator("issuer")
    @classmethod
    def _https(cls, issuer: str) -> str:
        parts = urlsplit(issuer) if is_address(issuer, secure=False) else None
        if parts is None or parts.query:
            raise ValueError("must be an https address without query and fragment")
        if parts.scheme != "https" and not _LOOPBACK.fullmatch(parts.hostname or ""):
            raise ValueError("must begin with https://, but on the machine itself")
        return issuer

    @field_validator("algorithms")
    @classmethod
    def _known(cls, algorithms: frozenset[str]) -> frozenset[str]:
        if not algorithms or not algorithms <= ALGORITHMS.keys():
            raise ValueError(f"must be some of {', '.join(ALGORITHMS)}")
        return algorithms

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("must contain openid")
        return scopes

    @property
    def title(self) -> BilingualText:
        """What people call it."""
        return BilingualText(self.name.en, self.name.vi)


class ProvidersSpec(_Strict):
    """The whole file."""

    providers: Annotated[tuple[ProviderSpec, ...], Field(max_length=MOST_PROVIDERS)] = ()

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("id", "issuer"):
            values = [getattr(one, what) for one in self.providers]
            if len(set(values)) < len(values):
                raise ValueError(f"two providers have the same {what}")
        return self
