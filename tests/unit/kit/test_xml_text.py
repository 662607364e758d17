"""Strict XML: no document type, UTF-8 alone, bounded depth and tags."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.xml_text import (
    MAX_DEPTH,
    MAX_NAMESPACE,
    MAX_TAG,
    NotXmlError,
    XmlReader,
    local_name,
    namespace,
)
from tests.support.growth import grows_at_most

if TYPE_CHECKING:
    from collections.abc import Mapping

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("p")))
    + b"]><l>&o;</l>"
)
REFUSED = {
    "a billion laughs": BOMB,
    "an external entity": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
    "an external document type": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    "a parameter entity": b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]><a/>',
    "an entity that is not declared": b"<a>&e;</a>",
    "UTF-16 with its mark": "<a/>".encode("utf-16"),
    "UTF-16, little end first": "<a/>".encode("utf-16-le"),
    "UTF-16, big end first": "<a/>".encode("utf-16-be"),
    "UTF-32": "<a/>".encode("utf-32"),
    "UTF-7 that is declared": b'<?xml version="1.0" encoding="UTF-7"?>+ADw-a/+AD4-',
    "UTF-7 that is not": b"+ADw-a/+AD4-",
    "latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>'.encode("latin-1"),
    "latin-1 that is not declared": "<a>\xe9</a>".encode("latin-1"),
    "EBCDIC": "<?xml version='1.0' encoding='cp037'?><a/>".encode("cp037"),
    "XML 1.1": b'<?xml version="1.1"?><a/>',
    "two elements": b"<a/><b/>",
    "no element": b"",
    "white space alone": b"  \n",
    "one byte": b"<",
    "a prefix that is not declared": b"<a:b/>",
    "an attribute twice": b'<a b="1" b="2"/>',
    "an attribute twice by its namespace": b'<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>',
    "a NUL": b"<a>\0</a>",
    "overlong UTF-8": b"<a>\xc0\xbc</a>",
    "too deep": b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
    "a long namespace": b'<a xmlns="%b"/>' % (b"u" * (MAX_NAMESPACE + 1)),
    "a long namespace of a prefix": b'<a><b xmlns:p="%b"/></a>' % (b"u" * (MAX_NAMESPACE + 1)),
    "what comes before the declaration": b' <?xml version="1.0"?><a/>',
}


class Seen:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self.told.append(f"<{name} {dict(attributes)}")

    def end(self, name: str) -> None:
        self.told.append(f">{name}")

    def text(self, text: str) -> None:
        self.told.append(text)


class Nobody:
    """Notes nothing."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Pass over an element."""

    def end(self, name: str) -> None:
        """Pass over its end."""


def read(data: bytes, *, part: int | None = None, instructions: bool = False) -> list[str]:
    seen = Seen()
    reader = XmlReader(seen, instructions=instructions)
    reader.listen(seen)
    for at in range(0, len(data), part or max(len(data), 1)):
        reader.feed(data[at : at + (part or len(data))])
    reader.finish()
    return seen.told


def test_elements_are_told_with_their_namespaces() -> None:
    declaration = '\ufeff<?xml version="1.0" encoding="UTF-8"?>'
    text = declaration + '<a xmlns="u v" p:c="1" xmlns:p="w"><!-- --><b>ấ&lt;</b></a>'
    with pytest.raises(NotXmlError, match="syntax error"):
        # With a blank in it a namespace could be taken for another.
        read(text.encode())
    told = ["<u a {'w c': '1'}", "<u b {}", "ấ", "<", ">u b", ">u a"]
    data = text.replace("u v", "u").encode()
    assert read(data) == told
    assert (namespace("u a"), local_name("u a"), namespace("a"), local_name("a")) == ("u", "a", "", "a")
    # However the parts come: but for text, which may come in parts too.
    assert [word for word in read(data, part=1) if word[0] in "<>" and len(word) > 1] == [
        word for word in told if word[0] in "<>" and len(word) > 1
    ]


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("part", [None, 1], ids=["at once", "byte by byte"])
def test_what_two_readers_could_understand_differently_is_refused(case: str, part: int | None) -> None:
    with pytest.raises(NotXmlError) as refused:
        read(REFUSED[case], part=part)
    assert refused.value.line >= 1
    assert refused.value.text.vi


def test_processing_instructions_are_taken_where_they_may() -> None:
    assert read(b"<?a b?><c/>", instructions=True) == ["<c {}", ">c"]
    with pytest.raises(NotXmlError, match="processing instruction"):
        read(b"<?a b?><c/>")


@pytest.mark.parametrize("beginning", [b"<a b='", b"<", b"<!--", b"<a ", b"<?a "])
def test_a_tag_that_does_not_end_is_refused_in_time_and_memory(beginning: bytes) -> None:
    reader = XmlReader(Seen())
    part = b"x" * 65536

    def feed() -> None:
        reader.feed(beginning + part)
        for _ in range(100):
            reader.feed(part)

    tracemalloc.start()
    try:
        with pytest.raises(NotXmlError, match="longer than"):
            feed()
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_TAG
    finally:
        tracemalloc.stop()


NAMESPACE = b"u" * MAX_NAMESPACE


@pytest.mark.parametrize(
    "inside",
    [
        b"".join(b"<p:b%d/>" % number for number in range(20_000)),
        b"".join(b"<b p:b%d=''/>" % number for number in range(20_000)),
    ],
    ids=["elements", "attributes"],
)
def test_names_take_no_memory_once_they_were_read(inside: bytes) -> None:
    reader = XmlReader(Nobody())
    tracemalloc.start()
    try:
        reader.feed(b'<a xmlns:p="%b">' % NAMESPACE + inside)
        # What expat notes of each name; the namespace of each would be ten megabytes.
        assert tracemalloc.get_traced_memory()[1] < 24 * len(inside)
    finally:
        tracemalloc.stop()


def test_a_long_namespace_is_refused_before_many_names_have_it() -> None:
    attributes = b" ".join(b"p:b%d=''" % number for number in range(60_000))
    data = b'<a xmlns:p="%b" %b/>' % (b"u" * 100_000, attributes)
    tracemalloc.start()
    try:
        with pytest.raises(NotXmlError, match="longer than"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    finally:
        tracemalloc.stop()


async def test_time_grows_with_the_length_and_no_more() -> None:
    def elements(size: int) -> None:
        read(b"<a>" + b"<b/>" * size + b"</a>", part=65536)

    def attributes(size: int) -> None:
        read(b"<a " + b" ".join(b"b%d=''" % number for number in range(size)) + b"/>")

    def namespaces(size: int) -> None:
        read(b"<a " + b" ".join(b"xmlns:b%d='u%d'" % (number, number) for number in range(size)) + b"/>")

    assert await grows_at_most(elements, 1_000, 8_000, 40)
    for work in (attributes, namespaces):
        # As many as one tag has room for.
        assert await grows_at_most(work, 200, 1_600, 40)
