"""A document says which problems an operation answers with, and who may call it."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends

from lienthong.kit.access import Caller, require
from lienthong.kit.openapi import problems
from lienthong.kit.problems import general
from lienthong.kit.rest import StrictRoute, create_rest_app

READER = Annotated[Caller, Depends(require("audit:read"))]


def inner(caller: READER) -> str:
    return caller.client_id


@pytest.fixture
async def document() -> dict[str, Any]:
    app = create_rest_app("Test", summary="A test.", openapi_path="/test/openapi.json")
    router = APIRouter(prefix="/test", route_class=StrictRoute)

    @router.get("/open", responses={204: {"description": "Nothing."}})
    async def read_open() -> None:
        """Read what is open."""

    @router.get("/closed", responses=problems(general.NOT_FOUND, general.CLIENT_SUSPENDED))
    async def read_closed(client: Annotated[str, Depends(inner)]) -> str:
        """Read what is closed."""
        return client

    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/test/openapi.json")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        assert (await client.get("/test/openapi.json")).json() == found
        return found


def test_it_is_openapi_3_1_and_says_what_the_interface_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Test"
    assert document["info"]["summary"] == "A test."


def test_every_operation_has_its_own_name(document: dict[str, Any]) -> None:
    assert document["paths"]["/test/open"]["get"]["operationId"] == "read_open"


def test_an_open_operation_answers_with_what_any_request_can_meet(document: dict[str, Any]) -> None:
    operation = document["paths"]["/test/open"]["get"]
    assert set(operation["responses"]) == {"200", "204", "400", "422", "500", "503"}
    assert "security" not in operation


def test_a_dependency_at_any_depth_says_what_it_refuses_and_what_token_it_wants(
    document: dict[str, Any],
) -> None:
    operation = document["paths"]["/test/closed"]["get"]
    stated = {status: response.get("x-problems") for status, response in operation["responses"].items()}
    assert stated == {
        "200": None,
        "400": ["malformed-request"],
        "401": ["certificate-mismatch", "dpop-proof-refused", "no-token", "token-refused"],
        "403": ["client-suspended", "insufficient-scope", "person-refused"],
        "404": ["not-found"],
        "422": ["invalid-request"],
        "500": ["internal-error"],
        "503": ["not-ready", "platform-unavailable"],
    }
    assert operation["security"] == [{"accessToken": ["audit:read"]}]


def test_a_problem_is_described_in_both_languages(document: dict[str, Any]) -> None:
    response = document["paths"]["/test/closed"]["get"]["responses"]["404"]
    assert "- `not-found`: Not found · Không tìm thấy" in response["description"]
    schema = response["content"]["application/problem+json"]["schema"]["$ref"].removeprefix("#/").split("/")
    found = document
    for step in schema:
        found = found[step]
    assert {"detail", "detail_vi"} <= found["properties"].keys()
