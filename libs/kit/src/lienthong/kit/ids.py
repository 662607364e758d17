"""Identifiers that sort by the time they were made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import uuid_utils

NewId: TypeAlias = Callable[[], str]
"""Makes a new identifier at each call."""


def uuid7() -> str:
    """A new UUIDv7 (RFC 9562 §5.7) in its canonical text form."""
    return str(uuid_utils.uuid7())
