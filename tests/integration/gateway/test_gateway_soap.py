"""Services of SOAP: called by zeep and by hand; the body decides which operation a call is of."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import requests
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.integration.gateway.soap_provider import (
    PATH,
    S11,
    S12,
    SOAP_SERVICE,
    TNS,
    WSDL,
    envelope,
    land,
    soap_resource,
)
from tests.integration.gateway.world import CONSUMER, PROVIDER, PURPOSE, agreement, service

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.integration.gateway.world import World

API = f"/api/{SOAP_SERVICE}"
V11 = {"Content-Type": "text/xml; charset=utf-8"}
V12 = {"Content-Type": "application/soap+xml; charset=utf-8"}
BINDINGS = {"1.1": f"{{{TNS}}}LandSoap", "1.2": f"{{{TNS}}}LandSoap12"}
P = "{urn:ietf:rfc:7807}"


@pytest.fixture(autouse=True)
def _registry(world: World) -> Iterator[None]:
    world.change(
        soap_resource([world.provider.url], max_request_bytes=3_000_000),
        agreement("registry", service_id=SOAP_SERVICE, operations=["getParcel"]),
    )
    world.provider.behaviours[PATH] = land
    yield
    del world.provider.behaviours[PATH]


@pytest.fixture
def session(world: World) -> Iterator[requests.Session]:
    """What zeep calls with: a department sets the token there."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {world.token()}"
        yield session


def zeep_service(world: World, session: requests.Session, version: str) -> zeep.proxy.ServiceProxy:
    client = zeep.Client(str(WSDL), transport=Transport(session=session))
    return client.create_service(BINDINGS[version], f"{world.url}{API}{PATH}")


def problem(answer: httpx.Response) -> dict[str, str | None]:
    """The problem in the detail of a fault."""
    [found] = etree.fromstring(answer.content).iter(f"{P}problem")
    return {child.tag.removeprefix(P): child.text for child in found}


@pytest.mark.parametrize("version", BINDINGS)
def test_zeep_calls_an_operation_that_its_agreement_allows(
    world: World, session: requests.Session, version: str
) -> None:
    assert zeep_service(world, session, version).getParcel(id="7") == "Trần Thị B, thửa 7"
    [record] = [one for one in world.records() if one.get("service") == SOAP_SERVICE][-1:]
    assert (
        record["client"],
        record["operation"],
        record["agreement"],
        record["purpose"],
        record["status"],
    ) == (
        CONSUMER,
        "getParcel",
        "registry",
        PURPOSE,
        200,
    )
    seen = world.provider.seen[-1]
    assert record["request_sha256"] == hashlib.sha256(seen.body).hexdigest()
    assert (seen.header("lgsp-client"), seen.header("lgsp-agreement")) == (CONSUMER, "registry")


@pytest.mark.parametrize("version", BINDINGS)
def test_zeep_shows_why_the_gateway_refused(world: World, session: requests.Session, version: str) -> None:
    seen = len(world.provider.seen)
    with pytest.raises(Fault) as refused:
        zeep_service(world, session, version).removeParcel(id="7")
    assert len(world.provider.seen) == seen
    assert "operation-not-in-agreement" in refused.value.message
    [detail] = refused.value.detail.iter(f"{P}problem")
    said = {child.tag.removeprefix(P): child.text for child in detail}
    assert (said["code"], said["status"]) == ("operation-not-in-agreement", "403")
    assert "removeParcel" in str(said["detail_vi"])
    record = world.record(str(said["instance"]))
    assert (record["error"], record["operation"], record["client"]) == (
        "operation-not-in-agreement",
        "removeParcel",
        CONSUMER,
    )


def test_a_fault_of_the_providers_own_passes(world: World, session: requests.Session) -> None:
    with pytest.raises(Fault, match="Không có thửa 0"):
        zeep_service(world, session, "1.1").getParcel(id="0")
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=envelope(parcel="0"), headers=V11)
    assert answer.status_code == 500
    assert "lgsp-error" not in answer.headers


