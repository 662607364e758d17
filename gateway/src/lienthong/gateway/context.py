"""What callers state about their calls."""

from __future__ import annotations

from typing import Final


class CallContext:
    """What the caller states about a call besides its purpose."""

    __slots__ = ("case", "user")

    def __init__(self, case: str | None = None, user: str | None = None) -> None:
        self.case = case
        """LGSP-Case-Id, the case that caused the call."""
        self.user = user
        """LGSP-User, the person on whose behalf the call is made."""


NO_CONTEXT: Final = CallContext()
