"""On whose side a call failed: what the record says beside the status and the code of the problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lienthong.gateway.call import CALLER_STALLED, ENDED_BY_GATEWAY, GATEWAY_STOPPED, Answered
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.kit.problems import calls
from lienthong.kit.problems.registry import REGISTRY

if TYPE_CHECKING:
    from lienthong.gateway.call import Call, Outcome

Side: TypeAlias = Literal["client", "gateway", "provider"]

_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500
_BY_PROVIDER: Final = (
    calls.PROVIDER_UNREACHABLE,
    calls.PROVIDER_ADDRESS_REFUSED,
    calls.PROVIDER_BUSY,
    calls.CIRCUIT_OPEN,
    calls.PROVIDER_TOKEN_UNAVAILABLE,
    calls.PROVIDER_BROKEN,
    calls.PROVIDER_TIMEOUT,
    calls.ANSWER_NOT_SHAPABLE,
    calls.ANSWER_TOO_LARGE,
    calls.ANSWER_NOT_VALID,
)


def _sides() -> dict[str, Side | None]:
    sides: dict[str, Side | None] = {
        kind.code: "client" if kind.status < _FIRST_SERVER_ERROR else "gateway" for kind in REGISTRY.values()
    }
    sides.update((kind.code, "provider") for kind in _BY_PROVIDER)
    # That an endless answer is brought to its end is no failure.
    return sides | {CALLER_STALLED: "client", GATEWAY_STOPPED: "gateway", ENDED_BY_GATEWAY: None}


_SIDES: Final = _sides()


def failed_side(call: Call, outcome: Outcome) -> Side | None:
    """The side because of which a call did not succeed; None: it did.

    `client`: it went away, read too slowly, or sent or did what is refused (a problem or an answer of 4xx).
    `provider`: it could not be reached, was too slow, broke off, or answered 5xx. `gateway`: the platform
    itself, also where one of its services answered so.
    """
    if outcome.error is not None:
        return _SIDES[outcome.error]
    if not isinstance(outcome, Answered) or outcome.broken_off:
        return "client"
    if outcome.status < _FIRST_ERROR:
        return None
    if outcome.status < _FIRST_SERVER_ERROR:
        return "client"
    return "gateway" if isinstance(call.route, PlatformRoute) else "provider"
