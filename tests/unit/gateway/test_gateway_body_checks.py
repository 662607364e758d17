"""Bodies are checked against their schemas where the service wants it; nothing is told of their values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.body_checks import BodyForms
from lienthong.gateway.privacy import Privacy
from lienthong.gateway.shaping.look import MOST_TOLD, look
from lienthong.gateway.table import ReadResources
from lienthong.kit.field_paths import tree
from tests.unit.gateway.test_gateway_whole_way import SCHEMA
from tests.unit.gateway.way import PROVIDER, READ_ANSWER, READ_REQUEST, Way, agreement_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

REPORT, ENFORCE = routes_pb2.CHECK_MODE_REPORT, routes_pb2.CHECK_MODE_ENFORCE
PERSON = json.dumps(
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^[0-9]+$"}}}
)
SECRET = "Nguyễn-0792"


def service(
    name: str,
    port: int,
    mode: routes_pb2.CheckMode.ValueType,
    **members: Any,  # noqa: ANN401
) -> list[routes_pb2.Resource]:
    """A service of that mode, and an agreement on it."""
    media = [
        routes_pb2.MediaForm(media_type="application/json", schema=PERSON),
        routes_pb2.MediaForm(media_type="text/*"),
    ]
    service_id = f"{PROVIDER}/{name}"
    persons = routes_pb2.PersonPlaces(request=["id"], answer=["id"])
    operations = [
        routes_pb2.Operation(
            id="make",
            method="POST",
            path="/p/{id}",
            persons=persons,
            request=routes_pb2.BodyForms(media=media, required=True),
            answers=[routes_pb2.BodyForms(media=media, status="2XX")],
        ),
        routes_pb2.Operation(id="get", method="GET", path="/p/{id}"),
    ]
    return [
        routes_pb2.Resource(
            key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SERVICE, id=service_id),
            service=routes_pb2.Service(
                id=service_id,
                system_id=PROVIDER,
                upstreams=[f"http://127.0.0.1:{port}"],
                operations=operations,
                status=routes_pb2.STATUS_ACTIVE,
                max_request_bytes=100_000,
                check_requests=mode,
                check_answers=mode,
                **members,
            ),
        ),
        agreement_on(service_id, name),
    ]


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway with a service of each mode."""
    way = Way(tmp_path, None, 1000)
    await way.open()
    way.change(*service("strict-v1", way.port, ENFORCE), *service("told-v1", way.port, REPORT))
    yield way
    await way.close()


async def call(
    way: Way,
    name: str,
    request: bytes = b'{"id":"1"}',
    answer: bytes = b'{"id":"2"}',
    *,
    asked: str = "application/json",
    answered: str = "application/json",
    status: str = "200 OK",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outcome of a call with these bodies, and its record."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {answered}\r\ncontent-length: {len(answer)}\r\n\r\n".encode()
    way.answers[:] = [head + answer]
    outcome = await way.call(
        "POST",
        f"/api/{PROVIDER}/{name}/p/1",
        token=way.token(),
        headers={"content-length": f"{len(request)}", "content-type": asked},
        body=(request,) if request else (),
    )
    [text] = outcome["records"]
    record = json.loads(text.replace("…", f'"{"0" * 64}"').replace(f'bytes":"{"0" * 64}"', 'bytes":0'))
    jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    assert SECRET not in text
    return outcome["answer"], record


@pytest.mark.parametrize("name", ["strict-v1", "told-v1"])
async def test_what_is_as_it_has_to_be_passes_and_its_persons_are_known(way: Way, name: str) -> None:
    answer, record = await call(way, name)
    assert (answer["status"], answer["body"]) == (200, '{"id":"2"}')
    assert (record["request_check"], record["answer_check"]) == ("valid", "valid")
    privacy = Privacy(b"k" * 32)
    assert record["persons"] == [privacy.hashed(b"1"), privacy.hashed(b"2")]
    assert "persons_unread" not in record


@pytest.mark.parametrize(
    ("request_body", "media_type"),
    [
        (b"{}", "application/json"),
        (f'{{"id":"{SECRET}"}}'.encode(), "application/json"),
        (b"{", "application/json"),
        (b'{"id":"1","id":"2"}', "application/json"),
        (b'{"id":"1"}', "application/xml"),
        (b"", "application/json"),
    ],
)
async def test_a_request_that_is_not_is_refused_or_told(
    way: Way, request_body: bytes, media_type: str
) -> None:
    answer, record = await call(way, "strict-v1", request_body, asked=media_type)
    assert answer["body"] == "problem request-not-valid"
    assert (record["status"], record["request_check"], record["failed"]) == (400, "invalid", "client")
    assert (way.seen, "answer_check" in record) == ([], False)
    answer, record = await call(way, "told-v1", request_body, asked=media_type)
    assert (answer["status"], record["request_check"], record["answer_check"]) == (200, "invalid", "valid")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"{}", "application/json"), (SECRET.encode(), "application/json"), (b"<a/>", "application/xml")],
)
async def test_an_answer_that_is_not_is_refused_or_told(way: Way, body: bytes, media_type: str) -> None:
    answer, record = await call(way, "strict-v1", answer=body, answered=media_type)
    assert answer["body"] == "problem answer-not-valid"
    assert (record["status"], record["answer_check"], record["failed"]) == (502, "invalid", "provider")
    answer, record = await call(way, "told-v1", answer=body, answered=media_type)
    assert (answer["status"], record["answer_check"]) == (200, "invalid")


