"""The health endpoints that an orchestrator polls, and the figures that a monitoring system scrapes."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import structlog

from lienthong.kit.metrics.instruments import CHECK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.metrics.instruments import Instrument

    Checks: TypeAlias = Mapping[str, Callable[[], bool | Awaitable[bool]]]
    Text: TypeAlias = Callable[[str], Awaitable[tuple[bytes, str]]]

_PATIENCE = 3.0

_log = structlog.get_logger(__name__)


def health_app(checks: Checks, figures: Text) -> ASGIApp:
    """What a health port answers.

    `GET /health/live` is 200 while the event loop runs; `GET /health/ready` is 200 when all `checks` pass:
    its answer names every check, and is 503 when one fails, raises or takes more than three seconds.
    `GET /metrics` is what `figures` gives for the request's Accept field: a text and its media type.
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
        elif scope["path"] == "/metrics":
            accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
            text, media_type = await figures(accept.decode("latin-1"))
            await _send(send, 200, text, media_type)
        else:
            await _answer(send, 404, {"status": "not found"})

    return app


async def run_checks(checks: Checks) -> dict[str, bool]:
    """Each check's name and whether it passes now."""
    results = await asyncio.gather(*(_holds(name, check) for name, check in checks.items()))
    return dict(zip(checks, results, strict=True))


def show_checks(figures: Figures, checks: Checks) -> None:
    """Show each check among the figures, as it was a few seconds ago."""
    results: dict[str, bool] = {}

    async def check() -> dict[Instrument, int]:
        results.update(await run_checks(checks))
        return {}

    figures.ask(about=check)
    figures.observe_each(
        CHECK, lambda: [(int(holds), {"lienthong.check": name}) for name, holds in list(results.items())]
    )


async def _holds(name: str, check: Callable[[], bool | Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            result = check()
            return bool(await result if inspect.isawaitable(result) else result)
    except Exception as error:  # noqa: BLE001 - a check that fails is an answer: not ready
        _log.warning("readiness check failed", check=name, error=repr(error))
        return False


async def _answer(send: Send, status: int, document: object) -> None:
    await _send(send, status, msgspec.json.encode(document), "application/json")


async def _send(send: Send, status: int, body: bytes, media_type: str) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
