"""The health endpoints that an orchestrator polls."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    Checks: TypeAlias = Mapping[str, Callable[[], bool | Awaitable[bool]]]

_PATIENCE = 3.0

_log = structlog.get_logger(__name__)


def health_app(checks: Checks) -> ASGIApp:
    """`GET /health/live` is 200 while the event loop runs; `GET /health/ready` is 200 when all `checks` pass.

    A readiness answer names every check, 503 when one fails, raises or takes more than three seconds.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, {"status": "method not allowed"})
        elif scope["path"] == "/health/live":
            await _answer(send, 200, {"status": "live"})
        elif scope["path"] == "/health/ready":
            results = await run_checks(checks)
            ready = all(results.values())
            await _answer(
                send, 200 if ready else 503, {"status": "ready" if ready else "not ready", "checks": results}
            )
        else:
            await _answer(send, 404, {"status": "not found"})

    return app


async def run_checks(checks: Checks) -> dict[str, bool]:
    """Each check's name and whether it passes now."""
    results = await asyncio.gather(*(_holds(name, check) for name, check in checks.items()))
    return dict(zip(checks, results, strict=True))


async def _holds(name: str, check: Callable[[], bool | Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            result = check()
            return bool(await result if inspect.isawaitable(result) else result)
    except Exception as error:  # noqa: BLE001 - a check that fails is an answer: not ready
        _log.warning("readiness check failed", check=name, error=repr(error))
        return False


async def _answer(send: Send, status: int, document: object) -> None:
    body = msgspec.json.encode(document)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
