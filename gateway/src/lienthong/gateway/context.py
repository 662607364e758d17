"""What callers state about their calls."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Statement(Enum):
    """What a caller may state about a call, and a service or an agreement may require of every one."""

    PURPOSE = "LGSP-Purpose"
    CASE = "LGSP-Case-Id"
    USER = "LGSP-User"


class CallContext:
    """What the caller states about a call besides its purpose."""

    __slots__ = ("case", "user")

    def __init__(self, case: str | None = None, user: str | None = None) -> None:
        self.case = case
        """LGSP-Case-Id, the case that caused the call."""
        self.user = user
        """LGSP-User, the person on whose behalf the call is made."""


NO_CONTEXT: Final = CallContext()


def unstated(required: frozenset[Statement], purpose: str | None, context: CallContext) -> list[Statement]:
    """What is required and the caller did not state, in the order of `Statement`."""
    stated = {Statement.PURPOSE: purpose, Statement.CASE: context.case, Statement.USER: context.user}
    return [statement for statement in Statement if statement in required and stated[statement] is None]


_PERSONAL_NUMBER_DIGITS: Final = (9, 12)
"""Of an identity card's number, and of a personal identification number."""


def is_personal_number(text: str) -> bool:
    """Whether a text is what a person is known by: it is nowhere kept as it is stated."""
    return len(text) in _PERSONAL_NUMBER_DIGITS and text.isdecimal()
