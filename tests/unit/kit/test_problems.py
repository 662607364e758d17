"""Every failure becomes a problem document, and none tells more than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field

from lienthong.kit.problems import PROBLEM_JSON, ProblemError, install_problem_handlers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TX = "01938f2e-0000-7000-8000-000000000000"


class Person(BaseModel):
    """A body with a rule."""

    name: str = Field(min_length=3)
    phones: list[int] = []


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/problem")
    async def problem() -> None:
        raise ProblemError(
            "agreement-ended",
            409,
            "Agreement ended",
            "It ended.",
            detail_vi="Đã hết.",
            headers={"Retry-After": "1"},
        )

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout", {"X-Tea": "yes"})

    @app.post("/people")
    async def people(person: Person, limit: Annotated[int, Query()] = 1) -> str:
        return f"{person.name}{limit}"

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_a_problem_is_told_in_full(client: httpx.AsyncClient) -> None:
    answer = await client.get("/problem", headers={"LGSP-Transaction-Id": TX})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.headers["lgsp-error"] == "agreement-ended"
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {
        "type": "urn:lgsp:problem:agreement-ended",
        "title": "Agreement ended",
        "status": 409,
        "detail": "It ended.",
        "instance": TX,
        "code": "agreement-ended",
        "detail_vi": "Đã hết.",
    }


async def test_an_unexpected_failure_leaks_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/broken")
    assert (answer.status_code, answer.headers["lgsp-error"]) == (500, "internal-error")
    assert "hunter2" not in answer.text
    assert "instance" not in answer.json()


async def test_all_mistakes_are_told_at_once_without_repeating_the_input(client: httpx.AsyncClient) -> None:
    answer = await client.post("/people?limit=ten", json={"name": "Vy", "phones": [1, "0913555666x"]})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/name", "/phones/1", "query/limit"}
    assert "0913555666x" not in answer.text


async def test_a_body_that_is_no_json_is_malformed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/people", content=b"{nope", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    missing, wrong = await client.get("/none"), await client.delete("/people")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (
        405,
        "method-not-allowed",
        "POST",
    )


async def test_the_frameworks_own_errors_keep_their_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/teapot")
    assert (answer.status_code, answer.headers["x-tea"], answer.json()["detail"]) == (
        418,
        "yes",
        "short and stout",
    )


def test_further_members_stand_beside_the_standard_ones() -> None:
    document = ProblemError("a", 400, "A", "b", extra={"errors": [1]}).document("tx")
    assert (document["errors"], document["instance"]) == ([1], "tx")
