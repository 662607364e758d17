"""Which header fields do not pass, by their names, and why.

Names are compared in lower case with every other character than a letter or digit as `-`: CGI, WSGI and
servers like them hand fields on as variables, where `Remote_User`, `Remote-User` and `Remote.User` are one
(RFC 3875 section 4.1.18).
"""

from __future__ import annotations

import re
from typing import Final

_NEITHER_LETTER_NOR_DIGIT = re.compile(rb"[^a-z0-9]")

HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Fields of one connection, not of the message (RFC 9110 section 7.6.1); beside those of proxies."""
_OF_PROXIES: Final = b"proxy-"
_OWN: Final = b"lgsp-"

# In requests. Servers and frameworks believe these when a proxy in front of them is said to set them; the
# gateway is that proxy, and sets none but its own.
_OF_THE_MESSAGE: Final = (b"content-length", b"cookie", b"expect", b"host")
_CALLERS: Final = (
    # Who calls: of CGI and Tomcat, nginx, Authelia, SSL termination, clouds, X-Road and GovStack.
    b"client-cert", b"client-cert-chain", b"client-verify", b"information-mediator-client", b"remote-email",
    b"remote-groups", b"remote-name", b"remote-user", b"x-amzn-mtls", b"x-anonymous-consumer",
    b"x-authenticated", b"x-client-cert", b"x-client-dn", b"x-client-verify", b"x-govstack-client",
    b"x-id-token", b"x-road-client", b"x-road-represented-party", b"x-road-security-server",
    b"x-road-userid", b"x-tls-client", b"x-userinfo",
    # From where.
    b"client-ip", b"do-connecting-ip", b"fastly-client-ip", b"fly-client-ip", b"forwarded",
    b"forwarded-for", b"forwarded-for-ip", b"remote-addr", b"remote-host", b"true-client-ip",
    b"x-client-ip", b"x-cluster-client-ip", b"x-forward-for", b"x-forwarded", b"x-originating-ip",
    b"x-proxyuser-ip", b"x-real-ip", b"x-true-client-ip",
)  # fmt: skip
_TARGETS: Final = (
    # Another method, address or scheme than the one that was authorized.
    b"front-end-https", b"http-method-override", b"method-override", b"path-info", b"script-name",
    b"x-host", b"x-http-destinationurl", b"x-http-host-override", b"x-method-override",
    b"x-override-method", b"x-request-uri", b"x-scheme", b"x-script-name", b"x-url-scheme",
    b"x-waws-unencoded-url",
    # What a server answers with, or whom it asks (httpoxy: CVE-2016-5385).
    b"proxy", b"x-sendfile-type",
)  # fmt: skip
_REQUEST_NAMES: Final = HOP_BY_HOP | {*_OF_THE_MESSAGE, *_CALLERS, *_TARGETS}
_REQUEST_PREFIXES: Final = (
    _OWN, _OF_PROXIES,
    # Families of the names above: of the gateway's kind, nginx, Envoy, Kong, OAuth2 Proxy, Grafana,
    # Authentik, Tailscale, WebLogic, IIS, Amazon, Azure, Cloudflare, Google, Next.js.
    b"cf-access-", b"cf-connecting-", b"cf-pseudo-", b"client-cert-", b"ssl-client-", b"tailscale-user-",
    b"wl-proxy-", b"x-accel-", b"x-amzn-mtls-", b"x-amzn-oidc-", b"x-appengine-", b"x-arr-",
    b"x-auth-request-", b"x-authenticated-", b"x-authentik-", b"x-azure-", b"x-client-cert-",
    b"x-client-ssl-", b"x-consumer-", b"x-credential-", b"x-envoy-", b"x-forwarded-",
    b"x-goog-authenticated-", b"x-goog-iap-", b"x-http-method", b"x-middleware-",
    b"x-ms-client-principal", b"x-ms-token-", b"x-original-", b"x-remote-", b"x-rewrite-", b"x-ssl-",
    b"x-tls-client-", b"x-webauth-",
)  # fmt: skip

# In answers.
_ORIGIN: Final = (
    # What speaks for the whole origin, which all providers share: its cookies, what browsers remember of it,
    # where they report to, which software it is.
    b"accept-ch", b"alt-svc", b"clear-site-data", b"critical-ch", b"expect-ct", b"nel",
    b"origin-agent-cluster", b"report-to", b"reporting-endpoints", b"server", b"service-worker-allowed",
    b"set-cookie", b"set-cookie2", b"strict-transport-security",
)  # fmt: skip
_FOR_PROXIES: Final = (
    # What a proxy in front of the gateway obeys: send this file, ask elsewhere, take the gateway out.
    b"x-lighttpd-send-file", b"x-lighttpd-send-tempfile", b"x-reproxy-url", b"x-sendfile",
)  # fmt: skip
_RESPONSE_NAMES: Final = HOP_BY_HOP | {b"content-length", b"traceparent", *_ORIGIN, *_FOR_PROXIES}
_RESPONSE_PREFIXES: Final = (
    _OWN, _OF_PROXIES, b"public-key-pins", b"x-accel-", b"x-envoy-", b"x-litespeed-",
)  # fmt: skip


def plain(name: bytes) -> bytes:
    """The name in lower case as it is compared."""
    return _NEITHER_LETTER_NOR_DIGIT.sub(b"-", name)


def passes_to_provider(name: bytes) -> bool:
    """Whether a field of a request is passed on; the name is `plain`."""
    return name not in _REQUEST_NAMES and not name.startswith(_REQUEST_PREFIXES)


def passes_to_caller(name: bytes) -> bool:
    """Whether a field of a provider's answer is passed on; the name is `plain`."""
    return name not in _RESPONSE_NAMES and not name.startswith(_RESPONSE_PREFIXES)
