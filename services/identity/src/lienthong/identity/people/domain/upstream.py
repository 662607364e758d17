"""Who somebody is at another provider, and what that provider says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from lienthong.identity.domain.providers import ProviderSpec
from lienthong.identity.people.domain.names import UnusableNameError, login_of
from lienthong.kit.jws import numeric_date
from lienthong.kit.text import shown
from lienthong.relying.tokens import session_of, subject

LONGEST_LABEL: Final = 120
UNKNOWN: Final = datetime.fromtimestamp(0, UTC)
"""When a person has signed in there, where the provider does not say: never lately."""
_PART: Final = 50


class Purpose(StrEnum):
    """What a sign-in at a provider is for."""

    SIGN_IN = "sign-in"
    LINK = "link"
    """Somebody who is signed in wants to sign in by it from now on."""
    ACCEPT = "accept"
    """Somebody takes an account over, with a one-time link."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider, as its owner sees it."""

    id: str
    provider: str
    person_id: str
    label: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Asserted:
    """What a provider has proved: who, and how that person had signed in there.

    `login` is canonical, and None where the operator does not trust this provider to assert it. `proved_at`
    is when the person last proved there who it is; `session` its session there, "" where that is not said.
    """

    provider: str
    issuer: str
    subject: str
    label: str
    login: str | None
    two_factors: bool
    proved_at: datetime
    session: str


def asserted(spec: ProviderSpec, claims: dict[str, Any], now: datetime) -> Asserted:
    """Read verified claims as the operator has mapped them."""
    at = numeric_date(claims.get("auth_time"))
    return Asserted(
        provider=spec.id,
        issuer=spec.issuer,
        subject=subject(claims),
        label=_label(spec, claims),
        login=_login(spec, claims) if spec.link_by_login else None,
        two_factors=_two_factors(spec, claims),
        proved_at=UNKNOWN if at is None else min(datetime.fromtimestamp(at, UTC), now),
        session=session_of(claims) or "",
    )


def _label(spec: ProviderSpec, claims: Mapping[str, Any]) -> str:
    said = (claims.get(spec.claims.name), claims.get(spec.claims.email))
    return " · ".join(shown(one, _PART) for one in said if isinstance(one, str) and one.strip())


def _login(spec: ProviderSpec, claims: Mapping[str, Any]) -> str | None:
    said, verified = claims.get(spec.claims.login), spec.claims.verified
    if not isinstance(said, str) or (verified is not None and claims.get(verified) is not True):
        return None
    try:
        return login_of(said)
    except UnusableNameError:
        return None


def _two_factors(spec: ProviderSpec, claims: Mapping[str, Any]) -> bool:
    methods = claims.get("amr")
    known = [one for one in methods if isinstance(one, str)] if isinstance(methods, list) else []
    return claims.get("acr") in spec.two_factors.acr or not set(spec.two_factors.amr).isdisjoint(known)