def test_bytes_and_headers_reach_the_provider_as_they_came(world: World) -> None:
    security = '<w:Security xmlns:w="urn:wsse" s:mustUnderstand="1"> <a b = "c"/></w:Security>'
    header = f"<s:Header>{security}</s:Header>"
    body = b'<?xml version="1.0"?>\n' + envelope(header=header) + b"\n<!-- end -->"
    with world.client() as client:
        answer = client.post(
            f"{API}{PATH}",
            content=body,
            headers=V11 | {"SOAPAction": f'"{TNS}/getParcel"', "LGSP-Case-Id": "H-1", "LGSP-User": "an"},
        )
    assert answer.status_code == 200
    seen = world.provider.seen[-1]
    assert seen.body == body
    assert seen.request_line == f"POST {PATH} HTTP/1.1"
    assert seen.header("soapaction") == f'"{TNS}/getParcel"'
    assert seen.header("content-type") == V11["Content-Type"]
    assert (seen.header("lgsp-case-id"), seen.header("lgsp-user")) == ("H-1", "an")


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_large_body_passes_and_is_hashed(world: World, chunked: bool) -> None:
    body = envelope(parcel="7" * 1_000_000)
    content = iter([body[:10], body[10:100_000], body[100_000:]]) if chunked else body
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=content, headers=V11)
    assert answer.status_code == 200
    assert world.provider.seen[-1].body == body
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["request_bytes"], record["request_sha256"]) == (
        len(body),
        hashlib.sha256(body).hexdigest(),
    )


def test_a_large_body_that_turns_into_another_envelope_does_not_leave_whole(world: World) -> None:
    body = envelope(parcel="7" * 1_000_000).replace(b"</s:Body>", b"</s:Body><s:Body><x/></s:Body>")
    seen = len(world.provider.seen)
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=body, headers=V11)
    assert len(world.provider.seen) == seen
    assert answer.status_code == 500
    assert problem(answer)["code"] == "malformed-request"
    assert world.record(answer.headers["lgsp-transaction-id"])["error"] == "malformed-request"


_WSA = '<s:Header><a:Action xmlns:a="http://www.w3.org/2005/08/addressing">{}</a:Action></s:Header>'
ACTION_CASES = {
    "its own": ({"SOAPAction": f'"{TNS}/getParcel"'}, "", 200, None),
    "none": ({}, "", 200, None),
    "an empty one": ({"SOAPAction": '""'}, "", 200, None),
    "its own by WS-Addressing": ({}, _WSA.format(f"{TNS}:Land:getParcelRequest"), 200, None),
    "another's": ({"SOAPAction": f'"{TNS}/removeParcel"'}, "", 500, "soap-action-mismatch"),
    "another's without quotes": ({"SOAPAction": f"{TNS}/removeParcel"}, "", 500, "soap-action-mismatch"),
    "another's in Content-Type": (
        {"Content-Type": f'text/xml; action="{TNS}/removeParcel"'},
        "",
        500,
        "soap-action-mismatch",
    ),
    "another's by WS-Addressing": ({}, _WSA.format(f"{TNS}/removeParcel"), 500, "soap-action-mismatch"),
    "nobody's": ({"SOAPAction": '"urn:other"'}, "", 500, "soap-action-mismatch"),
}


@pytest.mark.parametrize("case", ACTION_CASES)
def test_the_action_never_decides_against_the_body(world: World, case: str) -> None:
    headers, header, status, code = ACTION_CASES[case]
    seen = len(world.provider.seen)
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=envelope(header=header), headers=V11 | headers)
    assert answer.status_code == status
    assert answer.headers.get("lgsp-error") == code
    assert len(world.provider.seen) == seen + (code is None)
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record.get("error"), record["status"]) == (code, status)


def test_an_allowed_action_lets_no_other_body_pass(world: World) -> None:
    with world.client() as client:
        answer = client.post(
            f"{API}{PATH}",
            content=envelope("removeParcel"),
            headers=V11 | {"SOAPAction": f'"{TNS}/getParcel"'},
        )
        unknown = client.post(f"{API}{PATH}", content=envelope("dropTables"), headers=V11)
    assert answer.headers["lgsp-error"] == "soap-action-mismatch"
    assert unknown.headers["lgsp-error"] == "unknown-operation"


@pytest.mark.parametrize(
    ("headers", "namespace", "status"), [(V11, S11, 500), (V12, S12, 404)], ids=["1.1", "1.2"]
)
def test_problems_are_faults_of_the_callers_version(
    world: World, headers: dict[str, str], namespace: str, status: int
) -> None:
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=envelope("x", namespace=namespace), headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == headers["Content-Type"]
    assert etree.fromstring(answer.content).tag == f"{{{namespace}}}Envelope"
    assert problem(answer)["code"] == answer.headers["lgsp-error"] == "unknown-operation"


