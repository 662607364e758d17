"""The records of calls have the persons that these name, and whoever may search is told under which hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.privacy import Privacy
from tests.unit.gateway.test_gateway_whole_way import SCHEMA
from tests.unit.gateway.way import CONSUMER, OTHER, PROVIDER, READ_ANSWER, READ_REQUEST, Way, agreement_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PRIVACY, FORMER = Privacy(b"k" * 32), Privacy(b"f" * 32)
PEOPLE = f"/api/{PROVIDER}/people-v1"
ONE = "079203001234"
SEARCH = "/audit/v1/person-hashes"


def resources(port: int) -> list[routes_pb2.Resource]:
    """A service whose calls name persons, and an agreement on it."""
    place = routes_pb2.Parameter(location=routes_pb2.PARAMETER_LOCATION_PATH, name="id")
    persons = routes_pb2.PersonPlaces(parameters=[place], request=["of"], answer=["owners[*].id"])
    service = f"{PROVIDER}/people-v1"
    return [
        routes_pb2.Resource(
            key=routes_pb2.ResourceKey(kind=routes_pb2.RESOURCE_KIND_SERVICE, id=service),
            service=routes_pb2.Service(
                id=service,
                system_id=PROVIDER,
                upstreams=[f"http://127.0.0.1:{port}"],
                operations=[
                    routes_pb2.Operation(id="get", method="GET", path="/p/{id}", persons=persons),
                    routes_pb2.Operation(id="make", method="POST", path="/p/{id}", persons=persons),
                ],
                status=routes_pb2.STATUS_ACTIVE,
                max_request_bytes=100_000,
                write_ahead=True,
            ),
        ),
        agreement_on(service, "people"),
    ]


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway with that service."""
    way = Way(tmp_path, None, 1000)
    await way.open()
    way.change(*resources(way.port))
    yield way
    await way.close()


def answer(content: bytes, media_type: str = "application/json", *, chunked: bool = False) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\n".encode()
    if chunked:
        return b"%btransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (head, len(content), content)
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(content), content)


def records(outcome: dict[str, Any]) -> dict[str, dict[str, Any]]:
    texts = [
        record.replace("…", f'"{"0" * 64}"').replace(f'bytes":"{"0" * 64}"', 'bytes":0')
        for record in outcome["records"]
    ]
    found = {record["kind"]: record for record in map(json.loads, texts)}
    for record in found.values():
        jsonschema.validate(record, json.loads(SCHEMA.read_text()))
    return found


def hashes(*persons: str) -> list[str]:
    return [PRIVACY.hashed(person.encode()) for person in sorted(persons)]


async def get(
    way: Way, content: bytes, media_type: str = "application/json", *, chunked: bool = False
) -> dict[str, Any]:
    way.answers.append(answer(content, media_type, chunked=chunked))
    return await way.call("GET", f"{PEOPLE}/p/%30{ONE[1:]}", token=way.token())


async def test_the_persons_of_path_body_and_answer_are_recorded(way: Way) -> None:
    way.answers.append(answer(b'{"owners":[{"id":" 2 "},{"id":"3"}]}'))
    body = json.dumps({"of": "4"}).encode()
    outcome = await way.call(
        "POST",
        f"{PEOPLE}/p/{ONE}",
        token=way.token(),
        headers={"content-length": f"{len(body)}"},
        body=(body,),
    )
    found = records(outcome)
    assert found["intent"]["persons"] == hashes(ONE)
    assert found["call"]["persons"] == hashes(ONE, "2", "3", "4")
    assert "persons_unread" not in found["call"]
    assert found["call"]["request_bytes"] == len(body)
    [sent] = outcome["sent"]
    assert sent.endswith(body.decode())
    assert "accept-encoding: identity" in sent


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_answer_that_is_read_leaves_as_it_came(way: Way, chunked: bool) -> None:
    content = b'{"owners": [{"id": "2"}], "x": "%b"}' % (b"y" * 3000)
    outcome = await get(way, content, chunked=chunked)
    assert f"content-length: {len(content)}" in outcome["answer"]["headers"]
    assert (outcome["answer"]["status"], outcome["answer"]["ended"]) == (200, True)
    assert records(outcome)["call"]["response_bytes"] == len(content)
    assert records(outcome)["call"]["persons"] == hashes(ONE, "2")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"id,name", "text/csv"),
        (b'{"owners":[{"id":"1","id":"2"}]}', "application/json"),
        (b'{"x":"%b"}' % (b"y" * READ_ANSWER), "application/json"),
    ],
)
async def test_an_answer_that_cannot_be_read_passes_and_the_record_says_so(
    way: Way, content: bytes, media_type: str
) -> None:
    outcome = await get(way, content, media_type)
    record = records(outcome)["call"]
    assert (outcome["answer"]["status"], record["response_bytes"]) == (200, len(content))
    assert (record["persons"], record["persons_unread"]) == (hashes(ONE), ["answer"])


