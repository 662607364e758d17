"""The parts of a JWS in compact form (RFC 7515 §3.1), each in its only spelling."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

_PARTS = 3
_LATEST = 253_402_300_799  # 9999-12-31, the end of datetime


class NotJwsError(ValueError):
    """The text is not three parts of base64url, or what should be a JSON object is none."""


def split(text: str, most: int) -> tuple[str, str, str]:
    """Header, payload and signature of a text of up to `most` characters, still encoded.

    Raises:
        NotJwsError: it is longer, or not three parts.
    """
    if len(text) > most:
        raise NotJwsError
    parts = text.split(".", _PARTS)
    if len(parts) != _PARTS or not all(parts):
        raise NotJwsError
    return parts[0], parts[1], parts[2]


def decoded(part: str) -> bytes:
    """The bytes of a part: base64url as RFC 7515 §2 has it, no padding, no white space, one spelling for each
    value.

    Raises:
        NotJwsError: it is not.
    """
    try:
        raw = part.encode("ascii")
        octets = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise NotJwsError from None
    if base64.urlsafe_b64encode(octets).rstrip(b"=") != raw:
        raise NotJwsError
    return octets


def json_object(part: str) -> dict[str, Any]:
    """The JSON object of a part.

    Raises:
        NotJwsError: it is none.
    """
    try:
        document = msgspec.json.decode(decoded(part))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise NotJwsError from None
    if not isinstance(document, dict):
        raise NotJwsError
    return document


def numeric_date(value: object) -> float | None:
    """The seconds of a NumericDate (RFC 7519 §2); None for what is none, or no date before the year 10000."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        return None
    return float(value)


def base64url(octets: bytes) -> str:
    """Bytes as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=")
