"""What callers state about their calls."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Statement(Enum):
    """What a caller may state about a call or show with it, and a service or an agreement may require of
    every one."""

    PURPOSE = "LGSP-Purpose"
    CASE = "LGSP-Case-Id"
    USER = "LGSP-User"
    BOUND_TOKEN = "bound-token"  # noqa: S105  its name in manifests
    """An access token that is good for its holder alone: whether it came with what it is bound to is checked
    where callers are authenticated."""


class CallContext:
    """What the caller states about a call besides its purpose."""

    __slots__ = ("case", "user")

    def __init__(self, case: str | None = None, user: str | None = None) -> None:
        self.case = case
        """LGSP-Case-Id, the case that caused the call."""
        self.user = user
        """LGSP-User, the person on whose behalf the call is made."""


NO_CONTEXT: Final = CallContext()


def unstated(
    required: frozenset[Statement], purpose: str | None, context: CallContext, *, bound: bool
) -> list[Statement]:
    """What is required and the caller did not state, in the order of `Statement`.

    `bound` says whether the call has a token that is bound to its caller.
    """
    stated = {
        Statement.PURPOSE: purpose is not None,
        Statement.CASE: context.case is not None,
        Statement.USER: context.user is not None,
        Statement.BOUND_TOKEN: bound,
    }
    return [statement for statement in Statement if statement in required and not stated[statement]]


_PERSONAL_NUMBER_DIGITS: Final = (9, 12)
"""Of an identity card's number, and of a personal identification number."""


def is_personal_number(text: str) -> bool:
    """Whether a text is what a person is known by: it is nowhere kept as it is stated."""
    return len(text) in _PERSONAL_NUMBER_DIGITS and text.isdecimal()
