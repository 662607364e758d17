"""Which fields of a provider's answer the caller gets."""

from __future__ import annotations

import pytest

from lienthong.gateway.response_headers import passed_headers


def passed(name: bytes, *, from_platform: bool = False) -> list[tuple[bytes, bytes]]:
    fields = passed_headers([(name, b"x"), (b"X-Mine", b"1")], from_platform=from_platform).fields
    return [
        (prefix.removeprefix(b"\r\n").removesuffix(b": "), value)
        for prefix, value in zip(fields[::2], fields[1::2], strict=True)
    ]


@pytest.mark.parametrize(
    "name",
    [
        # what speaks for the whole origin
        b"Set-Cookie", b"Set-Cookie2", b"set_cookie", b"Server", b"NEL", b"Report-To",
        b"Reporting-Endpoints", b"Alt-Svc", b"Clear-Site-Data", b"Service-Worker-Allowed",
        b"Strict-Transport-Security", b"Accept-CH", b"Critical-CH", b"Expect-CT", b"Public-Key-Pins",
        b"Public-Key-Pins-Report-Only", b"Origin-Agent-Cluster",
        # what a proxy in front of the gateway obeys
        b"X-Accel-Redirect", b"X-Accel-Buffering", b"X_Accel_Redirect", b"X-Sendfile",
        b"X-Lighttpd-Send-File", b"X-LiteSpeed-Location", b"X-Reproxy-URL",
        b"X-Envoy-Immediate-Health-Check-Fail",
        # of the connection, and the gateway's own
        b"Keep-Alive", b"Proxy-Authenticate", b"Proxy-Status", b"Upgrade", b"Trailer", b"TE",
        b"traceparent", b"LGSP-Client", b"lgsp_error", b"LGSP-Error",
    ],
)  # fmt: skip
def test_what_is_not_a_providers_to_say_does_not_pass(name: bytes) -> None:
    assert passed(name) == [(b"x-mine", b"1")]


@pytest.mark.parametrize(
    "name",
    [
        b"Content-Type", b"Content-Encoding", b"Content-Disposition", b"Content-Security-Policy", b"ETag",
        b"Location", b"Retry-After", b"WWW-Authenticate", b"Cache-Control", b"Vary", b"Link",
        b"Deprecation", b"Sunset", b"Warning", b"RateLimit", b"X-Request-Id",
        b"Access-Control-Allow-Origin", b"Digest", b"X-Powered-By", b"Via", b"Date",
    ],
)  # fmt: skip
def test_what_an_answer_says_of_itself_passes(name: bytes) -> None:
    assert passed(name) == [(name.lower(), b"x"), (b"x-mine", b"1")]


def test_the_platforms_services_name_their_error() -> None:
    assert (b"lgsp-error", b"x") in passed(b"LGSP-Error", from_platform=True)
    assert (b"lgsp_error", b"x") not in passed(b"lgsp_error", from_platform=True)
