"""Events survive every mode unchanged; what is no event is refused, and the violation has its place."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.domain.cloudevents import MalformedEventError
from lienthong.exchange.domain.http_binding import UnsupportedModeError, decode_header, parse_request
from lienthong.exchange.domain.json_format import parse_batch, parse_structured

MINIMAL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/H11.05/land",
    "type": "H11.05/land/parcel-changed-v1",
    "data": {"parcel": "27-114"},
}

_text = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters=["\ufffe", "\uffff"]),
    min_size=1,
    max_size=60,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
_extension_name = st.from_regex(r"x[a-z0-9]{1,12}", fullmatch=True)
_events = st.builds(
    lambda own, extensions, data: {**MINIMAL, **own, **extensions, "data": data},
    st.fixed_dictionaries({"id": _text, "source": _text}),
    st.dictionaries(_extension_name, _text | st.integers(-(2**31), 2**31 - 1) | st.booleans(), max_size=5),
    _json,
)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def canonical(value: object) -> str:
    """The string encoding of CloudEvents' type system (section 3.1)."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def binary(event: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    """The event in binary mode, escaped as the HTTP binding says."""
    headers = [
        (f"ce-{name}", quote(canonical(value), safe="!#$&'()*+,-./:;<=>?@[]^_`{|}~"))
        for name, value in event.items()
        if name != "data"
    ]
    return [*headers, ("Content-Type", "application/json")], encoded(event["data"])


@given(_events)
def test_a_structured_event_comes_out_as_it_went_in(event: dict[str, Any]) -> None:
    assert json.loads(parse_structured(encoded(event)).to_json()) == event


@given(_events)
def test_what_comes_out_can_go_in_again(event: dict[str, Any]) -> None:
    first = parse_structured(encoded(event))
    assert parse_structured(first.to_json()) == first


@given(st.lists(_events, max_size=4))
def test_a_batch_keeps_its_events_and_their_order(events: list[dict[str, Any]]) -> None:
    assert [json.loads(event.to_json()) for event in parse_batch(encoded(events))] == events


@given(_events)
def test_binary_mode_carries_every_attribute_as_text(event: dict[str, Any]) -> None:
    (read,) = parse_request(*binary(event))
    expected = {name: canonical(value) for name, value in event.items() if name != "data"}
    assert read.attributes == {**expected, "datacontenttype": "application/json"}
    assert read.value == event["data"]


@given(_text)
def test_a_header_is_decoded_once(text: str) -> None:
    assert decode_header(quote(text, safe="")) == text
    assert decode_header(quote(quote(text, safe=""), safe="")) == quote(text, safe="")


@given(_events)
def test_a_retry_in_another_mode_is_the_same_event(event: dict[str, Any]) -> None:
    structured = parse_structured(encoded({**event, "datacontenttype": "application/json"}))
    (read,) = parse_request(*binary(event))
    assert read.fingerprint() == structured.fingerprint()


def test_a_retry_with_a_later_time_and_another_trace_is_the_same_event() -> None:
    first = parse_structured(encoded({**MINIMAL, "time": "2026-11-23T06:30:00Z", "traceparent": "a"}))
    again = parse_structured(encoded({**MINIMAL, "time": "2026-11-23T06:31:00Z", "traceparent": "b"}))
    assert first.fingerprint() == again.fingerprint()


@pytest.mark.parametrize(
    "other", [{"data": {"parcel": "27-115"}}, {"subject": "27-114"}, {"type": "H11.05/land/other-v1"}]
)
def test_another_content_is_another_event(other: dict[str, Any]) -> None:
    first = parse_structured(encoded(MINIMAL))
    assert parse_structured(encoded(MINIMAL | other)).fingerprint() != first.fingerprint()


