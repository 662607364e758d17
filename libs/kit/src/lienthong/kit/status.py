"""How a process is, for people who answer for the platform: the same as its health port says, over REST.

Health ports are for orchestrators and stay inside. What they say is asked for here with the token of a person
whose roles let them see how the platform is, through the gateway like everything else.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from lienthong.kit.access import Caller, require
from lienthong.kit.actors import FOR_PEOPLE, Actor
from lienthong.kit.health import readiness, run_checks
from lienthong.kit.openapi import VERSION, problems
from lienthong.kit.policy import Action
from lienthong.kit.problems import ProblemError, general, people
from lienthong.kit.rest import StrictRoute
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeAlias

    from lienthong.kit.health import Condition, RunningProcess

    Measure: TypeAlias = Callable[[], Awaitable[Mapping[str, float]]]

KEPT_S: Final = 1.0
"""What was found is told again for this long: asking more often costs nothing more."""
_PATIENCE_S: Final = 3.0
_NO_CLIENT: Final = "health:read"
"""No client has this scope: whoever runs the platform by programs asks the health ports."""

_log = structlog.get_logger(__name__)


class ConditionView(BaseModel):
    """What one check found."""

    name: str
    state: Literal["ok", "degraded", "failed"]
    reason: str | None = None
    figures: dict[str, Any] = Field(default_factory=dict, description="Ages are in seconds (`…_s`).")


class StatusView(BaseModel):
    """How a process is."""

    process: str
    version: str
    up_s: Annotated[float, Field(ge=0, description="For how many seconds it has been running.")]
    status: Literal["ready", "degraded", "not ready"]
    checks: list[ConditionView]
    figures: dict[str, float] = Field(
        default_factory=dict, description="What else the process says of itself."
    )


class _Kept:
    """The view of one process, made anew when it is old."""

    def __init__(self, figures: Measure | None) -> None:
        self._figures = figures
        self._at = -KEPT_S
        self._view: StatusView | None = None

    async def view(self, process: RunningProcess) -> StatusView:
        """What the checks of a process find now."""
        now = time.monotonic()
        if self._view is None or now - self._at >= KEPT_S:
            found = await run_checks(process.checks)
            self._at, self._view = now, _view(process, found, now, await self._measured())
        return self._view

    async def _measured(self) -> Mapping[str, float]:
        if self._figures is None:
            return {}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._figures()
        except Exception as error:  # noqa: BLE001 - the checks say what is wrong
            _log.warning("figures not available", error=repr(error))
            return {}


def _view(
    process: RunningProcess, found: Mapping[str, Condition], now: float, figures: Mapping[str, float]
) -> StatusView:
    status: Any = readiness(found)["status"]
    return StatusView(
        process=process.name,
        version=VERSION,
        up_s=now - process.began,
        status=status,
        checks=[
            ConditionView(name=name, state=one.state.value, reason=one.reason, figures=dict(one.figures))
            for name, one in found.items()
        ],
        figures=dict(figures),
    )


async def _watcher(caller: Annotated[Caller, Depends(require(_NO_CLIENT, for_people=FOR_PEOPLE))]) -> Caller:
    Actor.of(caller).demand(Action.READ_HEALTH)
    return caller


def status_routes(prefix: str, figures: Measure | None = None) -> APIRouter:
    """Build the route `GET …/status`; `run_process` tells the application which process it is.

    `figures` are what a process says of itself beside its checks.
    """
    kept = _Kept(figures)
    router = APIRouter(prefix=prefix, tags=["status"], route_class=StrictRoute)

    @router.get("/status", responses=problems(people.ROLE_REQUIRED, general.NOT_READY))
    async def status(request: Request, caller: Annotated[Caller, Depends(_watcher)]) -> StatusView:
        """Say how this process is: its version, and what each of its checks finds."""
        del caller
        process: RunningProcess | None = getattr(request.app.state, "process", None)
        if process is None:
            raise _starting()
        return await kept.view(process)

    return router


def _starting() -> ProblemError:
    text = BilingualText("The process has not started yet.", "Tiến trình chưa khởi động xong.")
    return ProblemError(general.NOT_READY, text, {"Retry-After": "1"})