async def test_an_endless_answer_passes_and_its_records_have_what_the_request_named(way: Way) -> None:
    way.answers.append(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    outcome = await way.call("GET", f"{PEOPLE}/p/{ONE}", token=way.token())
    for kind in ("opening", "call"):
        record = records(outcome)[kind]
        assert (record["persons"], record["persons_unread"]) == (hashes(ONE), ["answer"])


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_request_too_large_to_be_read_passes_and_the_record_says_so(way: Way, chunked: bool) -> None:
    body = json.dumps({"of": "4", "x": "y" * READ_REQUEST}).encode()
    half = len(body) // 2
    framing = {"transfer-encoding": "chunked"} if chunked else {"content-length": f"{len(body)}"}
    way.answers.append(answer(b"{}"))
    outcome = await way.call(
        "POST", f"{PEOPLE}/p/{ONE}", token=way.token(), headers=framing, body=(body[:half], body[half:])
    )
    record = records(outcome)["call"]
    assert (record["persons"], record["persons_unread"]) == (hashes(ONE), ["request"])
    assert record["request_bytes"] == len(body)
    assert outcome["sent"][0].count("y") >= READ_REQUEST


async def test_more_persons_than_a_hundred_are_one_list(way: Way) -> None:
    content = json.dumps({"owners": [{"id": f"{number}"} for number in range(150)]}).encode()
    record = records(await get(way, content))["call"]
    assert (record["person_count"], "persons" in record) == (151, False)
    assert record["person_commitment"].startswith("hmac-sha256:")


async def test_a_call_that_is_refused_names_its_person_too_but_not_a_strangers(way: Way) -> None:
    outcome = await way.call("GET", f"{PEOPLE}/p/{ONE}", token=way.token(OTHER))
    refused = records(outcome)["call"]
    assert (refused["error"], refused["persons"]) == ("no-agreement", hashes(ONE))
    stranger = records(await way.call("GET", f"{PEOPLE}/p/{ONE}"))["call"]
    assert (stranger["error"], "persons" in stranger) == ("no-token", False)


async def search(way: Way, body: bytes, *, scope: str = "audit:read", method: str = "POST") -> dict[str, Any]:
    return await way.call(
        method,
        SEARCH,
        token=way.token(scope=scope),
        headers={"content-length": f"{len(body)}"},
        body=(body,) if body else (),
    )


async def test_an_auditor_is_told_the_hashes_of_all_keys_and_that_is_recorded(way: Way) -> None:
    outcome = await search(way, json.dumps({"value": f" {ONE} "}).encode())
    assert outcome["answer"]["status"] == 200
    assert "cache-control: no-store" in outcome["answer"]["headers"]
    assert json.loads(outcome["answer"]["body"]) == {
        "hashes": [PRIVACY.hashed(ONE.encode()), FORMER.hashed(ONE.encode())]
    }
    record = records(outcome)["call"]
    assert (record["service"], record["operation"], record["client"]) == (
        "lienthong/gateway",
        "hashPerson",
        CONSUMER,
    )
    assert record["persons"] == hashes(ONE)
    assert "request_sha256" not in record
    assert ONE not in outcome["records"][0]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"value":1}', b'{"value":" "}', b'{"value":"1","x":1}', b'"1"', b"x" * 5000]
)
async def test_what_names_nobody_is_refused(way: Way, body: bytes) -> None:
    assert (await search(way, body))["answer"]["body"] == "problem malformed-request"


async def test_only_auditors_may_ask_and_not_too_often(way: Way) -> None:
    body = json.dumps({"value": ONE}).encode()
    assert (await search(way, body, scope="api"))["answer"]["body"] == "problem insufficient-scope"
    assert (await way.call("POST", SEARCH))["answer"]["body"] == "problem no-token"
    assert (await search(way, b"", method="GET"))["answer"]["body"] == "problem method-not-allowed"
    statuses = [(await search(way, body))["answer"]["status"] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_each_person_may_ask_as_often_as_a_client(way: Way) -> None:
    body = json.dumps({"value": ONE}).encode()

    async def statuses(person: str) -> list[int]:
        of_person = {"sub": person, "sid": "s1", "roles": ["auditor"]}
        token = way.token("console", "openid roles platform", **of_person)
        headers = {"content-length": f"{len(body)}"}
        return [
            (await way.call("POST", SEARCH, token=token, headers=headers, body=(body,)))["answer"]["status"]
            for _ in range(4)
        ]

    for person in ("01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"):
        assert await statuses(person) == [200, 200, 200, 429]
