"""On whose side a call failed is told from how it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.call import CALLER_STALLED, ENDED_BY_GATEWAY, Abandoned, Answered, Call
from lienthong.gateway.failures import failed_side
from lienthong.gateway.http1.limits import TimeLimits
from lienthong.gateway.http1.upstreams import Upstreams
from lienthong.gateway.platform_routes import PlatformRoute
from lienthong.kit.problems.registry import REGISTRY

if TYPE_CHECKING:
    from lienthong.gateway.call import Outcome

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LEDGER = PlatformRoute(
    "lienthong/ledger", Upstreams(["http://ledger"]), TimeLimits(first_byte_s=1.0), 0, authenticates=True
)


def call(*, platform: bool = False) -> Call:
    made = Call("tx", NOW, "GET", b"/", b"", None)
    made.route = LEDGER if platform else None
    return made


def ended(status: int, error: str | None = None, *, broken_off: bool = False) -> Answered:
    return Answered(status, NOW, 0, None, error, broken_off=broken_off)


@pytest.mark.parametrize(
    ("outcome", "side"),
    [
        (ended(200), None),
        (ended(304), None),
        (ended(404), "client"),
        (ended(500), "provider"),
        (ended(503), "provider"),
        (ended(401, "no-token"), "client"),
        (ended(429, "quota-exceeded"), "client"),
        (ended(503, "audit-unavailable"), "gateway"),
        (ended(503, "provider-credentials-missing"), "gateway"),
        (ended(502, "provider-unreachable"), "provider"),
        (ended(502, "answer-too-large"), "provider"),
        (ended(200, "provider-broken", broken_off=True), "provider"),
        (ended(200, "agreement-revoked", broken_off=True), "client"),
        (ended(200, CALLER_STALLED, broken_off=True), "client"),
        (ended(200, broken_off=True), "client"),
        (ended(200, ENDED_BY_GATEWAY), None),
        (Abandoned(NOW), "client"),
    ],
)
def test_the_side_that_failed(outcome: Outcome, side: str | None) -> None:
    assert failed_side(call(), outcome) == side


def test_an_answer_of_a_service_of_the_platform_is_the_gateways_failure() -> None:
    assert failed_side(call(platform=True), ended(500)) == "gateway"
    assert failed_side(call(platform=True), ended(403)) == "client"


@pytest.mark.parametrize("code", REGISTRY)
def test_every_problem_has_a_side(code: str) -> None:
    assert failed_side(call(), ended(REGISTRY[code].status, code)) in {"client", "gateway", "provider"}
