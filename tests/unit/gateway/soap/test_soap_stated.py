"""What the head of a SOAP call states."""

from __future__ import annotations

import pytest

from lienthong.gateway.request_headers import read_headers
from lienthong.gateway.soap.stated import read_stated, stated_version
from lienthong.gateway.soap.version import SoapVersion
from lienthong.kit.problems import ProblemError

V11, V12 = SoapVersion.V1_1, SoapVersion.V1_2


def stated(*fields: tuple[str, str]) -> tuple[SoapVersion, list[str]]:
    return read_stated(
        read_headers([(n.encode(), v.encode("latin-1")) for n, v in fields], max_bytes=9999, max_count=99)
    )


@pytest.mark.parametrize(
    ("content_type", "soap_action", "expected"),
    [
        ("text/xml", None, (V11, [])),
        ("text/xml; charset=utf-8", '"urn:a"', (V11, ["urn:a"])),
        ('TEXT/XML;charset="UTF-8"', "urn:a", (V11, ["urn:a"])),
        ("text/xml;", '""', (V11, [])),
        ("text/xml", "", (V11, [])),
        ('application/soap+xml; charset=utf-8; action="urn:a"', None, (V12, ["urn:a"])),
        ('application/soap+xml;action="urn:a";charset=UTF-8', '"urn:b"', (V12, ["urn:a", "urn:b"])),
        ("application/soap+xml; action=urn:a", None, (V12, ["urn:a"])),
        ('application/soap+xml; action=""', None, (V12, [])),
        # A parameter that SOAP 1.1 does not have counts all the same.
        ('text/xml; action="urn:b"', '"urn:a"', (V11, ["urn:b", "urn:a"])),
    ],
)
def test_version_and_actions(
    content_type: str, soap_action: str | None, expected: tuple[SoapVersion, list[str]]
) -> None:
    fields = [("content-type", content_type)]
    if soap_action is not None:
        fields.append(("soapaction", soap_action))
    assert stated(*fields) == expected


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([], "unsupported-media-type"),
        ([("content-type", "application/json")], "unsupported-media-type"),
        ([("content-type", "text/plain")], "unsupported-media-type"),
        ([("content-type", 'multipart/related; type="application/xop+xml"')], "unsupported-media-type"),
        ([("content-type", "text/xml"), ("content-type", "text/xml")], "unsupported-media-type"),
        ([("content-type", "text/xml; charset=utf-16")], "unsupported-media-type"),
        ([("content-type", "text/xml; charset=utf-7")], "unsupported-media-type"),
        ([("content-type", "text/xml; charset=iso-8859-1")], "unsupported-media-type"),
        ([("content-type", "text/xml"), ("content-encoding", "gzip")], "unsupported-media-type"),
        ([("content-type", "text/xml; charset=utf-8; charset=utf-7")], "malformed-request"),
        ([("content-type", 'application/soap+xml; action="a"; Action="b"')], "malformed-request"),
        ([("content-type", 'application/soap+xml; action="a')], "malformed-request"),
        ([("content-type", 'application/soap+xml; action="a\\"b"')], "malformed-request"),
        ([("content-type", "text/xml, text/plain")], "malformed-request"),
        ([("content-type", "text/xml"), ("soapaction", '"a"'), ("soapaction", '"b"')], "malformed-request"),
        ([("content-type", "text/xml"), ("soapaction", '"a" "b"')], "malformed-request"),
        ([("content-type", "text/xml"), ("soapaction", '"a')], "malformed-request"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(fields: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(ProblemError) as refused:
        stated(*fields)
    assert refused.value.code == code


def test_a_caller_is_told_in_the_version_that_it_seems_to_speak() -> None:
    def version(content_type: bytes) -> SoapVersion:
        return stated_version(read_headers([(b"content-type", content_type)], max_bytes=999, max_count=9))

    assert version(b"Application/SOAP+xml; action=a") is V12
    assert version(b"text/xml") is version(b"nonsense") is V11
