"""Every failure becomes a problem document, and none tells more than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from lienthong.kit.bodies import MAX_JSON_BODY, BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.body_room import BodyRoom, BoundedBodies
from lienthong.kit.problems import PROBLEM_JSON, ProblemError, ProblemType
from lienthong.kit.rest import StrictRoute, create_rest_app, install_problem_handlers
from lienthong.kit.text import BilingualText
from tests.support.growth import grows_at_most

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

TX = "01938f2e-0000-7000-8000-000000000000"
ENDED = ProblemType(
    code="agreement-ended",
    status=409,
    title=BilingualText("Agreement ended", "Thoả thuận kết thúc"),
    advice=BilingualText("Request another.", "Hãy đề nghị thoả thuận khác."),
)


class Person(BaseModel):
    """A body with a rule."""

    name: str = Field(min_length=3)
    phones: list[int] = []


class Crowd(Person):
    """A larger body."""

    max_body: ClassVar[int] = 2 * MAX_JSON_BODY


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/problem")
    async def problem() -> None:
        raise ProblemError(ENDED, BilingualText("It ended.", "Đã hết."), {"Retry-After": "1"})

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
        "title_vi": "Thoả thuận kết thúc",
        "detail_vi": "Đã hết.",
        "advice": "Request another.",
        "advice_vi": "Hãy đề nghị thoả thuận khác.",
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
    [limit] = [error for error in answer.json()["errors"] if error["pointer"] == "query/limit"]
    assert limit == {
        "pointer": "query/limit",
        "detail": "must be a whole number",
        "detail_vi": "phải là số nguyên",
    }
    for error in answer.json()["errors"]:
        assert f"{error['pointer']}: {error['detail']}" in answer.json()["detail"]
        assert f"{error['pointer']}: {error['detail_vi']}" in answer.json()["detail_vi"]
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
    document = ProblemError(ENDED, BilingualText("b", "c"), extra={"errors": [1]}).document("tx")
    assert (document["errors"], document["instance"]) == ([1], "tx")


class Filters(BaseModel):
    """Query parameters as a model."""

    model_config = ConfigDict(populate_by_name=True)

    since: str | None = Field(None, alias="from")
    limit: int = 1


def paged(page: Annotated[int, Query(alias="page-number")] = 1) -> int:
    return page


@pytest.fixture
async def strict() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter(prefix="/v1", route_class=StrictRoute)

    @router.get("/things/{code}")
    async def things(
        code: str, filters: Annotated[Filters, Query()], page: Annotated[int, Depends(paged)]
    ) -> str:
        return f"{code} {filters.since} {filters.limit} {page}"

    @router.post("/bodies")
    async def bodies(request: Request) -> int:
        try:
            return len(await read_body(request, 10))
        except BodyTooLargeError as error:
            return -error.limit

    @router.post("/people")
    async def people(person: Person, request: Request) -> str:
        return f"{person.name} {await request.is_disconnected()}"

    @router.post("/crowds")
    async def crowds(crowd: Crowd) -> str:
        return crowd.name

    app = create_rest_app("test", summary="A test.", openapi_path="/openapi.json")
    app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


async def test_declared_parameters_are_taken_by_the_names_on_the_wire(strict: httpx.AsyncClient) -> None:
    answer = await strict.get("/v1/things/a?from=x&limit=2&page-number=3")
    assert (answer.status_code, answer.json()) == (200, "a x 2 3")


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("status=requested", ["query/status"]),
        ("since=x", ["query/since"]),
        ("page=1&limit=2&a/b=", ["query/a~1b", "query/page"]),
        ("Limit=2", ["query/Limit"]),
    ],
)
async def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(
    strict: httpx.AsyncClient, query: str, places: list[str]
) -> None:
    answer = await strict.get(f"/v1/things/a?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == places
    for text in (answer.json()["detail"], answer.json()["detail_vi"]):
        assert "from, limit, page-number" in text


async def test_a_flood_of_parameters_is_not_repeated(strict: httpx.AsyncClient) -> None:
    query = "&".join(f"{number}{'x' * 500}=1" for number in range(40))
    answer = await strict.get(f"/v1/things/a?{query}")
    assert len(answer.json()["errors"]) == 20
    assert len(answer.content) < 8_500


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("limit=1&limit=2", ["query/limit"]),
        ("from=a&limit=1&from=a", ["query/from"]),
    ],
)
async def test_a_parameter_that_readers_could_take_differently_is_refused(
    strict: httpx.AsyncClient, query: str, places: list[str]
) -> None:
    answer = await strict.get(f"/v1/things/a?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == places
    for error in answer.json()["errors"]:
        assert f"{error['pointer']}: {error['detail_vi']}" == answer.json()["detail_vi"]
        assert error["detail_vi"] != error["detail"]


async def test_many_mistakes_are_counted_but_not_all_told(strict: httpx.AsyncClient) -> None:
    answer = await strict.post("/v1/people", json={"name": "Binh", "phones": ["x"] * 1_000})
    assert len(answer.json()["errors"]) == 20
    assert "and 980 more" in answer.json()["detail"]
    assert "và 980 lỗi khác" in answer.json()["detail_vi"]
    assert len(answer.content) < 8_000


async def test_an_address_without_parameters_says_so(strict: httpx.AsyncClient) -> None:
    answer = await strict.post("/v1/bodies?dry_run=true", content=b"x")
    assert (answer.status_code, "no parameter" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(("size", "told"), [(0, 0), (10, 10), (11, -10), (100_000, -10)])
async def test_a_body_is_read_up_to_the_limit(strict: httpx.AsyncClient, size: int, told: int) -> None:
    assert (await strict.post("/v1/bodies", content=b"x" * size)).json() == told


async def test_a_body_that_breaks_off_is_told_apart_from_a_whole_one() -> None:
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        with pytest.raises(BodyIncompleteError):
            await read_body(Request(scope, receive), 10)

    await BoundedBodies(app, BodyRoom())({"type": "http", "headers": []}, receive, receive)  # type: ignore[arg-type]
    assert not messages


async def test_a_declared_body_is_read_as_always(strict: httpx.AsyncClient) -> None:
    answer = await strict.post("/v1/people", json={"name": "Nguyễn Văn A", "phones": [1]})
    assert (answer.status_code, answer.json()) == (200, "Nguyễn Văn A False")
    assert (await strict.post("/v1/people", json={"name": "A"})).status_code == 422
    assert (await strict.post("/v1/people")).status_code == 422


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"name": "Binh", "name": "Thuan"}', "'name' twice"),
        (b'{"name": "Binh", "phones": [NaN]}', "'NaN'"),
        (b'{"name": "Binh", "x": 1e999}', "/x: the number is too large"),
        (b'{"name": "Bi\\u0000nh"}', "/name: holds a NUL"),
        (b'{"x": ' + b"[" * 64 + b"]" * 64 + b"}", "64 levels"),
        (b"{" + b",".join(b'"%d": 1' % number for number in range(1_001)) + b"}", "1001 members"),
        (b'{"name": "Binh", "phones": [' + b",".join([b"1"] * 1_001) + b"]}", "1001 entries"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "'\ufffd' twice"),
        (b'{"\\ud800": {"\\u0000": 1}}', "/: holds a NUL character or half of a surrogate pair"),
        (b'{"' + b"x" * 50_000 + b'": "\\u0000"}', "holds a NUL"),
        (b"{nope", "not JSON"),
        (b'\xff{"name": "Binh"}', "UTF-8"),
    ],
)
async def test_a_declared_body_that_two_readers_could_read_differently_is_malformed(
    strict: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    answer = await strict.post("/v1/people", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
    assert reason in answer.json()["detail"]
    assert len(answer.content) < 3_000


async def test_a_declared_body_has_a_limit(strict: httpx.AsyncClient) -> None:
    json = {"Content-Type": "application/json"}
    for path, limit in (("/v1/people", MAX_JSON_BODY), ("/v1/crowds", Crowd.max_body)):
        body = b'{"name": "Binh"}'
        answer = await strict.post(path, content=body + b" " * (limit - len(body)), headers=json)
        assert answer.status_code == 200, answer.text
        answer = await strict.post(path, content=body + b" " * (limit - len(body) + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")
        assert answer.json()["detail"] == f"At most {limit} bytes are read here; this limit is fixed."


class Guard:
    """A dependency that asks for a token, and counts how often it was asked."""

    problems = ()
    security: ClassVar[dict[str, list[str]]] = {"accessToken": []}
    asked = 0

    async def __call__(self, request: Request) -> str:
        self.asked += 1
        if "authorization" not in request.headers:
            raise ProblemError(ENDED, BilingualText("Who is it?", "Ai đó?"))
        return "someone"


async def test_the_caller_is_known_before_anything_else_is_looked_at() -> None:
    router = APIRouter(route_class=StrictRoute)

    @router.post("/people")
    async def people(person: Person, who: Annotated[str, Depends(Guard())]) -> str:
        return f"{who}: {person.name}"

    app = create_rest_app("test", summary="A test.", openapi_path="/openapi.json")
    app.include_router(router)
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b'{"name": "Binh"}'

    transport = httpx.ASGITransport(app=app)
    json = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        refused = await client.post("/people?unknown=1", content=body(), headers=json)
        assert (refused.status_code, read) == (409, 0)
        answer = await client.post("/people", content=body(), headers={**json, "Authorization": "x"})
        assert (answer.json(), read) == ("someone: Binh", 1)


@pytest.mark.parametrize(
    ("path", "headers", "where"),
    [
        ("/v1/things/a%00b", {}, "The path"),
        ("/v1/things/%FF", {}, "The path"),
        ("/v1/things/%ED%A0%80", {}, "The path"),
        ("/nowhere/%FF", {}, "The path"),
        ("/v1/things/a?from=%00", {}, "The query"),
        ("/v1/things/a?from=%ED%A0%80", {}, "The query"),
        ("/v1/things/a?%FF=1", {}, "The query"),
        ("/v1/things/a", {b"x-note": b"\xff"}, "The header x-note"),
        ("/v1/things/a", {b"x-note": b"a\0b"}, "The header x-note"),
    ],
)
async def test_text_that_is_no_text_is_refused_at_the_door(
    strict: httpx.AsyncClient, path: str, headers: dict[bytes, bytes], where: str
) -> None:
    answer = await strict.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
    assert answer.json()["detail"].startswith(where)
    assert answer.json()["detail_vi"] != answer.json()["detail"]


async def test_text_of_any_script_passes_the_door(strict: httpx.AsyncClient) -> None:
    answer = await strict.get("/v1/things/thửa đất?from=Ế+😀", headers={b"x-note": "đất".encode()})
    assert (answer.status_code, answer.json()) == (200, "thửa đất Ế 😀 1 1")


async def test_refusing_a_body_takes_time_that_grows_with_its_size(strict: httpx.AsyncClient) -> None:
    async def refuse(entries: int) -> None:
        # Each entry is a mistake of its own, and an object for the checks to go into.
        body = b'{"name": "Binh", "phones": [' + b",".join([b'{"a": "x"}'] * entries) + b"]}"
        for _ in range(5):
            answer = await strict.post(
                "/v1/people", content=body, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, len(answer.content) < 8_000) == (422, True)

    # Ten times the size: less than fifty times the time, where a hundred would be quadratic.
    assert await grows_at_most(refuse, 100, 1_000, times=50)
