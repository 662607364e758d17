"""What of a request's headers the gateway reads, what it passes on, what it refuses."""

from __future__ import annotations

import pytest

from lienthong.gateway import request_headers
from lienthong.gateway.request_headers import RequestHeaders, read_headers
from lienthong.kit.problems import ProblemError


def read(*headers: tuple[bytes, bytes], max_bytes: int = 32_768, max_count: int = 100) -> RequestHeaders:
    return read_headers(headers, max_bytes=max_bytes, max_count=max_count)


def passed(inbound: RequestHeaders) -> bytes:
    """What the provider gets, without the line break before the first field."""
    return b"".join(inbound.passed).removeprefix(b"\r\n")


def stated(inbound: RequestHeaders) -> tuple[str | None, str | None]:
    """The case and the user."""
    context = inbound.context()
    return context.case, context.user


def code(*headers: tuple[bytes, bytes], max_bytes: int = 32_768, max_count: int = 100) -> str:
    with pytest.raises(ProblemError) as refusal:
        read(*headers, max_bytes=max_bytes, max_count=max_count)
    return refusal.value.code


def test_ordinary_headers_pass_in_order_and_repeated() -> None:
    inbound = read((b"accept", b"a"), (b"x", b"1"), (b"x", b"2"), (b"y", "đ".encode()))
    assert passed(inbound) == "accept: a\r\nx: 1\r\nx: 2\r\ny: đ".encode()
    assert (inbound.authorization, inbound.content_length, inbound.chunked) == (None, 0, False)
    assert (inbound.purpose(), stated(inbound), inbound.traceparent) == (None, (None, None), None)


@pytest.mark.parametrize("spelling", [b"lgsp-client", b"lgsp_client", b"lgsp-anything", b"lgsp_case-id"])
def test_no_spelling_of_our_names_passes(spelling: bytes) -> None:
    assert passed(read((spelling, b"x"))) == b""


@pytest.mark.parametrize(
    "name",
    [
        # who calls
        b"remote-user", b"remote_user", b"remote.user", b"x-remote-user", b"x_remote_user",
        b"x-remote-group", b"ssl-client-cert", b"ssl_client_s_dn", b"ssl_client_verify",
        b"x-ssl-client-cert", b"x-ssl-cert", b"x-ssl-client-s-dn", b"client-cert", b"client_cert_chain",
        b"x-client-cert", b"x-client-verify", b"x-arr-clientcert", b"x-amzn-mtls-clientcert",
        b"x-amzn-oidc-identity", b"x-auth-request-user", b"x-webauth-user", b"x-authenticated-userid",
        b"x-authenticated", b"x-authentik-username", b"x-consumer-username", b"x-credential-identifier",
        b"x-userinfo", b"x-id-token", b"wl-proxy-client-cert", b"x-ms-client-principal",
        b"x-ms-client-principal-id", b"x-goog-iap-jwt-assertion", b"cf-access-jwt-assertion",
        b"tailscale-user-login", b"x-road-client", b"x-road-userid", b"information-mediator-client",
        # from where
        b"forwarded", b"x-forwarded", b"x-forwarded-for", b"x_forwarded_for", b"x-forwarded-host",
        b"x-forwarded-proto", b"x-forwarded-prefix", b"x-forwarded-client-cert", b"x-forwarded-user",
        b"x-real-ip", b"x-client-ip", b"client_ip", b"true-client-ip", b"cf-connecting-ip",
        b"fastly-client-ip", b"x-cluster-client-ip", b"x-azure-clientip", b"x-appengine-user-ip",
        b"wl-proxy-client-ip", b"remote-addr",
        # what is asked
        b"x-original-url", b"x_original_url", b"x-original-uri", b"x-original-method", b"x-original-host",
        b"x-rewrite-url", b"x-http-method", b"x-http-method-override", b"x-method-override",
        b"method-override", b"x-host", b"path-info", b"script_name", b"x-script-name", b"x-accel-mapping",
        b"x-sendfile-type", b"x-envoy-original-path", b"x-middleware-subrequest", b"x-waws-unencoded-url",
        b"front-end-https",
        # of the connection, and of proxies
        b"proxy", b"proxy-authorization", b"proxy_authorization", b"proxy-connection", b"te", b"upgrade",
        b"keep-alive", b"http2-settings", b"trailer", b"host", b"expect", b"cookie", b"content_length",
        b"transfer_encoding",
    ],
)  # fmt: skip
def test_nothing_passes_that_servers_take_for_identity_or_another_target(name: bytes) -> None:
    assert passed(read((name, b"x"), (b"x-mine", b"1"))) == b"x-mine: 1"


@pytest.mark.parametrize(
    "name",
    [
        b"accept", b"accept-language", b"content-type", b"content-encoding", b"if-none-match", b"range",
        b"user-agent", b"idempotency-key", b"prefer", b"tracestate", b"baggage", b"x-request-id",
        b"x-correlation-id", b"x-api-key", b"x-api-version", b"x-csrf-token", b"x-requested-with",
        b"x-road-id", b"x-road-issue", b"origin", b"referer", b"via", b"date", b"from", b"digest",
        b"x-user", b"remote", b"x-method", b"x-original", b"ce-id", b"ce-source", b"x_custom",
        b"soapaction",
    ],
)  # fmt: skip
def test_what_applications_say_to_each_other_passes(name: bytes) -> None:
    assert passed(read((name, b"x"))) == name + b": x"


