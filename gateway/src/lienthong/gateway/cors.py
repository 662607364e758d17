"""What browsers ask before a page of another origin calls a service, and what lets the page read the answer.

The Fetch standard, section 3.2 (CORS protocol). Pages show their access token themselves, in Authorization;
nothing here lets a browser add cookies or other credentials of its own, and cookies do not pass anyway.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.field_names import passes_to_provider, plain
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.request_headers import READ_FROM_CALLERS
from lienthong.gateway.response import WholeResponse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.call import Call
    from lienthong.gateway.origins import AllowedOrigins
    from lienthong.gateway.request_headers import RequestHeaders

_ALLOW_ORIGIN: Final = field_prefix(b"access-control-allow-origin")
_ALLOW_METHODS: Final = field_prefix(b"access-control-allow-methods")
_ALLOW_HEADERS: Final = field_prefix(b"access-control-allow-headers")
_MAX_AGE: Final = field_prefix(b"access-control-max-age")
_EXPOSE_HEADERS: Final = field_prefix(b"access-control-expose-headers")
_VARY: Final = field_prefix(b"vary")
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_NO_CONTENT: Final = 204


def is_preflight(call: Call, headers: RequestHeaders) -> bool:
    """Whether a browser asks if a page may make a call: it shows no token, and needs none."""
    return call.method == "OPTIONS" and headers.requested_method is not None and headers.origin is not None


def preflight_response(
    call: Call, headers: RequestHeaders, origins: AllowedOrigins | None, methods: Iterable[str]
) -> WholeResponse:
    """Answer a preflight: the methods that the path allows, and those of the requested fields that are read
    or passed on.

    Raises:
        ProblemError: origin-not-allowed.
    """
    allowed = origins.named_for(headers.origin) if origins is not None else None
    if origins is None or allowed is None:
        raise problems.origin_not_allowed((headers.origin or b"").decode("latin-1"))
    fields = call_headers(call)
    fields += (_ALLOW_ORIGIN, allowed, _ALLOW_METHODS, ", ".join(methods).encode())
    if requested := _allowed_names(headers.requested_names):
        fields += (_ALLOW_HEADERS, requested)
    fields += (_MAX_AGE, b"%d" % origins.max_age_s)
    fields += (_VARY, b"origin, access-control-request-method, access-control-request-headers")
    return WholeResponse(_NO_CONTENT, fields, b"")


def fields_for_page(origins: AllowedOrigins, origin: bytes | None) -> list[bytes]:
    """The fields that let a page of `origin` read the answer of a call, and all of its fields, as written."""
    allowed = origins.named_for(origin)
    fields = [] if origins.any else [_VARY, b"origin"]
    if allowed is not None:
        fields += (_ALLOW_ORIGIN, allowed, _EXPOSE_HEADERS, b"*")
    return fields


def _allowed_names(requested: bytes) -> bytes:
    names = (name.strip(b" \t").lower() for name in requested.split(b","))
    return b", ".join(
        name
        for name in names
        if _TOKEN.fullmatch(name) and (name in READ_FROM_CALLERS or passes_to_provider(plain(name)))
    )
