"""X-Road-Request-Hash: what ties an answer to its request (PR-REST section 4.3).

X-Road's own code says more than the specification: a head is the method, the path with the query, then each
field as `name:value`, each on a line that ends with CR and LF. Fields of the connection and of hosts are left
out; what X-Road adds itself, X-Road-Request-Id and a missing X-Road-Id, stands at the end.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hashlib import _Hash

_CRLF: Final = b"\r\n"
_COLON: Final = b":"
_LEFT_OUT: Final = frozenset(
    (
        b"connection", b"content-length", b"expect", b"host", b"keep-alive", b"proxy-authenticate",
        b"proxy-authorization", b"server", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"user-agent",
        b"x-road-request-hash", b"x-road-request-id",
    )
)  # fmt: skip


def head_digest(method: str, target: bytes, head: bytes, request_id: str, made_id: str | None) -> bytes:
    """SHA-512 of a request's head.

    `target` is the path with its query as they came, `head` the head as it came, `made_id` the X-Road-Id that
    the request did not have.
    """
    parts = [method.encode(), _CRLF, target, _CRLF]
    for line in head.split(_CRLF)[1:]:
        name, colon, value = line.partition(_COLON)
        if colon and name.lower() not in _LEFT_OUT:
            parts += (name, _COLON, value.strip(b" \t"), _CRLF)
    parts += (b"X-Road-Request-Id:", request_id.encode(), _CRLF)
    if made_id is not None:
        parts += (b"X-Road-Id:", made_id.encode(), _CRLF)
    return hashlib.sha512(b"".join(parts)).digest()


def request_hash(head: bytes, body: _Hash | None) -> bytes:
    """The value of the field, in base64; `head` is its digest, `body` that of the body, if there is one."""
    whole = hashlib.sha512(head + body.digest()).digest() if body is not None else head
    return base64.b64encode(whole)
