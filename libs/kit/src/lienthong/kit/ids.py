"""Identifiers that sort by the time they were made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import uuid_utils

NewId: TypeAlias = Callable[[], str]
"""Makes a new identifier at each call."""


def uuid7() -> str:
    """A new UUIDv7 (RFC 9562 §5.7) in its canonical text form."""
    return str(uuid_utils.uuid7())


def uuid7_time(identifier: str) -> datetime:
    """When a UUIDv7 was made: its first 48 bits are milliseconds since 1970 (RFC 9562 section 5.7)."""
    return datetime.fromtimestamp(int(identifier.replace("-", "")[:12], 16) / 1000, UTC)
