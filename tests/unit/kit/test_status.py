"""Who is told how a process is, and what."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.kit.health import Condition, RunningProcess, State
from lienthong.kit.policy import Grant, Role
from lienthong.kit.rest import create_rest_app
from lienthong.kit.status import status_routes
from lienthong.kit.tokens import AccessToken, Person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.health import Check

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Tokens:
    """What verifies tokens: here each is good, and says what the test wants."""

    def __init__(self, *grants: Grant, scopes: frozenset[str] = frozenset({"platform"})) -> None:
        person = Person("p1", "s1", frozenset(grants)) if grants else None
        self.token = AccessToken("console", scopes, "t1", NOW, NOW, NOW, person=person)

    def caller(self, headers: object) -> AccessToken:
        del headers
        return self.token


async def asked(tokens: Tokens, **state: object) -> httpx.Response:
    app = create_rest_app("A test", summary="A test.", openapi_path="/x/openapi.json")

    async def figures() -> Mapping[str, float]:
        return {"entries": 3}

    app.include_router(status_routes("/x/v1", figures))
    app.state.access = tokens
    for name, value in state.items():
        setattr(app.state, name, value)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        return await http.get("/x/v1/status")


def process(**checks: Check) -> RunningProcess:
    return RunningProcess("exchange", checks, time.monotonic())


async def test_an_operator_is_told_what_the_checks_find() -> None:
    old = Condition(State.DEGRADED, "too old", {"age_s": 31.0})
    running = process(database=lambda: True, catalog=lambda: old)
    answer = await asked(Tokens(Grant(Role.PLATFORM_OPERATOR)), process=running)
    found = answer.json()
    assert (found["process"], found["status"], found["figures"]) == ("exchange", "degraded", {"entries": 3})
    assert found["up_s"] >= 0
    assert found["checks"] == [
        {"name": "database", "state": "ok", "reason": None, "figures": {}},
        {"name": "catalog", "state": "degraded", "reason": "too old", "figures": {"age_s": 31.0}},
    ]


@pytest.mark.parametrize(
    ("grant", "status"),
    [
        (Grant(Role.PLATFORM_OPERATOR), 200),
        (Grant(Role.SECURITY_OFFICER), 200),
        (Grant(Role.AUDITOR), 403),
        *((Grant(role, "H11.05"), 403) for role in Role if role is not Role.PLATFORM_OPERATOR),
    ],
    ids=lambda value: value.name if isinstance(value, Grant) else str(value),
)
async def test_only_who_answers_for_the_platform_is_told(grant: Grant, status: int) -> None:
    answer = await asked(Tokens(grant), process=process())
    assert answer.status_code == status
    assert answer.headers.get("lgsp-error") == (None if status == 200 else "role-required")


async def test_a_system_is_not_told() -> None:
    answer = await asked(Tokens(scopes=frozenset({"api", "catalog:admin"})), process=process())
    assert (answer.status_code, answer.headers["lgsp-error"]) == (403, "insufficient-scope")


async def test_an_application_without_the_scope_of_the_platform_is_not_told() -> None:
    tokens = Tokens(Grant(Role.PLATFORM_OPERATOR), scopes=frozenset({"openid"}))
    assert (await asked(tokens, process=process())).status_code == 403


async def test_before_the_process_serves_it_says_so() -> None:
    answer = await asked(Tokens(Grant(Role.PLATFORM_OPERATOR)))
    assert (answer.status_code, answer.headers["lgsp-error"]) == (503, "not-ready")
