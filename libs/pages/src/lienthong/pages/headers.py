"""What every answer of these pages says beside its content, and the transaction id of every request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders

from lienthong.kit.problems import TRANSACTION_HEADER

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lienthong.kit.ids import NewId

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Bootstrap's marks of check boxes and lists are images inside its style sheet.
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_PERMISSIONS: Final = ", ".join(
    (
        "publickey-credentials-get=(self)",
        "publickey-credentials-create=(self)",
        "camera=()",
        "geolocation=()",
        "microphone=()",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": _PERMISSIONS,
    # Not `no-referrer`: forms would then come with `Origin: null` (Fetch §3.2).
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS: Final = "max-age=31536000"
_NAME: Final = TRANSACTION_HEADER.lower().encode()


class PageHeaders:
    """ASGI middleware: a transaction id of its own for each request, the headers of pages for each answer."""

    def __init__(self, app: ASGIApp, *, secure: bool, new_id: NewId) -> None:
        self._app = app
        self._headers = {**_HEADERS, **({"Strict-Transport-Security": _HSTS} if secure else {})}
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        transaction_id = self._new_id()
        # What a browser sends under this name is nobody's word.
        scope["headers"] = [
            *((name, value) for name, value in scope["headers"] if name != _NAME),
            (_NAME, transaction_id.encode()),
        ]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers[TRANSACTION_HEADER] = transaction_id
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)
