"""How the gateway is, for people who answer for the platform: the same as its health port says, with its
version and for how long it has been running.

What everyone is told (`/health.json`) names no version and no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from lienthong.gateway import problems
from lienthong.gateway.call_headers import call_headers
from lienthong.gateway.http1.fields import written
from lienthong.gateway.openapi import STATUS_PATH
from lienthong.gateway.operations import OperationRoute
from lienthong.gateway.response import WholeResponse
from lienthong.kit.health import readiness, run_checks
from lienthong.kit.openapi import VERSION
from lienthong.kit.policy import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.gateway.call import Call
    from lienthong.gateway.platform_routes import StatusRoute
    from lienthong.kit.actors import Actor
    from lienthong.kit.health import Checks

_OPERATION: Final = OperationRoute("status", "GET", STATUS_PATH)
_READING: Final = ("GET", "HEAD")


async def status_response(call: Call, actor: Actor, route: StatusRoute) -> WholeResponse:
    """Answer somebody who has proved who it is how this worker is.

    Raises:
        ProblemError: role-required, of people who may not see how the platform is; method-not-allowed.
    """
    call.operation = _OPERATION
    actor.demand(Action.READ_HEALTH)
    if call.method not in _READING:
        raise problems.method_not_allowed(_READING)
    content = await route.content()
    own = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
    ]
    return WholeResponse(200, written(own) + call_headers(call), b"" if call.method == "HEAD" else content)


class OwnStatus:
    """What this worker says of itself: `checks` are those of its health port."""

    def __init__(self, checks: Checks, monotonic: Callable[[], float]) -> None:
        self._checks = checks
        self._monotonic = monotonic
        self._began = monotonic()

    async def document(self) -> bytes:
        """The version, the seconds since the worker began, and what each check finds, as JSON."""
        found = await run_checks(self._checks)
        checks = [
            {"name": name, "state": one.state.value, "reason": one.reason, "figures": one.figures}
            for name, one in found.items()
        ]
        return msgspec.json.encode(
            {
                "process": "gateway",
                "version": VERSION,
                "up_s": self._monotonic() - self._began,
                "status": readiness(found)["status"],
                "checks": checks,
                "figures": {},
            }
        )
