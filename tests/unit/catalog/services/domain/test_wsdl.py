"""From WSDL documents to operations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tests.support.soap as support
from lienthong.catalog.domain.resources import ServiceOperation, SoapForm
from lienthong.catalog.services.domain import wsdl
from lienthong.catalog.services.domain.openapi import MAX_BYTES
from lienthong.catalog.services.domain.wsdl_locations import for_callers
from lienthong.catalog.services.domain.wsdl_tree import ACTIONS, WSDL, parse

LAND = (Path(support.__path__[0]) / "land.wsdl").read_text(encoding="utf-8")
TNS = "urn:binh-thuan:land"


def _wrong(document: str) -> list[str]:
    violations = wsdl.read(document)[1]
    assert all(violation.path == () and violation.text.vi.startswith("dòng ") for violation in violations)
    return [violation.text.en for violation in violations]


def test_every_operation_of_the_bindings_is_one_of_the_service() -> None:
    assert wsdl.read(LAND) == (
        tuple(
            ServiceOperation(
                name,
                "POST",
                "/ws/Land.asmx",
                SoapForm(TNS, name, (f"{TNS}/{name}", f"{TNS}:Land:{name}Request")),
            )
            for name in ("getParcel", "removeParcel")
        ),
        (),
    )


def test_rpc_calls_begin_with_the_name_of_the_operation() -> None:
    document = LAND.replace('style="document"', 'style="rpc"').replace(
        '<soap:body use="literal"/></wsdl:input>',
        '<soap:body use="literal" namespace="urn:rpc"/></wsdl:input>',
    )
    document = re.sub(r"<wsdl:binding name=\"LandSoap12\".*?</wsdl:binding>", "", document, flags=re.DOTALL)
    document = re.sub(r"<wsdl:port name=\"LandSoap12\".*?</wsdl:port>", "", document)
    operations, violations = wsdl.read(document)
    assert violations == ()
    assert [operation.soap.name for operation in operations if operation.soap] == [
        "urn:rpc getParcel",
        "urn:rpc removeParcel",
    ]


def test_a_message_without_parts_is_an_empty_body() -> None:
    document = LAND.replace('<wsdl:part name="parameters" element="tns:removeParcel"/>', "")
    operations, violations = wsdl.read(document)
    assert violations == ()
    assert [operation.soap.name for operation in operations if operation.soap] == [f"{TNS} getParcel", ""]


def test_actions_of_ws_addressing_are_read() -> None:
    document = LAND.replace(
        '<wsdl:input message="tns:getParcelIn"/>',
        '<wsdl:input message="tns:getParcelIn" name="In" '
        'xmlns:wsam="http://www.w3.org/2007/05/addressing/metadata" wsam:Action="urn:get"/>',
    )
    [get, _] = wsdl.read(document)[0]
    assert get.soap is not None
    assert get.soap.actions == (f"{TNS}/getParcel", "urn:get", f"{TNS}:Land:In")


_INPUT = '<soap:body use="literal"/></wsdl:input>'
_GET, _REMOVE = (
    f'<wsdl:operation name="{name}"><wsdl:input message' for name in ("getParcel", "removeParcel")
)
_ELEMENT = 'element="tns:getParcel"/>'
_QUALIFIED = 'elementFormDefault="qualified">'
_SERVICE = re.search(r"<wsdl:service.*</wsdl:service>", LAND, flags=re.DOTALL)
_HTTP = 'xmlns:h="http://schemas.xmlsoap.org/wsdl/http/"'
REFUSED = {
    "not XML": ("<a", "line 1: not well-formed"),
    "a document type": (
        "<!DOCTYPE a [<!ENTITY b 'c'>]>" + LAND.split("?>", 1)[1],
        "line 1: it has a document type",
    ),
    "another encoding": (LAND.replace("utf-8", "windows-1258", 1), "line 1: it declares the encoding"),
    "WSDL 2.0": ('<description xmlns="http://www.w3.org/ns/wsdl"/>', "line 1: only WSDL 1.1"),
    "too large": (LAND + "<!--" + "x" * MAX_BYTES + "-->", "line 1: the document is"),
    "an import": (
        LAND.replace("<wsdl:types>", '<wsdl:import namespace="u" location="b.wsdl"/><wsdl:types>'),
        "line 3: wsdl:import is not followed",
    ),
    "a schema from elsewhere": (
        LAND.replace(_QUALIFIED, '><xsd:import namespace="u" schemaLocation="b.xsd"/>'),
        "line 4: xsd:import with schemaLocation",
    ),
    "no service": (LAND.replace(_SERVICE[0] if _SERVICE else "", ""), "line 2: the document offers"),
    "a port of another kind": (
        LAND.replace("<soap12:address", '<j:address xmlns:j="urn:jms"'),
        "line 31: the port 'LandSoap12' is not one of SOAP",
    ),
    "ports of plain HTTP alone": (
        re.sub("<soap(12)?:address", f"<h:address {_HTTP}", LAND),
        "line 30: the port 'LandSoap' is not one of SOAP",
    ),
    "a port of plain HTTP that leads nowhere": (
        LAND.replace(
            "</wsdl:service>", f'<wsdl:port name="Get"><h:address {_HTTP}/></wsdl:port></wsdl:service>'
        ),
        "line 32: the location must be an address",
    ),
    "two paths": (
        LAND.replace(
            '<soap12:address location="http://land.example.vn/ws', '<soap12:address location="http://b/other'
        ),
        "line 31: the path '/other/Land.asmx' is another",
    ),
    "an address with a query": (
        LAND.replace(".asmx", ".asmx?a=b"),
        "line 30: the location must have no query",
    ),
    "a relative address": (
        LAND.replace("http://land.example.vn/", "/"),
        "line 30: the location must be an address",
    ),
    "a path that is not plain": (LAND.replace("/ws/Land", "/ws/../Land"), "line 30: the segment '..'"),
    "another transport": (
        LAND.replace("http://schemas.xmlsoap.org/soap/http", "http://schemas.xmlsoap.org/soap/smtp"),
        "line 20: the transport must be HTTP",
    ),
    "a binding that is missing": (
        LAND.replace("tns:LandSoap12", "tns:X"),
        "line 31: there is no binding 'X'",
    ),
    "a message that is missing": (
        LAND.replace("tns:getParcelIn", "tns:X"),
        "line 16: there is no message 'X'",
    ),
    "a prefix that is not declared": (
        LAND.replace('element="tns:getParcel"', 'element="zzz:getParcel"'),
        "line 21: the part at line 11 names no 'element'",
    ),
    "a part with a type": (
        LAND.replace('element="tns:getParcel"', 'type="xsd:string"'),
        "line 21: the part at line 11 names no 'element'",
    ),
    "two parts": (
        LAND.replace(_ELEMENT, _ELEMENT + '<wsdl:part name="b" element="tns:b"/>'),
        "line 21: the Body has more than one part",
    ),
    "an overloaded operation": (
        LAND.replace(_REMOVE, _GET),
        "line 21: the port type has 'getParcel' more than once",
    ),
    "one element for two operations": (
        LAND.replace('element="tns:removeParcel"', 'element="tns:getParcel"'),
        "line 22: calls of 'removeParcel' and of 'getParcel' have the same first element",
    ),
    "a name that agreements cannot write": (
        LAND.replace('operation name="getParcel"', 'operation name="tra cứu"'),
        "line 21: the name 'tra cứu' of an operation",
    ),
    "an action that no header can hold": (
        LAND.replace('soapAction="urn:binh-thuan:land/getParcel"', 'soapAction="tra cứu"'),
        "line 21: the action 'tra cứu'",
    ),
    "attachments": (
        LAND.replace(_INPUT, '<m:multipartRelated xmlns:m="urn:m"/></wsdl:input>'),
        "line 21: 'getParcel' has no input with a soap:body",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_be_called_is_refused_with_its_line(case: str) -> None:
    document, expected = REFUSED[case]
    wrong = _wrong(document)
    assert wrong[:1] == [text for text in wrong if text.startswith(expected)][:1] != []


def test_ports_of_plain_http_beside_soap_are_passed_over_and_named() -> None:
    ports = "".join(
        f'<wsdl:port name="Land{method}" binding="tns:Land{method}"><h:address {_HTTP} '
        f'location="http://land.example.vn/ws/Land.asmx"/></wsdl:port>'
        for method in ("HttpGet", "HttpPost")
    )
    document = LAND.replace("</wsdl:service>", f"{ports}</wsdl:service>")
    assert wsdl.read(document) == wsdl.read(LAND)
    assert [found.text.en for found in wsdl.not_offered(document)] == [
        f"line 32: the port 'Land{method}' is of plain HTTP and is not offered: callers use SOAP"
        for method in ("HttpGet", "HttpPost")
    ]
    assert list(wsdl.not_offered(LAND)) == []
    shown = for_callers(document, "https://gw.example/api/x")
    assert shown.count('location="https://gw.example/api/x/ws/Land.asmx"') == 4
    assert "land.example.vn" not in shown


def test_more_operations_than_are_taken_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsdl, "MAX_BOUND", 2_000)
    monkeypatch.setattr(wsdl, "MAX_OPERATIONS", 500)
    one = re.search(r'    <wsdl:operation name="getParcel"><soap:.*?</wsdl:operation>\n', LAND)
    assert one is not None
    many = "".join(one[0].replace('name="getParcel"', f'name="get{number}"') for number in range(3000))
    [wrong] = _wrong(LAND.replace(one[0], many))
    assert wrong == "line 2: more than 500 operations; split the service"


def test_callers_are_given_the_gateways_address_and_the_rest_as_it_was() -> None:
    base = "https://lgsp.example.vn/api/H11.05/land/registry-v1"
    assert for_callers(LAND, base) == LAND.replace("http://land.example.vn", base)
    spaced = LAND.replace(
        '<soap:address location="http://land.example.vn/ws/Land.asmx"/>',
        "<soap:address\n note='location=\"x\" >' location = 'http://land.example.vn/ws/Land.asmx' />",
    )
    assert for_callers(spaced, base).count(base) == 2
    assert "note='location=\"x\" >'" in for_callers(spaced, base)


def test_attributes_of_other_namespaces_are_not_kept() -> None:
    strange = " ".join(f"x:a{number}=''" for number in range(100))
    text = (
        f"<definitions xmlns='{WSDL}' xmlns:x='urn:{'x' * 400}' xmlns:wsam='{ACTIONS[0].split()[0]}'"
        f" name='n' {strange}><input wsam:Action='urn:act' {strange}/></definitions>"
    )
    root = parse(text)
    assert root.attributes == {"name": "n"}
    assert root.children[0].attributes == {ACTIONS[0]: "urn:act"}
