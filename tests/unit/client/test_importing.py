"""Manifests made of documents, addresses and X-Road, and what is refused before anything is written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from lienthong.client import fetching
from lienthong.client.errors import InputError, ManifestError, UnreachableError
from lienthong.client.fetching import fetch
from lienthong.client.importing import XRoad, from_openapi, from_wsdl
from lienthong.client.manifests.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ID = "H11.05/land/maps-v1"
WSDL = b"""<?xml version="1.0"?>
<definitions name="LandRegistry" xmlns="http://schemas.xmlsoap.org/wsdl/">
  <service name="Registry"><port><soap:address xmlns:soap="x" location="http://10.0.0.5:8204/soap/land"/></port>
  </service>
</definitions>"""


def openapi(more: Mapping[str, Any] | None = None) -> bytes:
    document = {"openapi": "3.1.0", "info": {"title": "Bản  đồ\nđịa chính", "version": "1"}, "paths": {}}
    return json.dumps({**document, **(more or {})}).encode()


def servers(*urls: str) -> dict[str, Any]:
    return {"servers": [{"url": url} for url in urls]}


def test_a_document_becomes_a_draft_that_apply_reads(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "maps"
    one = from_openapi(ID, openapi(servers("https://maps.example.vn/api/")), "maps.json", ())
    written = one.write(folder)
    assert [path.name for path in written] == ["maps-v1.openapi.json", "maps-v1.yaml"]
    manifests = load([folder])
    assert manifests.mistakes == []
    (manifest,) = manifests.values
    assert (manifest["kind"], manifest["metadata"]) == ("Service", {"id": ID})
    assert manifest["spec"]["name"] == {"vi": "Bản đồ địa chính", "en": "Bản đồ địa chính"}
    assert manifest["spec"]["lifecycle"] == {"stage": "draft"}
    assert manifest["spec"]["upstreams"] == ["https://maps.example.vn/api"]
    assert manifest["spec"]["openapi"]["info"]["version"] == "1"
    with pytest.raises(InputError, match="The file exists"):
        one.write(folder)


@pytest.mark.parametrize(
    ("more", "source", "upstreams"),
    [
        (servers("/v1"), "https://maps.example.vn/docs/openapi.json", ["https://maps.example.vn/v1"]),
        (servers("http://a.example", "http://b.example"), "x.json", ["http://a.example"]),
        ({"swagger": "2.0", "host": "m.example", "basePath": "/v2"}, "x.json", ["https://m.example/v2"]),
        ({"swagger": "2.0", "schemes": ["http"], "host": "m.example"}, "x.json", ["http://m.example"]),
    ],
)
def test_the_address_is_the_one_that_the_document_says(
    more: dict[str, Any], source: str, upstreams: list[str]
) -> None:
    assert from_openapi(ID, openapi(more), source, ()).spec["upstreams"] == upstreams
    given = ["http://10.0.0.9"]
    assert from_openapi(ID, openapi(more), source, given).spec["upstreams"] == given


NO_ADDRESSES: dict[str, dict[str, Any]] = {
    "none": {},
    "no list": {"servers": 5},
    "no schemes": {"swagger": "2.0", "schemes": 5},
    "broken": servers("http://[::"),
    "relative": servers("/v1"),
    "variable": servers("https://{tenant}.example.vn"),
    "of a shell": servers("http://$HOME/"),
    "another scheme": servers("ftp://x"),
}


@pytest.mark.parametrize("more", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_without_a_usable_address_one_is_asked_for(more: dict[str, Any]) -> None:
    with pytest.raises(InputError) as refused:
        from_openapi(ID, openapi(more), "maps.json", ())
    assert refused.value.code == "no-upstream"
    assert refused.value.advice is not None
    assert "--upstream" in refused.value.advice.en


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"just text", b"\xff\xfe", b"a: 1\n---\nb: 2\n"])
def test_what_is_no_openapi_document_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="cannot be imported"):
        from_openapi(ID, content, "x", ["http://10.0.0.5"])


def test_a_mistake_is_told_with_its_line() -> None:
    with pytest.raises(ManifestError) as refused:
        from_openapi(ID, b"openapi: 3.1.0\ninfo: [\n", "x.yaml", ["http://10.0.0.5"])
    assert [(one.file, one.line) for one in refused.value.mistakes] == [("maps-v1.openapi.yaml", 3)]


def test_a_wsdl_document_names_the_service_and_where_it_is(tmp_path: Path) -> None:
    one = from_wsdl("H11.05/land/registry-v1", WSDL, ())
    assert one.spec["name"]["en"] == "LandRegistry"
    assert one.spec["upstreams"] == ["http://10.0.0.5:8204"]
    one.write(tmp_path)
    (manifest,) = load([tmp_path / "registry-v1.yaml"]).values
    assert manifest["spec"]["wsdl"] == WSDL.decode()
    with pytest.raises(InputError, match="cannot be imported"):
        from_wsdl(ID, b"<html/>", ["http://10.0.0.5"])


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    made = httpx.Client

    def client(*, verify: bool, timeout: float) -> httpx.Client:
        return made(transport=httpx.MockTransport(answer), verify=verify, timeout=timeout)

    monkeypatch.setattr(httpx, "Client", client)


METHODS = {
    "service": [
        {"service_code": "getPerson2", "service_type": "OPENAPI"},
        {"service_code": "get_person2", "service_type": "OPENAPI3"},
        {"service_code": "1st", "service_type": "OPENAPI"},
        {"service_code": "old", "service_type": "REST"},
    ]
}


def test_a_subsystem_of_x_road_becomes_services_behind_its_security_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.raw_path.decode(), request.headers["X-Road-Client"]))
        return httpx.Response(200, json=METHODS) if "listMethods" in str(request.url) else document()

    def document() -> httpx.Response:
        return httpx.Response(200, content=openapi())

    answering(monkeypatch, answer)
    there = XRoad("https://ss1.example/", "VN/GOV/H11/lgsp", "VN/GOV/G01/population")
    found, others = there.services("G01/population")
    assert [one.id for one in found] == [
        "G01/population/get-person2",
        "G01/population/get-person2-2",
        "G01/population/s-1st",
    ]
    assert others == ["old"]
    assert found[0].spec["upstreams"] == ["https://ss1.example"]
    assert found[0].spec["xRoad"] == {
        "client": "VN/GOV/H11/lgsp",
        "service": "VN/GOV/G01/population/getPerson2",
    }
    root = "/r1/VN/GOV/G01/population"
    assert asked[:2] == [
        (f"{root}/listMethods", "VN/GOV/H11/lgsp"),
        (f"{root}/getOpenAPI?serviceCode=getPerson2", "VN/GOV/H11/lgsp"),
    ]


@pytest.mark.parametrize("answer", [b"<xml/>", b"[]", b'{"service": {}}', b'{"member": []}'])
def test_what_is_no_answer_of_x_road_is_refused(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    answering(monkeypatch, lambda _: httpx.Response(200, content=answer))
    there = XRoad("https://ss1.example", "VN/GOV/H11/lgsp", "VN/GOV/G01/population")
    with pytest.raises(InputError, match="listMethods"):
        there.services("G01/population")


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody is there")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda _: httpx.Response(404), "404"),
        (lambda _: httpx.Response(302, headers={"Location": "http://10.0.0.1/"}), "302 → http://10.0.0.1/"),
        (away, "nobody is there"),
    ],
    ids=["status", "redirect", "away"],
)
def test_what_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response], told: str
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(UnreachableError, match=told):
        fetch("https://maps.example.vn/openapi.json", {})


def test_no_more_is_read_than_the_catalog_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 10)
    answering(monkeypatch, lambda _: httpx.Response(200, content=b"x" * 11))
    with pytest.raises(InputError, match="more than 10 bytes"):
        fetch("https://maps.example.vn/openapi.json", {})


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x/y", "maps.yaml", "http://", "http://[::"])
def test_nothing_else_is_fetched(address: str) -> None:
    with pytest.raises(InputError, match="This is no address"):
        fetch(address, {})
