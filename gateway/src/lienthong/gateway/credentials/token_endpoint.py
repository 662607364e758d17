"""One token request over the gateway's own connections: RFC 6749 sections 4.4.2, 4.4.3 and 5.2."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

import msgspec
import structlog

from lienthong.gateway.credentials.tokens import LONGEST_S, TokenUnavailableError
from lienthong.gateway.http1.errors import ProviderError, ProviderRefusedError, ProviderTimeoutError
from lienthong.gateway.http1.fields import written
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.request import provider_request

if TYPE_CHECKING:
    from lienthong.gateway.credentials.secrets import Secret
    from lienthong.gateway.credentials.spec import OAuth2Credential
    from lienthong.gateway.http1.pool import Pool

_TIMEOUT_S: Final = 10.0
_LIMITS: Final = TimeLimits(first_byte_s=_TIMEOUT_S)
_MAX_BYTES: Final = 64 * 1024
_UNSTATED_LIFETIME_S: Final = 60.0
_OK: Final = 200
_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,8192}")
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,40}")

_log = structlog.get_logger(__name__)


async def fetch_token(pool: Pool, credential: OAuth2Credential, secret: Secret) -> tuple[str, float]:
    """A new token, and its lifetime in seconds.

    Raises:
        TokenUnavailableError: there is none; the log has the address, and what the server said.
        SecretMissingError: the secret is not whole.
    """
    client_id, client_secret = (secret.line(member) for member in credential.needs)
    form = {"grant_type": "client_credentials"}
    if credential.scope:
        form["scope"] = credential.scope
    authorization = None
    if credential.in_body:
        form |= {"client_id": client_id, "client_secret": client_secret}
    else:
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
        authorization = b"Basic " + base64.b64encode(pair.encode())
    body = urlencode(form).encode()
    own = written([(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")])
    target = b"/" if credential.slash or not credential.token_url.path else b""
    request = provider_request(
        "POST", target, [], own, authorization=authorization, length=len(body), body=body
    )
    try:
        status, content = await _exchange(pool, credential, request.to(credential.token_url))
        return _read(status, content)
    except ProviderError as error:
        reason, cause = _failure(error), str(error)
    except TokenUnavailableError as error:
        reason, cause = error.reason, error.reason
    _log.warning(
        "no token from a provider's token endpoint",
        credentials=str(secret.name),
        address=credential.token_url.text,
        cause=cause,
    )
    raise TokenUnavailableError(reason)


async def _exchange(pool: Pool, credential: OAuth2Credential, request: bytes) -> tuple[int, bytes]:
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
    origin = credential.token_url.origin
    # Not one that rested: it may just be closing, and this is rare.
    connection = await pool.connect(origin, deadline)
    try:
        connection.begin(request, bodiless=False, limits=_LIMITS, until=deadline)
        await connection.head()
        content = b""
        while (chunk := await connection.chunk()) is not None:
            content += chunk
            if len(content) > _MAX_BYTES:
                raise TokenUnavailableError("its answer is too large")
        return connection.status, content
    finally:
        connection.end()


def _read(status: int, content: bytes) -> tuple[str, float]:
    try:
        document: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        document = {}
    if status != _OK:
        code = document.get("error")
        stated = f", {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
        raise TokenUnavailableError(f"it answers {status}{stated}")
    token, kind = document.get("access_token"), document.get("token_type", "Bearer")
    if not isinstance(token, str) or _VISIBLE.fullmatch(token) is None:
        raise TokenUnavailableError("there is no access_token in its answer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenUnavailableError("its tokens are not bearer tokens")
    lifetime = document.get("expires_in", _UNSTATED_LIFETIME_S)
    if isinstance(lifetime, str) and lifetime.isdecimal() and len(lifetime) < 10:
        # Not RFC 6749 section 5.1, and often seen.
        lifetime = int(lifetime)
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float):
        lifetime = _UNSTATED_LIFETIME_S
    # Before it is a float: a number of hundreds of digits can be none.
    return token, float(min(max(lifetime, 0), LONGEST_S))


def _failure(error: ProviderError) -> str:
    if isinstance(error, ProviderRefusedError):
        return f"its address leads to {error.reason.value.en}"
    if isinstance(error, ProviderTimeoutError):
        return "it does not answer in time"
    return "it accepts no connection, or gives no proper answer"
