"""A token request: its form (`application/x-www-form-urlencoded`), read strictly, and its parameters."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from lienthong.identity.errors import (
    ASSERTION_TYPE,
    doubled_parameter,
    no_client_authentication,
    no_client_id,
    no_grant_type,
    several_authentications,
    unreadable_form,
    unsupported_grant_type,
)
from lienthong.kit import request_sizes

MAX_BODY: Final = request_sizes.IDENTITY

_MAX_FIELDS: Final = 32
_MAX_CONTENT_TYPE: Final = 256
CLIENT_CREDENTIALS: Final = "client_credentials"
AUTHORIZATION_CODE: Final = "authorization_code"
REFRESH_TOKEN: Final = "refresh_token"  # noqa: S105  a name
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  a name
GRANT_TYPES: Final = (CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN, TOKEN_EXCHANGE)
ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a name
"""What kind of token an exchange takes and gives (RFC 8693 §3)."""
_REPEATABLE: Final = frozenset(("audience", "resource"))
"""Parameters that may come several times (RFC 8693 §2.1, RFC 8707 §2)."""
FORM: Final = "application/x-www-form-urlencoded"
_CHARSETS: Final = frozenset(
    ("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252")
)
"""In all of them ASCII is the same, and neither a JWT nor a scope or an id of a client has anything else."""


@lru_cache(maxsize=64)
def is_form(content_type: str) -> bool:
    """Whether a Content-Type names a form.

    Its parameters say nothing, but for a charset in which a form would be something else than in UTF-8.
    """
    if len(content_type) > _MAX_CONTENT_TYPE:
        return False
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_param("charset", "utf-8")
    return message.get_content_type() == FORM and isinstance(charset, str) and charset.lower() in _CHARSETS


def read_form(body: bytes) -> Mapping[str, str]:
    """Read the parameters; those without a value are treated as omitted (RFC 6749 §3.2).

    Of a parameter that may come several times the values are joined by spaces, which none of them has here.

    Raises:
        TokenError: invalid_request, if the body is no form or has a parameter twice.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise unreadable_form() from error
    form: dict[str, str] = {}
    for name, value in pairs:
        if name not in form:
            form[name] = value
        elif name in _REPEATABLE:
            form[name] += f" {value}"
        else:
            raise doubled_parameter()
    return {name: value for name, value in form.items() if value}


def check_grant(form: Mapping[str, str]) -> None:
    """Check that the parameters ask for a token by one of `GRANT_TYPES` (RFC 6749 §4).

    Raises:
        TokenError: they do not.
    """
    if "grant_type" not in form:
        raise no_grant_type(GRANT_TYPES)
    if form["grant_type"] not in GRANT_TYPES:
        raise unsupported_grant_type(GRANT_TYPES)


def check_authentication(form: Mapping[str, str], *, certificate: bool) -> None:
    """Check that the parameters authenticate the client, with an assertion (RFC 7523 §2.2), or where a
    `certificate` was shown with that and `client_id` (RFC 8705 §2).

    Raises:
        TokenError: they do not.
    """
    if certificate and not form.keys() & {"client_assertion", "client_assertion_type", "client_secret"}:
        if "client_id" not in form:
            raise no_client_id()
        return
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise no_client_authentication()
    if "client_secret" in form:
        raise several_authentications()