async def test_an_answer_of_a_status_that_is_not_described_passes(way: Way) -> None:
    answer, record = await call(
        way, "strict-v1", answer=b"<a/>", answered="text/html", status="404 Not Found"
    )
    assert (answer["status"], "answer_check" in record) == (404, False)


async def test_a_media_type_without_a_schema_is_not_looked_into(way: Way) -> None:
    answer, record = await call(
        way, "strict-v1", b"hello", b"x" * (READ_ANSWER + 1), asked="text/plain", answered="text/csv; a=b"
    )
    assert (answer["status"], record["request_check"], record["answer_check"]) == (200, "valid", "valid")
    assert record["persons_unread"] == ["request", "answer"]


async def test_what_is_too_large_is_refused_or_told(way: Way) -> None:
    large = json.dumps({"id": "1", "x": "y" * READ_ANSWER}).encode()
    assert len(large) > READ_REQUEST
    answer, record = await call(way, "strict-v1", large)
    assert (answer["body"], record["status"]) == ("problem request-too-large", 413)
    answer, record = await call(way, "strict-v1", answer=large)
    assert (answer["body"], record["failed"]) == ("problem answer-too-large", "provider")
    answer, record = await call(way, "told-v1", large, large)
    assert (answer["status"], record["request_check"], record["answer_check"]) == (
        200,
        "unchecked",
        "unchecked",
    )
    assert record["persons_unread"] == ["request", "answer"]


async def test_an_operation_without_bodies_is_not_held_up(way: Way) -> None:
    way.answers[:] = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"]
    outcome = await way.call("GET", f"/api/{PROVIDER}/strict-v1/p/1", token=way.token())
    assert outcome["answer"]["body"] == "hi"
    assert "request_check" not in json.loads(outcome["records"][0])


def test_a_mode_that_the_gateway_does_not_know_lets_no_call_pass() -> None:
    [resource, _] = service("new-v1", 1, ENFORCE)
    resource.service.check_answers = 9  # type: ignore[assignment]  # of a newer catalog
    assert ReadResources().service(resource.service.SerializeToString()) is None


@pytest.mark.parametrize(
    ("media_type", "schema"),
    [("application/json", "A"), ("application/xml", "B"), ("text/plain", "C"), ("", "C")],
)
def test_the_most_particular_media_type_counts(media_type: str, schema: str) -> None:
    forms = BodyForms({b"application/json": "A", b"application/*": "B", b"*/*": "C"}, required=False)
    assert forms.schema(media_type.encode()) == schema
    assert BodyForms({b"a/b": "A"}, required=False).schema(b"a/c") is None


def test_a_document_is_read_once_for_both() -> None:
    found, named = look(b'{"id":"1","x":2}', PERSON, tree(["id", "x"]))
    assert (found, sorted(named or [])) == ([], [b"1", b"2"])
    assert look(b"{", PERSON, tree(["id"]))[1] is None


def test_so_many_places_are_told_and_of_a_large_document_one() -> None:
    many = json.dumps({"type": "array", "items": {"required": ["a"]}})
    small, large = b"[" + b",".join([b"{}"] * 100) + b"]", b"[" + b",".join([b"{}"] * 200_000) + b"]"
    assert len(look(small, many, None)[0]) == MOST_TOLD
    [first] = look(large, many, None)[0]
    assert (first.pointer, first.place) == ("/0", "/items/required")
