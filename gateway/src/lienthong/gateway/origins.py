"""Which pages of other origins a service lets read its answers (CORS: the Fetch standard, section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANY: Final = b"*"


class AllowedOrigins:
    """The origins that a service names, such as `https://portal.example.vn`, or `*` for every one."""

    __slots__ = ("_origins", "max_age_s")

    def __init__(self, origins: Iterable[str], max_age_s: int) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)
        self.max_age_s = max_age_s
        """For how many seconds a browser may remember what it asked before a call."""

    @property
    def any(self) -> bool:
        """Whether every page may."""
        return _ANY in self._origins

    def named_for(self, origin: bytes | None) -> bytes | None:
        """What the answer to a page of `origin` names as allowed; None: the page may not read it."""
        if self.any:
            return _ANY
        return origin if origin in self._origins else None