def test_the_payload_keeps_every_byte() -> None:
    body = encoded(MINIMAL).replace(b'{"parcel": "27-114"}', b'{ "area" : 1.10e2, "note":"\\u00e1" }')
    assert b'"data":{ "area" : 1.10e2, "note":"\\u00e1" }' in parse_structured(body).to_json()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"specversion": None}, "/specversion"),
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": 7}, "/id"),
        ({"source": True}, "/source"),
        ({"type": "a\nb"}, "/type"),
        ({"time": "23/11/2026"}, "/time"),
        ({"time": "2026-02-30T00:00:00Z"}, "/time"),
        ({"subject": ""}, "/subject"),
        ({"Bad-Name": "x"}, "/Bad-Name"),
        ({"a/b": "x"}, "/a~1b"),
        ({"extension": {"no": "objects"}}, "/extension"),
        ({"extension": 1.5}, "/extension"),
        ({"extension": 2**31}, "/extension"),
        ({"extension": "x" * 1025}, "/extension"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"),
        ({"datacontenttype": "application/json; charset=utf-16"}, "/datacontenttype"),
        ({"data_base64": "AAAA"}, "/data_base64"),
    ],
)
def test_a_violation_is_named_with_its_place(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedEventError) as refused:
        parse_structured(encoded(MINIMAL | change))
    assert pointer in [violation.pointer for violation in refused.value.violations]


def test_an_event_without_payload_is_refused() -> None:
    with pytest.raises(MalformedEventError) as refused:
        parse_structured(encoded({name: value for name, value in MINIMAL.items() if name != "data"}))
    assert [violation.pointer for violation in refused.value.violations] == ["/data"]


def test_null_is_a_payload() -> None:
    assert parse_structured(encoded({**MINIMAL, "data": None})).data == b"null"


def test_all_violations_of_a_batch_are_named_at_once() -> None:
    batch = [MINIMAL, {**MINIMAL, "id": ""}, 5, {**MINIMAL, "source": None}]
    with pytest.raises(MalformedEventError) as refused:
        parse_batch(encoded(batch))
    assert [violation.pointer for violation in refused.value.violations] == ["/1/id", "/2", "/3/source"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"a":1,"a":1}',
        b'{"data":{"a":1,"a":2}}',
        b'{"data":NaN}',
        b'{"data":-Infinity}',
        b'{"data":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"data":' + b"[" * 201 + b"]" * 201 + b"}",
        b'{"data":1}\x00',
        b'{"data":"\\ud800"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedEventError):
        parse_structured(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_either_events_or_refused(body: bytes) -> None:
    for content_type in ("application/cloudevents+json", "application/cloudevents-batch+json"):
        try:
            parse_request([("content-type", content_type)], body)
        except MalformedEventError:
            continue


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "application/json")],
        [("Content-Type", "application/cloudevents+avro")],
        [("Content-Type", "application/cloudevents+json; charset=utf-16")],
    ],
)
def test_a_mode_that_is_not_understood_is_told(headers: list[tuple[str, str]]) -> None:
    with pytest.raises(UnsupportedModeError):
        parse_request(headers, encoded(MINIMAL))


@pytest.mark.parametrize(
    ("header", "value", "pointer"),
    [
        ("ce-id", "100%", "/id"),
        ("ce-id", "%ff", "/id"),
        ("ce-id", "Thửa", "/id"),
        ("ce-subject", "a%0Ab", "/subject"),
        ("ce-datacontenttype", "application/json", "/datacontenttype"),
    ],
)
def test_a_broken_header_is_named(header: str, value: str, pointer: str) -> None:
    headers, body = binary(MINIMAL)
    headers = [(name, old) for name, old in headers if name != header]
    with pytest.raises(MalformedEventError) as refused:
        parse_request([*headers, (header, value)], body)
    assert pointer in [violation.pointer for violation in refused.value.violations]


def test_a_header_that_stands_twice_is_refused() -> None:
    headers, body = binary(MINIMAL)
    with pytest.raises(MalformedEventError):
        parse_request([*headers, ("CE-ID", "2")], body)


def test_header_names_are_read_in_any_case_and_old_quotes_are_understood() -> None:
    headers, body = binary(MINIMAL)
    headers = [(name.upper(), f'"{value}"' if name == "ce-id" else value) for name, value in headers]
    (event,) = parse_request(headers, body)
    assert event.id == "1"
