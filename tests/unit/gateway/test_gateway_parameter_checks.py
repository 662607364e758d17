"""Parameters are checked where the service wants it, with bodies; of their values nothing is told."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.shaping.looking import Looking
from lienthong.gateway.table import ReadResources
from lienthong.kit.workers import TooCostlyError
from tests.support.checked_service import checked_service
from tests.unit.gateway.test_gateway_whole_way import SCHEMA
from tests.unit.gateway.way import PROVIDER, READ_REQUEST, Way, agreement_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRET = "079203001234"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {
        "/people/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[0-9]{12}$"},
                    "x-lgsp-person": True,
                }
            ],
            "get": {
                "operationId": "get",
                "parameters": [
                    {
                        "name": "year",
                        "in": "query",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 1},
                    },
                    {
                        "name": "kind",
                        "in": "query",
                        "schema": {"type": "array", "items": {"enum": ["a", "b"]}},
                    },
                    {"name": "X-Full", "in": "header", "schema": {"type": "boolean"}},
                ],
            },
            "post": {
                "operationId": "post",
                "x-lgsp-person": {"request": ["spouse"]},
                "parameters": [{"name": "n", "in": "query", "schema": {"type": "number"}}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            },
            "put": {
                "operationId": "put",
                "x-lgsp-person": {"request": ["spouse"]},
                "requestBody": {"content": {"text/plain": {}, "application/json": {}}},
            },
            "delete": {"operationId": "delete", "parameters": [{"$ref": "#/components/parameters/Trace"}]},
        }
    },
    "components": {
        "parameters": {"Trace": {"name": "Accept", "in": "header", "schema": {"type": "integer"}}}
    },
}


def service(name: str, port: int, requests: str) -> list[routes_pb2.Resource]:
    """A service of that mode, and an agreement on it."""
    service_id = f"{PROVIDER}/{name}"
    return [
        checked_service(service_id, f"http://127.0.0.1:{port}", DOCUMENT, requests),
        agreement_on(service_id, name),
    ]


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway with a service of each mode."""
    way = Way(tmp_path, None, 1000)
    await way.open()
    modes = {"strict-v1": "enforce", "told-v1": "report", "off-v1": "off"}
    way.change(*(part for name, mode in modes.items() for part in service(name, way.port, mode)))
    yield way
    await way.close()


