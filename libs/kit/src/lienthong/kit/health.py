"""The health endpoints that an orchestrator polls, and the figures that a monitoring system scrapes."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import structlog

from lienthong.kit.metrics.instruments import CHECK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from lienthong.kit.json_text import Json
    from lienthong.kit.metrics.figures import Figures
    from lienthong.kit.metrics.instruments import Instrument

    Text: TypeAlias = Callable[[str], Awaitable[tuple[bytes, str]]]

_PATIENCE = 3.0

_log = structlog.get_logger(__name__)


class State(Enum):
    """How well a part of a process does its work."""

    OK = "ok"
    DEGRADED = "degraded"
    """It works on, but not as it should: someone has to look."""
    FAILED = "failed"
    """The process should get no requests."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a check found: the state, why it is not OK, and figures for whoever looks."""

    state: State
    reason: str | None = None
    figures: Mapping[str, Json] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        """The condition as JSON."""
        reason = {} if self.reason is None else {"reason": self.reason}
        return {"state": self.state.value, **reason, **self.figures}


Check: TypeAlias = "Callable[[], bool | Condition | Awaitable[bool]]"
Checks: TypeAlias = "Mapping[str, Check]"


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A process that serves, for what is to say over REST how it is: its checks, and when it began."""

    name: str
    checks: Checks
    began: float
    """By `time.monotonic()`."""


def health_app(checks: Checks, figures: Text) -> ASGIApp:
    """What a health port answers.

    `GET /health/live` is 200 while the event loop runs; `GET /health/ready` is 200 when no check fails: its
    answer names every check and whether it passes, and is 503 when one fails, raises or takes more than three
    seconds. Its status is `ready`, `degraded` when a check passes but says that it is degraded, or
    `not ready`; `conditions` has what checks say beyond yes and no.
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
            document = readiness(await run_checks(checks))
            await _answer(send, 503 if document["status"] == "not ready" else 200, document)
        elif scope["path"] == "/metrics":
            accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
            text, media_type = await figures(accept.decode("latin-1"))
            await _send(send, 200, text, media_type)
        else:
            await _answer(send, 404, {"status": "not found"})

    return app


def readiness(found: Mapping[str, Condition]) -> dict[str, Json]:
    """The readiness answer for what the checks found."""
    states = {condition.state for condition in found.values()}
    status = "degraded" if State.DEGRADED in states else "ready"
    conditions = {
        name: condition.document()
        for name, condition in found.items()
        if condition.reason is not None or condition.figures
    }
    return {
        "status": "not ready" if State.FAILED in states else status,
        "checks": {name: condition.state is not State.FAILED for name, condition in found.items()},
        **({"conditions": conditions} if conditions else {}),
    }


async def run_checks(checks: Checks) -> dict[str, Condition]:
    """What each check finds now, by its name."""
    found = await asyncio.gather(*(_found(name, check) for name, check in checks.items()))
    return dict(zip(checks, found, strict=True))


def show_checks(figures: Figures, checks: Checks) -> None:
    """Show each check among the figures, as it was a few seconds ago."""
    results: dict[str, Condition] = {}

    async def check() -> dict[Instrument, int]:
        results.update(await run_checks(checks))
        return {}

    figures.ask(about=check)
    figures.observe_each(
        CHECK,
        lambda: [
            (int(condition.state is not State.FAILED), {"lienthong.check": name})
            for name, condition in list(results.items())
        ],
    )


async def _found(name: str, check: Check) -> Condition:
    try:
        async with asyncio.timeout(_PATIENCE):
            result = check()
            if isinstance(result, Condition):
                return result
            passed = await result if inspect.isawaitable(result) else result
    except Exception as error:  # noqa: BLE001 - a check that fails is an answer: not ready
        _log.warning("readiness check failed", check=name, error=repr(error))
        return Condition(State.FAILED)
    return Condition(State.OK if passed else State.FAILED)


async def _answer(send: Send, status: int, document: object) -> None:
    await _send(send, status, msgspec.json.encode(document), "application/json")


async def _send(send: Send, status: int, body: bytes, media_type: str) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
