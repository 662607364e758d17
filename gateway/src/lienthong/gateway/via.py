"""Via: what has forwarded a request before it came here, and that this installation has, as it goes on.

A gateway has to send the field in each request that it forwards (RFC 9110 section 7.6.3). It is what ends a
loop: a service whose address leads back here under another name would be called by its own call, and so on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from lienthong.gateway.request_headers import RequestHeaders

_VIA: Final = field_prefix(b"via")


class Via:
    """The field as the gateways of one installation write it, all with the same pseudonym."""

    def __init__(self, instance: str) -> None:
        name = f"lgsp-{instance}".encode()
        self._since_1_1 = [_VIA, b"1.1 " + name]
        self._before_1_1 = [_VIA, b"1.0 " + name]
        self._own = re.compile(rb"(?:^|,)[ \t]*[^ \t,]+[ \t]+%b(?=[ \t,]|$)" % re.escape(name), re.IGNORECASE)

    def fields(self, *, before_1_1: bool) -> list[bytes]:
        """The gateway's own line, as it is written; `before_1_1` says that the request came as HTTP/1.0.

        It stands behind the lines that came, which pass: together they are the one list of the RFC.
        """
        return self._before_1_1 if before_1_1 else self._since_1_1

    def check(self, headers: RequestHeaders) -> None:
        """Refuse a request that this installation has forwarded already.

        Raises:
            ProblemError: loop-detected.
        """
        # One look for nearly all callers: only proxies write the field.
        if _VIA in headers.passed and any(map(self._own.search, headers.passed_values(_VIA))):
            raise problems.loop_detected()
