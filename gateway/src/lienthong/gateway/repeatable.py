"""Which calls of a service may carry an Idempotency-Key, and for how long their answers are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS", "QUERY"))
"""Methods that change nothing (RFC 9110 section 9.2.1): repeated, they need no key."""


class Repeatable:
    """What a service declares: its `operations`, all whose methods are not safe where there are none.

    `required` says whether these calls have to carry a key; answers are kept for `retain_s` seconds.
    """

    __slots__ = ("_operations", "required", "retain_s")

    def __init__(self, operations: Iterable[str], *, required: bool, retain_s: float) -> None:
        self._operations = frozenset(operations)
        self.required = required
        self.retain_s = retain_s

    def covers(self, operation: str, method: str) -> bool:
        """Whether it is about a call of an operation by a method."""
        return operation in self._operations if self._operations else method not in _SAFE