async def call(
    way: Way,
    name: str,
    target: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outcome of a call, and its record."""
    way.answers[:] = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]
    stated = {"content-length": f"{len(body)}", "content-type": "application/json"} if body else {}
    outcome = await way.call(
        method,
        f"/api/{PROVIDER}/{name}/people/{target}",
        token=way.token(),
        headers={**stated, **(headers or {})},
        body=(body,) if body else (),
    )
    [text] = outcome["records"]
    record = json.loads(text.replace("…", f'"{"0" * 64}"').replace(f'bytes":"{"0" * 64}"', 'bytes":0'))
    jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    return outcome["answer"], record


@pytest.mark.parametrize("name", ["strict-v1", "told-v1"])
@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?year=2026", {}),
        ("?year=2026&kind=a&kind=b&other=x&other=y", {"X-FULL": "true", "Other": "1"}),
        ("?year=1e3&kind=%61", {"x-full": "false"}),
    ],
)
async def test_what_is_as_it_has_to_be_passes(
    way: Way, name: str, query: str, headers: dict[str, str]
) -> None:
    answer, record = await call(way, name, SECRET + query, headers=headers)
    assert (answer["status"], record["request_check"]) == (200, "valid")
    assert f"/people/{SECRET}{query}" in str(way.seen[-1])


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (SECRET, {}),
        (f"{SECRET}?year=x", {}),
        (f"{SECRET}?year=0", {}),
        (f"{SECRET}?year=", {}),
        (f"{SECRET}?year=1&year=1", {}),
        (f"{SECRET}?year=1&%79ear=2", {}),
        (f"{SECRET}?year=1.5", {}),
        (f"{SECRET}?year=1&kind=c", {}),
        (f"{SECRET}?year=1", {"X-Full": "yes"}),
        (f"{SECRET}0?year=1", {}),
        (f"{SECRET};v=1?year=1", {}),
    ],
)
async def test_what_is_not_is_refused_or_told(way: Way, target: str, headers: dict[str, str]) -> None:
    answer, record = await call(way, "strict-v1", target, headers=headers)
    assert answer["body"] == "problem request-not-valid"
    assert (record["status"], record["request_check"], record["failed"]) == (400, "invalid", "client")
    assert way.seen == []
    assert record["persons"]
    answer, record = await call(way, "told-v1", target, headers=headers)
    assert (answer["status"], record["request_check"]) == (200, "invalid")
    answer, record = await call(way, "off-v1", target, headers=headers)
    assert (answer["status"], "request_check" in record) == (200, False)


async def test_head_is_checked_as_get(way: Way) -> None:
    _, record = await call(way, "strict-v1", SECRET, method="HEAD")
    assert record["request_check"] == "invalid"


@pytest.mark.parametrize(
    ("query", "body", "strict", "check"),
    [
        ("?n=1", b"{}", 200, "valid"),
        ("?n=x", b"{}", 400, "invalid"),
        ("?n=1", b"[]", 400, "invalid"),
        ("?n=x", b"[]", 400, "invalid"),
        ("?n=1", json.dumps({"x": "y" * READ_REQUEST}).encode(), 413, "unchecked"),
        ("?n=x", json.dumps({"x": "y" * READ_REQUEST}).encode(), 400, "invalid"),
    ],
)
async def test_parameters_and_body_have_one_verdict(
    way: Way, query: str, body: bytes, strict: int, check: str
) -> None:
    _, record = await call(way, "strict-v1", SECRET + query, method="POST", body=body)
    assert record["status"] == strict
    _, record = await call(way, "told-v1", SECRET + query, method="POST", body=body)
    assert (record["status"], record["request_check"]) == (200, check)
    counted = [key for key, count in way.figures.checks.all() if key[0].endswith("told-v1") and count == 1]
    assert counted == [(f"{PROVIDER}/told-v1", "request", check)]


async def test_half_of_a_surrogate_pair_is_refused_or_told(way: Way) -> None:
    body = b'{"\\ud800":"x"}'
    answer, record = await call(way, "strict-v1", f"{SECRET}?n=1", method="POST", body=body)
    assert answer["body"] == "problem request-not-valid"
    assert (record["status"], record["request_check"]) == (400, "invalid")
    answer, record = await call(way, "told-v1", f"{SECRET}?n=1", method="POST", body=body)
    assert (answer["status"], record["request_check"]) == (200, "invalid")


async def test_persons_of_a_body_that_was_not_read_are_not_said_to_be_none(way: Way) -> None:
    _, record = await call(way, "strict-v1", f"{SECRET}?n=x", method="POST", body=b'{"spouse":"1"}')
    assert record["persons_unread"] == ["request"]
    _, record = await call(way, "told-v1", f"{SECRET}?n=x", method="POST", body=b'{"spouse":"1"}')
    assert len(record["persons"]) == 2


async def test_what_takes_too_long_is_not_valid_or_unchecked(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def costly(*_: object) -> None:
        await asyncio.sleep(0)
        raise TooCostlyError

    monkeypatch.setattr(Looking, "look_at_parameters", costly)
    _, record = await call(way, "strict-v1", f"{SECRET}?year=1")
    assert (record["status"], record["request_check"]) == (400, "invalid")
    _, record = await call(way, "told-v1", f"{SECRET}?year=1")
    assert (record["status"], record["request_check"]) == (200, "unchecked")
    _, record = await call(way, "told-v1", f"{SECRET}?n=1", method="POST", body=b"{}")
    assert record["request_check"] == "unchecked"
    _, record = await call(way, "told-v1", f"{SECRET}?n=1", method="POST", body=b"[]")
    assert record["request_check"] == "invalid"


def test_an_operation_whose_parameters_say_nothing_is_not_looked_at() -> None:
    route = ReadResources().service(service("a-v1", 1, "enforce")[0].service.SerializeToString())
    assert route is not None
    inspected = {one.id: (one.parameters is not None, one.is_inspected) for one in route.operations.all}
    assert inspected["delete"] == (True, True)
    assert inspected["get"] == (True, True)
    route = ReadResources().service(service("a-v1", 1, "off")[0].service.SerializeToString())
    assert route is not None
    assert not any(one.parameters for one in route.operations.all)


@pytest.mark.parametrize("member", ["shape", "location"])
@pytest.mark.parametrize("number", [0, 99])
def test_a_form_that_the_gateway_does_not_know_lets_no_call_pass(member: str, number: int) -> None:
    [resource, _] = service("new-v1", 1, "enforce")
    setattr(resource.service.operations[0].parameters.parameters[0], member, number)  # of a newer catalog
    assert ReadResources().service(resource.service.SerializeToString()) is None
    resource.service.check_requests = routes_pb2.CHECK_MODE_UNSPECIFIED
    assert ReadResources().service(resource.service.SerializeToString()) is not None
