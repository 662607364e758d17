"""Services that are described by WSDL documents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tests.support.soap as support
from tests.integration.catalog.province import openapi

if TYPE_CHECKING:
    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog

LAND = (Path(support.__path__[0]) / "land.wsdl").read_text(encoding="utf-8")


def _soap(place: Province, document: str = LAND, **more: object) -> dict[str, Any]:
    service = place.service(**{"wsdl": document} | more)
    del service["spec"]["openapi"]
    return service


def _apply(catalog: Catalog, *manifests: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return catalog.operator().post("/apply", json={"manifests": list(manifests)}).json()


def test_a_service_of_soap_is_taken_shown_and_taken_again(catalog: Catalog, place: Province) -> None:
    before = [one for one in place.without_agreement() if one["kind"] != "Service"]
    agreement = place.agreement(operations=["getParcel"], status="approved")
    _apply(catalog, *before, _soap(place), agreement)
    reader = catalog.client(place.consumer)
    shown = reader.get(f"/services/{place.service_id}").json()
    assert shown["spec"]["wsdl"] == LAND
    assert "openapi" not in shown["spec"]
    assert [operation["id"] for operation in shown["operations"]] == ["getParcel", "removeParcel"]
    assert shown["operations"][0] == {
        "id": "getParcel",
        "method": "POST",
        "path": "/ws/Land.asmx",
        "soap": {
            "namespace": "urn:binh-thuan:land",
            "element": "getParcel",
            "actions": ["urn:binh-thuan:land/getParcel", "urn:binh-thuan:land:Land:getParcelRequest"],
        },
    }
    [again] = _apply(catalog, _soap(place))["results"]
    assert again["action"] == "unchanged"
    [listed] = reader.get("/services", params={"system": place.provider}).json()["items"]
    assert "wsdl" not in listed["spec"]


def test_the_document_names_the_gateway_to_callers(catalog: Catalog, place: Province) -> None:
    before = [one for one in place.without_agreement() if one["kind"] != "Service"]
    _apply(catalog, *before, _soap(place))
    reader = catalog.client(place.consumer)
    for query in ("", "?wsdl", "?WSDL", "?singleWsdl"):
        answer = reader.get(f"/services/{place.service_id}/wsdl{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
        base = f"http://gateway.test/api/{place.service_id}"
        assert answer.text == LAND.replace("http://land.example.vn", base)
    assert reader.get(f"/services/{place.service_id}/openapi").status_code == 404


def test_a_service_changes_between_soap_and_openapi(catalog: Catalog, place: Province) -> None:
    before = [one for one in place.without_agreement() if one["kind"] != "Service"]
    _apply(catalog, *before, _soap(place))
    reader = catalog.client(place.consumer)
    [changed] = _apply(catalog, place.service())["results"]
    assert {change["path"] for change in changed["changes"]} == {"spec.openapi", "spec.wsdl"}
    assert max(len(change["old"] or "") for change in changed["changes"]) <= 5_001
    assert reader.get(f"/services/{place.service_id}/wsdl").status_code == 404
    assert reader.get(f"/services/{place.service_id}/openapi").json() == openapi()
    _apply(catalog, _soap(place))
    assert reader.get(f"/services/{place.service_id}/wsdl").status_code == 200
    assert reader.get(f"/services/{place.service_id}/openapi").status_code == 404


def test_what_is_wrong_is_told_with_its_place(catalog: Catalog, place: Province) -> None:
    def errors(*manifests: dict[str, Any]) -> list[tuple[str, str]]:
        found = _apply(catalog, *manifests)["errors"]
        assert all(error["detail_vi"] for error in found)
        return [(error["pointer"], error["detail"]) for error in found]

    before = [one for one in place.without_agreement() if one["kind"] != "Service"]
    [both] = errors(*before, place.service(wsdl=LAND))
    assert both[0].endswith("/spec")
    [neither] = errors(*before, _soap(place, wsdl=None))
    assert "one document" in neither[1]
    [line] = errors(*before, _soap(place, LAND.replace("tns:getParcelIn", "tns:X")))[:1]
    assert line[0].endswith("/spec/wsdl")
    assert line[1].startswith("line 16: ")
    [repeated] = errors(*before, _soap(place, upstreams=["http://10.0.0.5:8080/ws/Land.asmx"]))
    assert repeated[0].endswith("/spec/upstreams/0")


def test_an_operation_of_an_agreement_in_force_stays(catalog: Catalog, place: Province) -> None:
    before = [one for one in place.without_agreement() if one["kind"] != "Service"]
    agreement = place.agreement(operations=["removeParcel"], status="approved")
    _apply(catalog, *before, _soap(place), agreement)
    renamed = LAND.replace('operation name="removeParcel"', 'operation name="deleteParcel"')
    [error] = _apply(catalog, _soap(place, renamed))["errors"]
    assert error["pointer"] == "/manifests/0/spec/wsdl"
    assert "removeParcel" in error["detail"]
