"""Scopes (RFC 6749 §3.3): what a token permits."""

import re
from collections.abc import Sequence
from typing import Final

from lienthong.identity.errors import invalid_scope, malformed_scope

SYSTEM_SCOPES: Final = ("api", "events")
OPERATOR_SCOPES: Final = ("catalog:admin", "identity:admin")
AUDITOR_SCOPES: Final = ("audit:read",)
CONSOLE: Final = "console"
"""The application in which people work on the platform itself."""
DELEGATED_SCOPES: Final = ("api",)
"""What may be done for a person by token exchange (RFC 8693): the calls that a system may make."""
PEOPLE_SCOPES: Final = ("openid", "profile", "roles")
"""What an application may be told of the people who sign in to it (OpenID Connect Core §5.4)."""
CONSOLE_SCOPES: Final = (*PEOPLE_SCOPES, "platform")
"""With `platform` people act on the platform itself, by their roles: the console's alone, so that no other
application in which an administrator signs in can act as one."""

_SYNTAX: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")


def granted_scopes(asked: str | None, allowed: Sequence[str]) -> tuple[str, ...]:
    """The scopes of a token: those requested, or all that are allowed if none is requested.

    Raises:
        TokenError: invalid_scope, if one is not allowed or the parameter is malformed.
    """
    if asked is None:
        return tuple(allowed)
    if _SYNTAX.fullmatch(asked) is None:
        raise malformed_scope()
    wanted = asked.split(" ")
    refused = next((scope for scope in wanted if scope not in allowed), None)
    if refused is not None:
        raise invalid_scope(refused, " ".join(allowed))
    return tuple(scope for scope in allowed if scope in wanted)
