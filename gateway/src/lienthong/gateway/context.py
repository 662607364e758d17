"""What callers state about their calls."""

from __future__ import annotations

import msgspec


class CallContext(msgspec.Struct, frozen=True):
    """What the caller states about a call besides its purpose."""

    case: str | None = None
    """LGSP-Case-Id, the case that caused the call."""
    user: str | None = None
    """LGSP-User, the person on whose behalf the call is made."""


NO_CONTEXT = CallContext()