def test_what_the_gateway_reads_is_not_passed_on() -> None:
    inbound = read(
        (b"authorization", b"Bearer x"),
        (b"lgsp-purpose", b"p"),
        (b"lgsp-case-id", "hồ sơ".encode()),
        (b"lgsp-user", b"u"),
        (b"content-length", b"12"),
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    )
    assert passed(inbound) == b""
    assert (inbound.purpose(), stated(inbound)) == ("p", ("hồ sơ", "u"))
    assert (inbound.authorization, inbound.content_length) == (b"Bearer x", 12)
    assert inbound.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_fields_that_connection_names_stay_here_however_often_it_comes() -> None:
    inbound = read(
        (b"connection", b"close, X-A"),
        (b"x-a", b"1"),
        (b"connection", b"x-b"),
        (b"x-b", b"2"),
        (b"x-c", b"3"),
    )
    assert passed(inbound) == b"x-c: 3"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"00-0-0-01",
        b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        b"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\xe9",
    ],
)
def test_a_traceparent_that_is_none_is_not_taken(value: bytes) -> None:
    assert read((b"traceparent", value)).traceparent is None


def test_two_traceparents_are_none() -> None:
    good = (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert read(good, good).traceparent is None


@pytest.mark.parametrize(
    "name", [b"authorization", b"lgsp-purpose", b"lgsp-case-id", b"lgsp-user", b"content-length"]
)
def test_what_may_come_once_is_refused_twice(name: bytes) -> None:
    assert code((name, b"1"), (name, b"1")) == "malformed-request"


@pytest.mark.parametrize("value", [b"", b" ", b"-1", b"+1", b"0x1", b"1_0", "²".encode(), b"0" * 4400])
def test_a_size_that_is_no_number_is_refused(value: bytes) -> None:
    with pytest.raises(ProblemError) as refusal:
        _ = read((b"content-length", value)).content_length
    assert refusal.value.code == "malformed-request"


@pytest.mark.parametrize("value", [b"", b"a\tb", b"\xff", b"x" * 257, "a\u202eb".encode()])
def test_texts_that_could_deceive_a_reader_are_refused(value: bytes) -> None:
    with pytest.raises(ProblemError) as refusal:
        read((b"lgsp-purpose", value)).purpose()
    assert refusal.value.code == "malformed-request"


def test_limits_hold_to_the_byte_and_to_the_field() -> None:
    assert read((b"x", b"1" * 99), max_bytes=100).passed
    assert code((b"x", b"1" * 100), max_bytes=100) == "headers-too-large"
    assert read(*[(b"x", b"")] * 100).passed
    assert code(*[(b"x", b"")] * 101) == "headers-too-large"


def test_names_that_come_in_endlessly_do_not_fill_the_memory() -> None:
    for number in range(10_000):
        read((b"x-%d" % number, b""))
    assert len(request_headers._prefixes) <= 4096
    assert read((b"x-9999", b"1"), (b"lgsp-x-9999", b"1")).passed == [b"\r\nx-9999: ", b"1"]


def test_long_names_are_not_remembered() -> None:
    name = b"x" * 60_000
    read((name, b""), max_bytes=100_000)
    assert name not in request_headers._prefixes


@pytest.mark.parametrize("number", [b"060086999835", b"260123456"])
def test_a_personal_number_is_no_case(number: bytes) -> None:
    with pytest.raises(ProblemError) as refusal:
        read((b"lgsp-case-id", number)).context()
    assert refusal.value.code == "malformed-request"


def test_a_case_may_have_digits() -> None:
    assert read((b"lgsp-case-id", b"000.00.15.H11-250630-0001")).context().case == "000.00.15.H11-250630-0001"


@pytest.mark.parametrize(
    "host",
    [b"gateway.example", b"10.0.0.7:8080", b"[fd00::5]:8443", b"a:", b"lt_1.example", b"xn--lin-thng-2cb.vn"],
)
def test_one_host_is_taken_and_not_passed_on(host: bytes) -> None:
    inbound = read((b"host", host))
    inbound.check_host(required=True)
    assert passed(inbound) == b""


@pytest.mark.parametrize(
    "host", [b"", b"a b", b"a/b", b"a@b", b"a,b c", b"a:80:80", b"[fd00", b"\xc4\x91", b"a%zz", b"a" * 300]
)
def test_a_host_that_is_no_name_is_refused(host: bytes) -> None:
    with pytest.raises(ProblemError, match="Host"):
        read((b"host", host)).check_host(required=True)


def test_a_host_that_is_missing_is_refused_except_in_http_1_0() -> None:
    read().check_host(required=False)
    with pytest.raises(ProblemError, match="Host"):
        read().check_host(required=True)


def test_two_hosts_are_refused() -> None:
    assert code((b"host", b"a"), (b"host", b"a")) == "malformed-request"
