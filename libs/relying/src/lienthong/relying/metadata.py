"""What a provider says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lienthong.relying.errors import ProviderAwayError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 2_000
_PRINTABLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """A provider's addresses, and what of the protocol it can do."""

    issuer: str
    authorization: str
    token: str
    keys: str
    pushed: str | None
    userinfo: str | None
    end_session: str | None
    says_issuer: bool
    """Whether each answer of its says by whom it is (RFC 9207 §3)."""


def configuration_address(issuer: str) -> str:
    """Where a provider says all this (OpenID Connect Discovery §4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Read a provider's metadata.

    Raises:
        ProviderAwayError: they are another issuer's (§4.3), or an address is missing or unusable.
    """
    if document.get("issuer") != issuer:
        raise ProviderAwayError("the metadata name another issuer")
    secure = urlsplit(issuer).scheme == "https"

    def address(name: str, *, needed: bool = False) -> str | None:
        said = document.get(name)
        if said is None and not needed:
            return None
        if not isinstance(said, str) or not is_address(said, secure=secure):
            raise ProviderAwayError(f"the metadata have no usable {name}")
        return said

    def needed(name: str) -> str:
        return address(name, needed=True) or ""

    return Metadata(
        issuer,
        needed("authorization_endpoint"),
        needed("token_endpoint"),
        needed("jwks_uri"),
        address("pushed_authorization_request_endpoint"),
        address("userinfo_endpoint"),
        address("end_session_endpoint"),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def is_address(text: str, *, secure: bool = True) -> bool:
    """Whether a text is an address of https, or of http too where `secure` is not demanded: without a user,
    without a fragment."""
    if len(text) > _LONGEST or not _PRINTABLE.fullmatch(text) or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    schemes = ("https",) if secure else ("https", "http")
    return parts.scheme in schemes and bool(host) and "@" not in parts.netloc and "#" not in text