REFUSED = {
    "no token": (V12, envelope(namespace=S12), "", "no-token", 401),
    "a query": (V12, envelope(namespace=S12), "?op=x", "malformed-request", 400),
    "another path": (V12, envelope(namespace=S12), "/more", "unknown-operation", 404),
    "versions that differ": (V12, envelope(), "", "malformed-request", 400),
    "JSON": ({"Content-Type": "application/json"}, b"{}", "", "unsupported-media-type", 500),
    "MTOM": ({"Content-Type": "multipart/related; boundary=x"}, b"--x", "", "unsupported-media-type", 500),
    "compressed": (V12 | {"Content-Encoding": "gzip"}, b"\x1f\x8b", "", "unsupported-media-type", 415),
    "UTF-16": (V12, envelope().decode().encode("utf-16"), "", "malformed-request", 400),
    "too large": (V12, b"x" * 3_000_001, "", "request-too-large", 413),
    "nothing": (V12, b"", "", "malformed-request", 400),
    "a document type": (V12, b"<!DOCTYPE a>" + envelope(namespace=S12), "", "malformed-request", 400),
    "a late body": (
        V12,
        envelope(namespace=S12, header=f"<s:Header><a>{'x' * 70_000}</a></s:Header>"),
        "",
        "malformed-request",
        400,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_call_is_refused_and_recorded(world: World, case: str) -> None:
    headers, body, more, code, status = REFUSED[case]
    seen = len(world.provider.seen)
    with world.client("" if case == "no token" else None) as client:
        answer = client.post(f"{API}{PATH}{more}", content=body, headers=headers)
    assert (answer.status_code, problem(answer)["code"]) == (status, code)
    assert len(world.provider.seen) == seen
    assert world.record(answer.headers["lgsp-transaction-id"])["error"] == code


def test_methods_of_the_path(world: World) -> None:
    with world.client() as client:
        options = client.options(f"{API}{PATH}")
        assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")
        get = client.get(f"{API}{PATH}")
        assert (get.status_code, get.json()["code"]) == (405, "method-not-allowed")
        assert client.get(f"{API}/").json()["code"] == "unknown-operation"


@pytest.mark.parametrize("query", ["?wsdl", "?WSDL", "?singleWsdl"])
def test_the_description_comes_from_the_catalog(world: World, query: str) -> None:
    with world.client() as client:
        answer = client.get(f"{API}{PATH}{query}")
    assert answer.status_code == 200
    seen = world.platform.seen[-1]
    assert seen.request_line == f"GET /catalog/v1/services/{SOAP_SERVICE}/wsdl{query} HTTP/1.1"
    assert seen.header("authorization") == client.headers["Authorization"]
    record = world.record(answer.headers["lgsp-transaction-id"])
    assert (record["client"], record["service"]) == (CONSUMER, "lienthong/catalog")


def test_whoever_may_call_everything_may_call_each_and_no_other_door_lets_in(world: World) -> None:
    world.change(agreement("registry", service_id=SOAP_SERVICE, operations=()))
    with world.client() as client:
        answer = client.post(f"{API}{PATH}", content=envelope("removeParcel"), headers=V11)
        assert answer.status_code == 200
        answer = client.post(
            f"/r1/VN-BTN/GOV/{PROVIDER}/registry-v1{PATH}",
            content=envelope("removeParcel"),
            headers=V11 | {"X-Road-Client": f"VN-BTN/GOV/{CONSUMER}"},
        )
        assert answer.status_code >= 400
        assert world.provider.seen[-1].request_line == f"POST {PATH} HTTP/1.1"


def test_services_that_do_not_speak_it_take_such_bodies_as_any_other(world: World) -> None:
    world.change(service([world.provider.url]), agreement())
    with world.client() as client:
        headers = V11 | {"SOAPAction": '"urn:any"'}
        answer = client.post("/api/H11.05/land/parcels-v1/parcels", content=b"<a><b/>", headers=headers)
    assert answer.status_code == 200
    assert world.provider.seen[-1].body == b"<a><b/>"
