"""Answers say that a service comes to its end, and from then on its calls are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.ending import Ending, ending
from tests.unit.gateway.way import CONSUMER, PROVIDER, Way, _service, agreement_on

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SERVICE, SUCCESSOR = f"{PROVIDER}/old-v1", f"{PROVIDER}/old-v2"
PATH = f"/api/{SERVICE}/p/1"
LINK = "https://example.vn/v2"


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A gateway and its provider."""
    way = Way(tmp_path, None, budget=0)
    await way.open()
    try:
        yield way
    finally:
        await way.close()


def old_service(
    way: Way, *, sunset: float | None = None, retired: bool = False, successor: str = "", link: str = ""
) -> list[routes_pb2.Resource]:
    """A service that comes to its end, with an agreement on it; `sunset` from now in seconds."""
    resource = _service("old-v1", way.port)
    said = resource.service.ending
    said.retired, said.successor, said.link = retired, successor, link
    if sunset is not None:
        said.sunset_at.FromDatetime(way.clock.now() + timedelta(seconds=sunset))
    if not retired:
        said.deprecated_at.FromDatetime(SINCE)
    return [resource, agreement_on(SERVICE, "old")]


def told(answer: dict[str, Any]) -> dict[str, str]:
    """The fields that tell of an end, each of which there is once."""
    fields = [field.partition(": ")[::2] for field in answer["headers"]]
    found = [field for field in fields if field[0].lower() in {"deprecation", "sunset", "link"}]
    assert len(found) == len(dict(found))
    return {name.lower(): value for name, value in found}


async def test_every_answer_of_a_deprecated_service_says_so(way: Way) -> None:
    way.change(*old_service(way, sunset=3600, successor=SUCCESSOR, link=LINK))
    expected = {
        "deprecation": f"@{int(SINCE.timestamp())}",
        "sunset": (way.clock.now() + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "link": f'<{LINK}>; rel="deprecation", <{LINK}>; rel="sunset", '
        f'</api/{SUCCESSOR}>; rel="successor-version"',
    }
    for token in (way.token(), None):
        answer = (await way.call("GET", PATH, token=token))["answer"]
        assert answer["status"] == (200 if token else 401)
        assert told(answer) == expected
    large = (await way.call("GET", f"{PATH[:-1]}large", token=way.token()))["answer"]
    assert told(large) == expected


async def test_what_the_provider_says_itself_gives_way_to_the_catalog(way: Way) -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nDeprecation: @1\r\nsunset: Thu, 01 Jan 1970 00:00:01 GMT\r\n"
        b'link: </next>; rel="next"\r\ncontent-length: 0\r\n\r\n'
    )
    way.answers.append(said)
    own = told((await way.call("GET", f"/api/{PROVIDER}/parcels-v1/p/1", token=way.token()))["answer"])
    assert own["deprecation"] == "@1"
    way.change(*old_service(way))
    way.answers.append(said)
    answer = (await way.call("GET", PATH, token=way.token()))["answer"]
    assert told(answer) == {"deprecation": f"@{int(SINCE.timestamp())}", "link": '</next>; rel="next"'}


async def test_from_the_sunset_on_calls_are_refused_with_the_successor(way: Way) -> None:
    way.change(*old_service(way, sunset=10, successor=SUCCESSOR))
    assert (await way.call("GET", PATH, token=way.token()))["answer"]["status"] == 200
    way.clock.advance(10)
    found = await way.call("GET", PATH, token=way.token())
    assert found["answer"]["status"] == 410
    assert found["answer"]["body"] == "problem service-retired"
    assert found["sent"] == []
    assert '"error":"service-retired"' in found["records"][0]
    assert "successor-version" in told(found["answer"])["link"]


async def test_one_that_is_retired_is_refused_whatever_its_times_say(way: Way) -> None:
    way.change(*old_service(way, retired=True))
    assert (await way.call("GET", PATH, token=way.token()))["answer"]["status"] == 410
    # A stranger is not told more than of any other service.
    assert (await way.call("GET", PATH))["answer"]["status"] == 401


async def test_callers_through_x_roads_door_are_told_as_well(way: Way) -> None:
    agency, _, system = CONSUMER.partition("/")
    client = {"x-road-client": f"VN-BTN/GOV/{agency}/{system}"}
    path = f"/r1/VN-BTN/GOV/{PROVIDER}/old-v1/p/1"
    way.change(*old_service(way, sunset=10))
    answer = (await way.call("GET", path, headers=client, ip="10.0.0.7"))["answer"]
    assert answer["status"] == 200
    assert set(told(answer)) == {"deprecation", "sunset"}
    way.clock.advance(10)
    refused = (await way.call("GET", path, headers=client, ip="10.0.0.7"))["answer"]
    assert refused["status"] == 500
    assert any("service_disabled" in field for field in refused["headers"])


def test_a_service_without_dates_or_links_says_nothing_more() -> None:
    assert ending(routes_pb2.Ending(retired=True)).fields == []
    found = Ending(retired=False, deprecated_at=SINCE, sunset_at=None, successor="", link="")
    assert not found.is_over(datetime.max.replace(tzinfo=UTC) - timedelta(1))
