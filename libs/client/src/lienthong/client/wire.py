"""What both clients share: addresses, time-outs, and the errors that stand for httpx's."""

from __future__ import annotations

import ipaddress
import os
import ssl
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx

from lienthong.client.errors import CredentialsError, InputError, NotYetRecordedError, Text, UnreachableError
from lienthong.client.proofs import ProofMaker
from lienthong.client.tokens import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lienthong.client.credentials import Credentials
    from lienthong.client.operations import Operation

Auth = TypeVar("Auth", bound=httpx.Auth)

CONNECT_TIMEOUT = 5.0
USER_AGENT = f"lienthong-client/{version('lienthong-client')}"
JSON_ACCEPT = "application/json, application/problem+json, */*;q=0.5"


def gateway_url(credentials: Credentials | None, gateway: str | None) -> str:
    """The gateway's address without a final slash: the one given, else the issuer of the credentials."""
    chosen = gateway or (credentials.issuer if credentials is not None else None)
    if chosen is None:
        raise InputError(
            Text("Chưa biết địa chỉ cổng", "The gateway's address is not known"),
            advice=Text("Nêu bằng gateway=… hoặc --gateway.", "Give it as gateway=… or --gateway."),
        )
    parts = urlsplit(chosen)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            Text("Địa chỉ cổng không hợp lệ", "The gateway's address is not valid"),
            Text(f"«{chosen}» không phải URL http(s).", f"'{chosen}' is not an http(s) URL."),
            Text("Ví dụ: --gateway http://127.0.0.1:8080", "For example: --gateway http://127.0.0.1:8080"),
        )
    return chosen.rstrip("/")


def token_cache(
    credentials: Credentials | None,
    gateway: str,
    *,
    now: Callable[[], float],
    monotonic: Callable[[], float],
    dpop: bool,
) -> TokenCache | None:
    """The tokens of a client, none without credentials; with `dpop` they are bound to a key of its own.

    Where the gateway is reached at another address than its issuer (a tunnel, a port forwarded), tokens are
    fetched there too; the assertion's audience stays the issuer.
    """
    if credentials is None:
        return None
    endpoint = credentials.token_endpoint
    if gateway != credentials.issuer.rstrip("/"):
        endpoint = gateway + urlsplit(endpoint).path
    proofs = ProofMaker(gateway, credentials.issuer, now=now) if dpop else None
    return TokenCache(credentials, endpoint, now=now, monotonic=monotonic, proofs=proofs)


def required(auth: Auth | None) -> Auth:
    """The authentication, or `CredentialsError` that says how to give credentials."""
    if auth is None:
        raise CredentialsError(
            Text("Cần thông tin xác thực", "Credentials are needed"),
            advice=Text(
                "Chọn bằng --as THƯ_MỤC hoặc --as TÊN.", "Choose them with --as FOLDER or --as NAME."
            ),
        )
    return auth


def options(gateway: str, timeout: float, tls: ssl.SSLContext | None = None) -> dict[str, Any]:
    """Keyword arguments for `httpx.Client` and `httpx.AsyncClient`.

    For an address of this very machine the proxy variables of the environment are ignored.
    """
    address = urlsplit(gateway)
    here = _is_this_machine(address.hostname or "")
    if tls is None and here:
        if address.scheme == "http":
            # It is never used, and to read all authorities takes longer than most requests.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        elif authorities := os.environ.get("SSL_CERT_FILE"):
            # httpx would leave it out together with the proxies.
            tls = ssl.create_default_context(cafile=authorities)
    return {
        "verify": tls if tls is not None else True,
        "base_url": gateway,
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
        "headers": {"User-Agent": USER_AGENT, "Accept": JSON_ACCEPT},
        "follow_redirects": False,
        "trust_env": not here,
    }


def arguments(operation: Operation[Any], auth: httpx.Auth | None, timeout: float) -> dict[str, Any]:
    """Keyword arguments of one request."""
    return {
        "method": operation.method,
        "url": operation.path,
        "params": dict(operation.params) or None,
        "headers": dict(operation.headers),
        "content": operation.content,
        "auth": None if operation.public else auth,
        "timeout": httpx.Timeout(timeout + operation.timeout, connect=min(timeout, CONNECT_TIMEOUT)),
    }


@contextmanager
def failures(gateway: str) -> Iterator[None]:
    """Turn httpx's errors into `UnreachableError` and `InputError`."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise UnreachableError(
            Text("Cổng không trả lời kịp", "The gateway did not answer in time"),
            Text(
                f"{gateway}: quá thời hạn ({type(error).__name__}).",
                f"{gateway}: timed out ({type(error).__name__}).",
            ),
            Text("Thử lại; nếu còn lỗi: lienthong doctor", "Try again; if it lasts: lienthong doctor"),
            code="timeout",
        ) from error
    except httpx.TransportError as error:
        raise UnreachableError(
            Text("Không kết nối được với cổng", "The gateway cannot be reached"),
            Text(f"{gateway}: {error}", f"{gateway}: {error}"),
            Text(
                "Cổng có đang chạy không? Xem lại --gateway hoặc LIENTHONG_GATEWAY, rồi: lienthong doctor",
                "Is the gateway running? Check --gateway or LIENTHONG_GATEWAY, then: lienthong doctor",
            ),
        ) from error
    except httpx.InvalidURL as error:
        raise InputError(
            Text("Đường dẫn không hợp lệ", "The path is not valid"), Text(str(error), str(error))
        ) from error


def retry_pause(error: NotYetRecordedError, *, waited: float, limit: float) -> float | None:
    """Seconds to wait before asking for a receipt again, or none when that would exceed `limit` seconds.

    The bus says how long with Retry-After; in the first second we ask more often, for most transactions are
    integrated by then.
    """
    asked = error.retry_after if error.retry_after is not None else 1.0
    pause = min(asked, 0.2) if waited < 1.0 else asked
    return pause if waited + pause <= limit else None


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
