"""Who asks the gateway for something of its own, in the same way as of every service (decision 0069)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.kit.actors import FOR_PEOPLE, Actor

if TYPE_CHECKING:
    from lienthong.kit.tokens import AccessToken

_OPERATOR: Final = "catalog:admin"
"""The scope of the platform's operator, as in the catalog."""


def actor_of(token: AccessToken, scope: str | None = None) -> Actor:
    """Who has this valid token: a client, which has to have `scope` where one is named, or a person.

    Raises:
        ProblemError: insufficient-scope; of a person, the token is not of the console.
    """
    wanted = scope if token.person is None else FOR_PEOPLE
    if wanted is not None and wanted not in token.scopes:
        raise problems.insufficient_scope(wanted)
    return Actor.of(token, operator=_OPERATOR in token.scopes)
