"""The bearer token in an Authorization field: the one reading of it, for the gateway and for every service.

Two readers that differ in a single byte would let a request come in under a name that is not recorded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.kit.problems.callers import no_token, token_refused
from lienthong.kit.problems.general import MALFORMED_REQUEST
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterable

_AUTHORIZATION: Final = b"authorization"
_OPTIONAL_WHITE_SPACE: Final = b" \t"
_SCHEME: Final = re.compile(rb"bearer(?: +|\Z)", re.IGNORECASE)
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


def bearer_token(authorization: bytes | None) -> str:
    """The token in the value of an Authorization field, None when there is no such field.

    The value is `Bearer`, in any case, one space or more, and a token of the characters that RFC 6750 §2.1
    names (`credentials`, RFC 9110 §11.4); white space around it is not part of it (RFC 9110 §5.5). No other
    byte counts as white space.

    Raises:
        ProblemError: 401 `no-token`, when there is no credential of the scheme Bearer; 401 `token-refused`
            with the reason `malformed`, when what follows the scheme is no token.
    """
    value = authorization.strip(_OPTIONAL_WHITE_SPACE) if authorization is not None else b""
    scheme = _SCHEME.match(value)
    if scheme is None or scheme.end() == len(value):
        raise no_token()
    token = value[scheme.end() :]
    if not _TOKEN.fullmatch(token):
        raise token_refused("malformed")
    return token.decode("ascii")
