"""What a call leaves behind, to the byte: the request to the provider, the answer, and the records.

`python -m tests.unit.gateway.test_gateway_whole_way` writes the golden file anew. The bytes of a record are a
leaf of the ledger: a difference there is a change of the record's form, never a detail.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from lienthong.gateway.spans import Spans
from tests.unit.gateway.way import CONSUMER, OTHER, PURPOSE, SUSPENDED, WITHIN_LIMIT, Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GOLDEN = Path(__file__).with_name("golden") / "whole_way.out.json"
SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "journal-record.schema.json"
API = "/api/H11.05/land/parcels-v1"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class FixedIds(IdGenerator):
    """The same ids for every trace."""

    def generate_span_id(self) -> int:
        return 0xB7AD6B7169203331

    def generate_trace_id(self) -> int:
        return 0x0AF7651916CD43DD8448EB211C80319C


@asynccontextmanager
async def opened(folder: Path, spans: Spans | None = None, budget: float = 1000) -> AsyncIterator[Way]:
    """A gateway that serves."""
    way = Way(folder, spans, budget)
    await way.open()
    try:
        yield way
    finally:
        await way.close()


async def answered(way: Way) -> dict[str, Any]:
    """Calls that reach the provider and get its answer."""
    token, deeds = way.token(), "/api/H11.05/land/deeds-v1"
    stated = {"lgsp-purpose": PURPOSE, "lgsp-case-id": "hồ sơ 1", "lgsp-user": "079090000001"}
    proved, forged = "/api/H11.05/land/proved-v1", {"lgsp-assertion": "a.b.c", "lgsp_assertion": "a.b.c"}
    chunked = {"transfer-encoding": "chunked", "content-type": "text/plain"}
    return {
        "plain": await way.call("GET", f"{API}/p/1", token=token),
        "stated": await way.call("GET", f"{API}/p/1", "a=b&c", headers=stated, token=token),
        "traced": await way.call("GET", f"{API}/p/1", headers={"traceparent": TRACEPARENT}, token=token),
        "body": await way.call(
            "POST", f"{API}/p/made", headers={"content-length": "5"}, token=token, body=(b"ab", b"cde")
        ),
        "chunked body": await way.call("PUT", f"{API}/p/1", headers=chunked, token=token, body=(b"ab", b"c")),
        "empty body": await way.call("POST", f"{API}/p/made", token=token),
        "no content": await way.call("DELETE", f"{API}/p/removed", token=token),
        "head": await way.call("HEAD", f"{API}/p/1", token=token),
        "chunked": await way.call("GET", f"{API}/p/chunked", token=token),
        "failing": await way.call("GET", f"{API}/p/failing", token=token),
        "streamed": await way.call("GET", f"{API}/p/large", token=token),
        "write-ahead": await way.call("POST", f"{deeds}/p/made", headers=stated, token=token),
        "platform": await way.call("GET", "/catalog/v1/x", "a=1", token=token),
        "platform, anonymous": await way.call("GET", "/catalog/v1/x"),
        "identity, other credentials": await way.call(
            "POST", "/oauth2/p", headers={"authorization": "Basic dTpw"}
        ),
        "token issued": await way.call("POST", "/oauth2/token"),
        "token refused to a known client": await way.call("POST", "/oauth2/replayed"),
        "provider that names a client": await way.call("GET", f"{API}/p/token", token=way.token()),
        "own document": await way.call("GET", "/openapi.json", token=token),
        "own document, head": await way.call("HEAD", "/openapi.json"),
        "own document, other method": await way.call("PUT", "/openapi.json"),
        "below the own document": await way.call("GET", "/openapi.json/x"),
        "platform refuses": await way.call("POST", "/catalog/v1/refused", token=way.token(OTHER, "catalog")),
        "options": await way.call("OPTIONS", f"{API}/p/1"),
        "moved": await way.call("GET", f"{API}/p/moved", token=token),
        "proved": await way.call("GET", f"{proved}/p/1", "a=b", headers=stated | forged, token=token),
        "proved, body": await way.call(
            "POST", f"{proved}/p/1", headers={"content-length": "5"}, token=token, body=(b"ab", b"cde")
        ),
        "proved, chunked body": await way.call(
            "PUT", f"{proved}/p/1", headers=chunked, token=token, body=(b"ab", b"c")
        ),
    }


async def refused(way: Way) -> dict[str, Any]:
    """Calls that the gateway refuses."""
    token = way.token()
    found = {
        "no token": await way.call("GET", f"{API}/p/1"),
        "no token, head": await way.call("HEAD", f"{API}/p/1"),
        "bad token": await way.call("GET", f"{API}/p/1", token="a.b.c"),
        "platform, bad token": await way.call("GET", "/catalog/v1/x", token="a.b.c"),
        "platform, other credentials": await way.call(
            "GET", "/catalog/v1/x", headers={"authorization": "Basic dTpw"}
        ),
        "platform, suspended": await way.call("GET", "/catalog/v1/x", token=way.token(SUSPENDED)),
        "suspended": await way.call("GET", f"{API}/p/1", token=way.token(SUSPENDED)),
        "scope": await way.call("GET", f"{API}/p/1", token=way.token(scope="events")),
        "no agreement": await way.call("GET", f"{API}/p/1", token=way.token(OTHER)),
        "operation": await way.call("GET", f"{API}/secret", token=token),
        "purpose": await way.call("GET", f"{API}/p/1", headers={"lgsp-purpose": "x"}, token=token),
        "bad purpose": await way.call("GET", f"{API}/p/1", headers={"lgsp-purpose": ""}, token=token),
        "bad case": await way.call("GET", f"{API}/p/1", headers={"lgsp-case-id": "079090000001"}),
        "path not normal": await way.call("GET", f"{API}//p", token=token),
        "unknown path": await way.call("GET", "/nothing", token=token),
        "unknown service": await way.call("GET", "/api/a/b/c/d", token=token),
        "unknown operation": await way.call("GET", f"{API}/x/y/z", token=token),
        "method not allowed": await way.call("PATCH", f"{API}/p/1", headers={"lgsp-user": "u"}, token=token),
        "long method": await way.call("X" * 40, f"{API}/p/1", headers={"lgsp-user": "u"}),
        "large headers": await way.call("GET", f"{API}/p/1", headers={"x": "y" * 2000}, token=token),
        "bad length": await way.call("POST", f"{API}/p/1", headers={"content-length": "x"}, token=token),
        "large": await way.call(
            "POST", f"{API}/p/1", headers={"content-length": str(WITHIN_LIMIT + 1)}, token=token
        ),
        "large, chunked": await way.call(
            "POST",
            f"{API}/p/waiting",
            headers={"transfer-encoding": "chunked"},
            token=token,
            body=(b"x" * WITHIN_LIMIT, b"x"),
            refused_at_last=True,
        ),
    }
    table, way.live.table = way.live.table, None
    found["no table"] = await way.call("GET", f"{API}/p/1", token=token)
    way.live.table, way.live.authenticator = table, None
    found["no keys"] = await way.call("GET", f"{API}/p/1", token=token)
    found["platform, no keys"] = await way.call("GET", "/catalog/v1/x", token=token)
    return found


async def failed(way: Way) -> dict[str, Any]:
    """Calls that the provider fails, or that the caller gives up."""
    token = way.token()
    length, chunked = {"content-length": "10"}, {"transfer-encoding": "chunked"}
    return {
        "unreachable": await way.call("GET", "/api/H11.05/land/closed-v1/p/1", token=token),
        "broken": await way.call("GET", f"{API}/p/broken", token=token),
        "timeout": await way.call("GET", f"{API}/p/late", token=token),
        "cut": await way.call("GET", f"{API}/p/cut", token=token),
        "stalled while sending": await way.call(
            "POST", f"{API}/p/1", headers=length, token=token, body=(b"abc", b"def"), pauses=60
        ),
        "stalled while streaming": await way.call(
            "POST", f"{API}/p/1", headers=chunked, token=token, body=(b"abc", b"def"), pauses=60
        ),
        "left while waiting": await way.call("GET", f"{API}/p/waiting", token=token, leaves_after=0.15),
        "left while sending": await way.call(
            "POST", f"{API}/p/1", headers=length, token=token, body=(b"abc",), leaves_after=0
        ),
    }


async def sampled(way: Way) -> dict[str, Any]:
    """Calls without a valid token, beyond what is recorded one by one."""
    return {
        "refused": await way.call("GET", f"{API}/p/1"),
        "unknown": await way.call("GET", "/nothing"),
        "platform read": await way.call("GET", "/catalog/v1/x"),
        "platform refuses": await way.call("POST", "/catalog/v1/refused"),
        "token issued": await way.call("POST", "/catalog/v1/made"),
        "left while sending": await way.call(
            "POST", "/catalog/v1/made", headers={"content-length": "10"}, body=(b"abc",), leaves_after=0
        ),
        "valid token": await way.call("GET", f"{API}/p/1", token=way.token()),
        "suspended, first": await way.call("GET", f"{API}/p/1", token=way.token(SUSPENDED)),
        "suspended, again": await way.call("GET", f"{API}/p/1", token=way.token(SUSPENDED)),
        "no agreement, first": await way.call("GET", f"{API}/p/1", token=way.token(OTHER)),
        "no agreement, again": await way.call("GET", f"{API}/p/1", token=way.token(OTHER)),
        "platform refuses a client": await way.call("POST", "/catalog/v1/refused", token=way.token(OTHER)),
        "failing provider": await way.call("GET", f"{API}/p/broken", token=way.token()),
        "failing provider, again": await way.call("GET", f"{API}/p/broken", token=way.token()),
    }


async def traced(way: Way) -> dict[str, Any]:
    """Calls with spans."""
    deeds = "/api/H11.05/land/deeds-v1/p/1"
    return {
        "write-ahead": await way.call("GET", deeds, token=way.token()),
        "below the caller's": await way.call(
            "GET", f"{API}/p/1", headers={"traceparent": TRACEPARENT}, token=way.token(CONSUMER)
        ),
        "no token": await way.call("GET", deeds),
    }


async def through_x_road(way: Way) -> dict[str, Any]:
    """Calls as clients of X-Road make them."""
    land = "/r1/VN-BTN/GOV/H11.05/land"
    api, deeds = f"{land}/parcels-v1", f"{land}/deeds-v1"
    client = {"x-road-client": "VN-BTN/GOV/H11.01/one-stop"}
    stated = {
        **client,
        "x-road-id": "17",
        "x-road-userid": "VN079090000001",
        "x-road-issue": "hồ sơ 1",
        "x-road-represented-party": "COM/3400123456",
        "authorization": "Basic dTpw",
    }
    length = {"content-length": "5"}
    return {
        "plain": await way.call("GET", f"{api}/p/1", headers=client),
        "stated": await way.call("GET", f"{api}/p/1", "a=b&c", headers=stated),
        "body": await way.call("POST", f"{api}/p/made", headers=client | length, body=(b"ab", b"cde")),
        "head": await way.call("HEAD", f"{api}/p/1", headers=client),
        "failing": await way.call("GET", f"{api}/p/failing", headers=client),
        "streamed": await way.call("GET", f"{api}/p/large", headers=client),
        "write-ahead": await way.call("POST", f"{deeds}/p/made", headers=stated),
        "moved": await way.call("GET", f"{api}/p/moved", headers=client),
        "listMethods": await way.call("GET", f"{land}/listMethods", headers=client),
        "allowedMethods": await way.call("GET", f"{land}/allowedMethods", headers=client),
        "getOpenAPI": await way.call("GET", f"{land}/getOpenAPI", "serviceCode=parcels-v1", headers=client),
        "getOpenAPI of none": await way.call("GET", f"{land}/getOpenAPI", "serviceCode=no", headers=client),
        "getOpenAPI of what": await way.call("GET", f"{land}/getOpenAPI", headers=client),
        "listClients": await way.call("GET", "/listClients", headers={"accept": "application/json"}),
        "listClients, XML": await way.call("GET", "/listClients"),
        "listClients, elsewhere": await way.call("GET", "/listClients", ip="192.0.2.1"),
        "listClients, other method": await way.call("POST", "/listClients"),
        "no client": await way.call("GET", f"{api}/p/1"),
        "elsewhere": await way.call("GET", f"{api}/p/1", headers=client, ip="10.0.1.7"),
        "denied": await way.call("GET", f"{api}/secret", headers=stated),
        "denied, head": await way.call("HEAD", f"{api}/secret", headers=client),
        "path not normal": await way.call("GET", f"{api}//p", headers=client),
        "large headers": await way.call("GET", f"{api}/p/1", headers=client | {"x": "y" * 2000}),
        "broken": await way.call("GET", f"{api}/p/broken", headers=client),
    }


async def everything(folder: Path) -> dict[str, Any]:
    """Every call, by group and name."""
    spans = Spans(TracerProvider(id_generator=FixedIds()).get_tracer("test"))
    found = {}
    async with opened(folder / "a") as way:
        found["answered"] = await answered(way)
    async with opened(folder / "b") as way:
        found["refused"] = await refused(way)
    async with opened(folder / "c") as way:
        found["failed"] = await failed(way)
    async with opened(folder / "d", budget=0) as way:
        found["sampled"] = await sampled(way)
    async with opened(folder / "e", spans) as way:
        found["traced"] = await traced(way)
    async with opened(folder / "f") as way:
        found["through X-Road's door"] = await through_x_road(way)
    return found


async def test_every_byte_is_as_in_the_golden_file(tmp_path: Path) -> None:
    found = await everything(tmp_path)
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert list(found) == list(golden)
    for group, calls in found.items():
        for name, call in calls.items():
            assert call == golden[group][name], f"{group}: {name}"


def test_every_golden_record_is_in_the_documented_form() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    found = [record for calls in golden.values() for call in calls.values() for record in call["records"]]
    length = f'"response_bytes":7,"response_sha256":"{"0" * 64}"'
    records = [record.replace('"response_bytes":…,"response_sha256":…', length) for record in found]
    assert {json.loads(record)["kind"] for record in records} == {"call", "intent", "refused-sample"}
    for record in records:
        validator.validate(json.loads(record))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        written = asyncio.run(everything(Path(folder)))
    GOLDEN.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
