"""The access token in an Authorization field: the one reading of it, for the gateway and for every service.

Two readers that differ in a single byte would let a request come in under a name that is not recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems.callers import no_token, proof_refused, token_refused
from lienthong.kit.problems.general import MALFORMED_REQUEST
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.kit.tokens import Confirmation

_AUTHORIZATION: Final = b"authorization"
_OPTIONAL_WHITE_SPACE: Final = b" \t"
_SCHEME: Final = re.compile(rb"(bearer|dpop)(?: +|\Z)", re.IGNORECASE)
_DPOP: Final = b"dpop"
_TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


def authorization_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The value of the Authorization field of a request; None without one. Names are in lower case.

    Raises:
        ProblemError: 400 `malformed-request`, when there are several: the field is no list (RFC 9110 §5.3,
            §11.6.2), and one reader would take the first, another the last.
    """
    values = [value for name, value in headers if name == _AUTHORIZATION]
    if len(values) > 1:
        detail = BilingualText("authorization comes twice.", "authorization xuất hiện hai lần.")
        raise ProblemError(MALFORMED_REQUEST, detail)
    return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access token, and how it was sent."""

    token: str
    with_proof: bool
    """As `DPoP` (RFC 9449 §7.1), the scheme of tokens that are bound to a key; else as `Bearer`."""


def credentials(authorization: bytes | None) -> Credentials:
    """The token in the value of an Authorization field, None when there is no such field.

    The value is `Bearer` or `DPoP`, in any case, one space or more, and a token of the characters that RFC
    6750 §2.1 names (`credentials`, RFC 9110 §11.4); white space around it is not part of it (RFC 9110 §5.5).
    No other byte counts as white space.

    Raises:
        ProblemError: 401 `no-token`, when there is no credential of these schemes; 401 `token-refused` with
            the reason `malformed`, when what follows the scheme is no token.
    """
    value = authorization.strip(_OPTIONAL_WHITE_SPACE) if authorization is not None else b""
    scheme = _SCHEME.match(value)
    if scheme is None or scheme.end() == len(value):
        raise no_token()
    token = value[scheme.end() :]
    if not _TOKEN.fullmatch(token):
        raise token_refused("malformed")
    return Credentials(token.decode("ascii"), scheme[1].lower() == _DPOP)


def check_scheme(sent: Credentials, bound: Confirmation | None) -> None:
    """Check that a verified token was sent as what it is: bound to a key with a proof, else without one.

    Taken as a bearer token, one that is bound would be good for whoever has it (RFC 9449 §7.2); a proof for
    one that is not bound shows nothing (§7.1).

    Raises:
        ProblemError: 401 `dpop-proof-refused`.
    """
    is_bound = bound is not None and bound.key is not None
    if sent.with_proof != is_bound:
        raise proof_refused("bearer" if is_bound else "unbound")
