"""Certificates that a system shows at the edge, by their SHA-256."""

from __future__ import annotations

import re

from lienthong.catalog.errors import InvalidValueError

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}")


def sha256(text: str) -> str:
    """Return the SHA-256 of a certificate's DER form as 64 small hex digits; colons may stand between bytes.

    Raises:
        InvalidValueError: it is no SHA-256 in hex.
    """
    if not _SHA256.fullmatch(text):
        raise InvalidValueError(
            "write the SHA-256 of the certificate in hex, as 'openssl x509 -noout -fingerprint -sha256' does",
            "hãy viết SHA-256 của chứng thư ở dạng hex, như lệnh 'openssl x509 -noout -fingerprint -sha256'",
        )
    return text.replace(":", "").lower()
