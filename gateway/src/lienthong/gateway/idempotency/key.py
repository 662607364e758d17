"""The key that a caller states, and what its request is known by.

draft-ietf-httpapi-idempotency-key-header-07 of October 2025: sections 2.1 (syntax), 2.4 (fingerprint).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from lienthong.gateway.call import Call
    from lienthong.gateway.request_headers import RequestHeaders

MAX_KEY: Final = 255
_FIELD: Final = field_prefix(b"idempotency-key")
_TYPE: Final = field_prefix(b"content-type")
_STRING: Final = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,510})"')
"""A String of Structured Fields (RFC 9651 section 3.3.3)."""
_BARE: Final = re.compile(rb"[A-Za-z0-9._~:/+=-]+")
"""Many clients leave the quotation marks out: the same characters are the same key."""


def stated_key(headers: RequestHeaders) -> bytes | None:
    """The key that a request states; None where it states none.

    Raises:
        ProblemError: malformed-request, when it is no string, too long, or stated twice.
    """
    values = headers.passed_values(_FIELD)
    if not values:
        return None
    value = values[0].strip(b" \t")
    quoted = _STRING.fullmatch(value)
    key = re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted is not None else value
    if len(values) > 1 or (quoted is None and not _BARE.fullmatch(value)) or len(key) > MAX_KEY:
        raise problems.malformed_request(
            f'Idempotency-Key is one string of at most {MAX_KEY} characters, like "8e03978e-40d5-43dd".',
            f'Idempotency-Key là một chuỗi không quá {MAX_KEY} ký tự, ví dụ "8e03978e-40d5-43dd".',
        )
    return key


def fingerprint(call: Call, headers: RequestHeaders, body: bytes) -> bytes:
    """What tells a request from another one with the same key: method, target, media type and body, and the
    person for whom a system acts: what one was answered is not for another."""
    digest = hashlib.sha256()
    parts = [call.method.encode(), call.path + call.query, *headers.passed_values(_TYPE), body]
    if call.token is not None and call.token.person is not None:
        parts.append(call.token.person.id.encode())
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
