"""The doors of the stand-in for the national core: one register, three ways in, each with its own check.

| path | as | who comes in |
|---|---|---|
| `/…` | a ministry's API | an access token of `/oauth2/token` (RFC 6749 section 4.4) |
| `/ndxp/…` | the national data platform | such a token, and the field `lgspaccesstoken` |
| `/r1/…` | an X-Road security server | the client that has a right on the service, by `X-Road-Client` |

What the last two are like is taken from what provinces report; the real ones may differ.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote_plus
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse

from binh_thuan.core_accounts import X_ROAD_CLIENT, X_ROAD_SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from binh_thuan.core_accounts import CoreAccounts

TOKEN_LIFETIME_S: Final = 300
_NDXP: Final = "/ndxp"
_ROAD: Final = "/r1/"
_OPEN: Final = ("/health/", "/openapi.")
_MOST_TOKENS: Final = 1000
_MAX_FORM_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    body: Mapping[str, str]
    headers: Mapping[str, str]


class NationalCore:
    """Checks who comes, then asks the register behind."""

    def __init__(
        self, register: ASGIApp, accounts: CoreAccounts, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._register = register
        self._accounts = accounts
        self._now = now
        self._tokens: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(_OPEN):
            await self._register(scope, receive, send)
            return
        path: str = scope["path"]
        request = Request(scope, receive)
        if path == "/oauth2/token":
            await (await self._issue(request))(scope, receive, send)
            return
        refusal, below = self._judged(path, request.headers)
        if refusal is not None:
            answer = JSONResponse(refusal.body, refusal.status, headers=dict(refusal.headers))
            await answer(scope, receive, send)
            return
        await self._register({**scope, "path": below, "raw_path": below.encode()}, receive, send)

    async def _issue(self, request: Request) -> JSONResponse:
        """A token for the client of the province (RFC 6749 sections 4.4.2, 5.1 and 5.2)."""
        form = b""
        async for part in request.stream():
            form += part
            if len(form) > _MAX_FORM_BYTES:
                return JSONResponse({"error": "invalid_request"}, 400)
        fields = {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
        given = _basic(request.headers.get("authorization"))
        if given is None:
            given = fields.get("client_id", ""), fields.get("client_secret", "")
        wanted = self._accounts.client_id, self._accounts.client_secret
        if not all(_same(one, other) for one, other in zip(given, wanted, strict=True)):
            return JSONResponse({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        if fields.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if len(self._tokens) >= _MOST_TOKENS:
            self._tokens.clear()
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self._now() + TOKEN_LIFETIME_S
        document = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME_S}
        return JSONResponse(document, headers={"Cache-Control": "no-store"})

    def _judged(self, path: str, headers: Mapping[str, str]) -> tuple[_Refusal | None, str]:
        """Why a request is refused, if it is, and the path of the register that it asks for."""
        if path.startswith(_ROAD):
            return self._by_road(path, headers)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or self._tokens.get(token, 0.0) <= self._now():
            body = {"error": "invalid_token"}
            return _Refusal(401, body, {"WWW-Authenticate": 'Bearer error="invalid_token"'}), path
        if not path.startswith(f"{_NDXP}/"):
            return None, path
        if not self._knows_keys(headers.get("lgspaccesstoken", "")):
            return _Refusal(403, {"error": "lgspaccesstoken"}, {}), path
        return None, path.removeprefix(_NDXP)

    def _knows_keys(self, text: str) -> bool:
        try:
            found: Any = json.loads(base64.b64decode(text, validate=True))
        except ValueError:
            return False
        return isinstance(found, dict) and all(
            _same(str(found.get(name, "")), value) for name, value in self._accounts.lgsp.items()
        )

    def _by_road(self, path: str, headers: Mapping[str, str]) -> tuple[_Refusal | None, str]:
        service = f"{_ROAD}{X_ROAD_SERVICE}"
        if path.startswith(f"{service}/") and headers.get("x-road-client") == X_ROAD_CLIENT:
            return None, path.removeprefix(service)
        kind = "server.serverproxy.access_denied"
        body = {"type": kind, "message": "Request is not allowed", "detail": str(uuid4())}
        return _Refusal(500, body, {"X-Road-Error": kind}), path


def _basic(authorization: str | None) -> tuple[str, str] | None:
    kind, _, encoded = (authorization or "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(password)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
