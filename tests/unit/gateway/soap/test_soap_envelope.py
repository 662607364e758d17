"""Envelopes as they are read: what decides is found, what two readers could take differently is refused."""

from __future__ import annotations

import tracemalloc

import pytest

from lienthong.gateway.soap.envelope import Envelope
from lienthong.gateway.soap.version import SoapVersion
from lienthong.kit.xml_text import MAX_DEPTH, MAX_TAG, NotXmlError
from tests.support.growth import grows_at_most

S11, S12 = SoapVersion.V1_1.value, SoapVersion.V1_2.value
WSA = "http://www.w3.org/2005/08/addressing"


def envelope(body: str = '<a xmlns="u"/>', header: str = "", namespace: str = S11) -> bytes:
    """An envelope with a Body, and what stands before it."""
    return f'<s:Envelope xmlns:s="{namespace}">{header}<s:Body>{body}</s:Body></s:Envelope>'.encode()


def read(data: bytes, part: int | None = None) -> Envelope:
    """Read a whole envelope, in parts of so many bytes."""
    found = Envelope()
    try:
        for at in range(0, len(data), part or max(len(data), 1)):
            found.feed(data[at : at + (part or len(data))])
        found.finish()
    finally:
        found.close()
    return found


@pytest.mark.parametrize("part", [None, 1, 7])
@pytest.mark.parametrize("version", list(SoapVersion), ids=lambda version: version.number)
def test_what_decides_is_found(version: SoapVersion, part: int | None) -> None:
    header = f'<s:Header><w:Action xmlns:w="{WSA}"> urn:do </w:Action><o xmlns="v"><Body/></o></s:Header>'
    found = read(envelope("<!-- --> <u:get xmlns:u='urn:u'><b/></u:get>", header, version.value), part)
    assert (found.version, found.element, found.actions) == (version, "urn:u get", ["urn:do"])


@pytest.mark.parametrize(
    ("body", "element"),
    [("", ""), (" \n", ""), ("text", ""), ("<a/>", "a"), ("<a xmlns=''/>", "a"), ("<!--<b/>--><a/>", "a")],
)
def test_an_empty_body_and_names_without_a_namespace(body: str, element: str) -> None:
    assert read(envelope(body)).element == element


def test_a_prefix_stands_for_what_is_nearest() -> None:
    data = envelope('<p:a xmlns:p="urn:inner"/>').replace(b"xmlns:s=", b'xmlns:p="urn:outer" xmlns:s=')
    assert read(data).element == "urn:inner a"


_TEN = {n: f"&l{n};" * 10 for n in range(12)}
_LAUGHS = "".join(f'<!ENTITY l{n + 1} "{ten}">' for n, ten in _TEN.items())
_ACTION = f'<Action xmlns="{WSA}"/>'
REFUSED = {
    "a billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{_LAUGHS}]>'.encode() + envelope("&l12;"),
    "an external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + envelope("<a>&e;</a>"),
    "an external document type": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + envelope(),
    "a processing instruction": b"<?php echo 1 ?>" + envelope(),
    "one within": envelope("<?a b?><a/>"),
    "two bodies": envelope().replace(b"</s:Envelope>", b"<s:Body><b/></s:Body></s:Envelope>"),
    "an empty body and another": envelope("").replace(b"</s:E", b"<s:Body><b/></s:Body></s:E"),
    "two elements in the body": envelope("<a/><b/>"),
    "a header behind the body": envelope().replace(b"</s:Envelope>", b"<s:Header/></s:Envelope>"),
    "two headers": envelope(header="<s:Header/><s:Header/>"),
    "something behind the body": envelope().replace(b"</s:Envelope>", b"<x/></s:Envelope>"),
    "something before the body": envelope(header="<x/>"),
    "a body without its namespace": envelope(header="<Body><b/></Body>"),
    "a body of the other version": envelope(header=f'<o:Body xmlns:o="{S12}"><b/></o:Body>'),
    "a body in the header alone": envelope().replace(b"s:Body", b"s:Header"),
    "no body": f'<s:Envelope xmlns:s="{S11}"/>'.encode(),
    "another namespace": envelope(namespace="http://example.vn/soap"),
    "none": b"<Envelope><Body><a/></Body></Envelope>",
    "an envelope in another": b"<a>" + envelope() + b"</a>",
    "two envelopes": envelope() + envelope(),
    "UTF-16": envelope().decode().encode("utf-16"),
    "UTF-16 without a mark": envelope().decode().encode("utf-16-le"),
    "UTF-7": b'<?xml version="1.0" encoding="utf-7"?>' + envelope(),
    "latin-1": b'<?xml version="1.0" encoding="iso-8859-1"?>' + envelope(),
    "bytes that are not UTF-8": envelope().replace(b"u", b"\xe1"),
    "XML 1.1": b'<?xml version="1.1"?>' + envelope(),
    "cut off": envelope()[:-9],
    "nothing": b"",
    "JSON": b'{"a": 1}',
    "too deep": envelope("<a>" * MAX_DEPTH + "</a>" * MAX_DEPTH),
    "a prefix that stands for nothing": envelope("<z:a/>"),
    "a long action": envelope(header=f'<s:Header><Action xmlns="{WSA}">{"x" * 5000}</Action></s:Header>'),
    "many actions": envelope(header=f"<s:Header>{_ACTION * 9}</s:Header>"),
    "a huge attribute": envelope(f"<a b='{'x' * 2 * MAX_TAG}'/>"),
    "a huge comment": envelope(f"<!--{'x' * 2 * MAX_TAG}--><a/>"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("part", [None, 1000], ids=["at once", "in parts"])
def test_other_envelopes_are_refused(case: str, part: int | None) -> None:
    with pytest.raises(NotXmlError) as refused:
        read(REFUSED[case], part)
    assert refused.value.text.vi
    assert refused.value.line >= 1


async def test_neither_time_nor_memory_grows_faster_than_the_body() -> None:
    def elements(size: int) -> None:
        read(envelope(f"<a>{'<b/>' * size}</a>"), 65536)

    def deep(size: int) -> None:
        read(envelope("<a>" + f"{'<b>' * 100}{'</b>' * 100}" * (size // 100) + "</a>"), 65536)

    for work in (elements, deep):
        assert await grows_at_most(work, 2_000, 16_000, 40)
    data = envelope(f"<a>{'x' * 4_000_000}</a>")
    tracemalloc.start()
    try:
        assert read(data, 65536).element == "a"
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
