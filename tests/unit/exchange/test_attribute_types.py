"""Every type of CloudEvents' type system is the same in every content mode, on the way in and out."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.domain.cloudevents import CloudEvent, MalformedEventError
from lienthong.exchange.domain.http_binding import parse_request
from lienthong.exchange.domain.json_format import parse_structured

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/H11.05/land",
    "type": "H11.05/land/parcel-changed-v1",
}
DATA = b'{"parcel":"27-114"}'

# Each value with its JSON form and its canonical string form, as the specification (section 3.1) and the JSON
# format (section 2.2) describe them, written here once more on purpose.
TypedValue = tuple[object, str]

_booleans = st.sampled_from([(True, "true"), (False, "false")])
_integers = st.integers(-(2**31), 2**31 - 1).map(lambda number: (number, f"{number:d}"))
_strings = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters=["\ufffe", "\uffff"]), max_size=60
).map(lambda text: (text, text))
_binaries = st.binary(max_size=60).map(base64.b64encode).map(bytes.decode).map(lambda text: (text, text))
_uris = st.builds(
    "{}://{}/{}".format,
    st.sampled_from(["https", "urn", "ftp"]),
    st.sampled_from(["example.org", "[2001:db8::1]:8080", "u%40x@example.org"]),
    st.text("abc/%20?&=+~;", max_size=20),
).map(lambda text: (text, text))
_uri_references = st.sampled_from(["", "#top", "/a/b", "../x", "?q=%25", "a%2Fb", "//example.org"]).map(
    lambda text: (text, text)
)
_timestamps = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours))) | st.just(UTC),
).map(lambda moment: (moment.isoformat(), moment.isoformat()))
_values: st.SearchStrategy[TypedValue] = st.one_of(
    _booleans, _integers, _strings, _binaries, _uris, _uri_references, _timestamps
)
_extensions = st.dictionaries(st.from_regex(r"x[a-z0-9]{1,12}", fullmatch=True), _values, max_size=8)


def structured(extensions: dict[str, TypedValue], **own: object) -> CloudEvent:
    document = {**EVENT, **own, **{name: in_json for name, (in_json, _) in extensions.items()}}
    return parse_structured(json.dumps({**document, "data": json.loads(DATA)}).encode())


def binary(
    extensions: dict[str, TypedValue], content_type: str = "application/json", **own: object
) -> CloudEvent:
    headers = [(f"ce-{name}", quote(str(value), safe="/:")) for name, value in {**EVENT, **own}.items()]
    headers += [(f"ce-{name}", quote(text, safe="/:")) for name, (_, text) in extensions.items()]
    (event,) = parse_request([*headers, ("Content-Type", content_type)], DATA)
    return event


@given(_extensions)
def test_an_event_is_the_same_in_both_modes(extensions: dict[str, TypedValue]) -> None:
    assert binary(extensions).fingerprint() == structured(extensions).fingerprint()


@given(_extensions)
def test_a_subscriber_gets_what_the_mode_can_carry(extensions: dict[str, TypedValue]) -> None:
    for_structured = json.loads(structured(extensions).to_json())
    for_binary = json.loads(binary(extensions).to_json())
    for name, (in_json, text) in extensions.items():
        assert for_structured[name] == in_json
        assert type(for_structured[name]) is type(in_json)
        assert for_binary[name] == text


@given(_extensions)
def test_what_a_subscriber_got_can_be_sent_on_in_either_mode(extensions: dict[str, TypedValue]) -> None:
    first = binary(extensions)
    assert parse_structured(first.to_json()).fingerprint() == first.fingerprint()
    again = parse_structured(structured(extensions).to_json())
    assert again.fingerprint() == first.fingerprint()


@given(_extensions, _extensions)
def test_events_whose_attributes_differ_are_told_apart(
    one: dict[str, TypedValue], other: dict[str, TypedValue]
) -> None:
    texts = [{name: text for name, (_, text) in extensions.items()} for extensions in (one, other)]
    same = structured(one).fingerprint() == binary(other).fingerprint()
    # Only `True` and `true` mean the same: CloudEvents' Python SDK writes the first into headers.
    lowered = [
        {name: {"True": "true", "False": "false"}.get(text, text) for name, text in each.items()}
        for each in texts
    ]
    assert same is (lowered[0] == lowered[1])


@pytest.mark.parametrize("value", [True, False])
def test_the_python_sdk_writes_booleans_as_python_does(value: bool) -> None:
    assert (
        binary({"flag": (value, str(value))}).fingerprint() == structured({"flag": (value, "")}).fingerprint()
    )


def test_an_id_is_never_read_as_a_boolean() -> None:
    assert structured({}, id="True").fingerprint() != structured({}, id="true").fingerprint()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
    ],
)
def test_an_event_without_content_type_is_one_of_json(content_type: str) -> None:
    assert binary({}, content_type).fingerprint() == structured({}).fingerprint()
    assert structured({}, datacontenttype=content_type).fingerprint() == structured({}).fingerprint()


def test_another_content_type_is_another_event() -> None:
    geo = structured({}, datacontenttype="application/geo+json")
    assert geo.fingerprint() != structured({}).fingerprint()
    assert geo.fingerprint() == binary({}, "application/geo+json; charset=utf-8").fingerprint()
    versioned = binary({}, 'application/geo+json; Version="2"')
    assert versioned.fingerprint() == binary({}, "application/geo+json;version=2").fingerprint()
    assert versioned.fingerprint() != geo.fingerprint()


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-23T06:30:00Z",
        "2026-11-23T06:30:00.123456789012+07:00",
        "2026-12-31T23:59:60Z",
        "2027-01-01t06:59:60.5+07:00",
    ],
)
def test_a_time_stays_as_it_was_written_and_is_not_part_of_the_fingerprint(time: str) -> None:
    for event in (structured({}, time=time), binary({}, time=time)):
        assert json.loads(event.to_json())["time"] == time
        assert event.fingerprint() == structured({}).fingerprint()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time", "2026-11-23T06:30:60Z"),
        ("time", "2026-11-23 06:30:00Z"),
        ("time", ""),
        ("time", 5),
        ("subject", True),
        ("datacontenttype", 5),
        ("dataschema", False),
        ("xnumber", 2**31),
        ("xnumber", -(2**31) - 1),
        ("xnumber", 1.0),
        ("xlist", []),
    ],
)
def test_what_has_no_place_in_the_type_system_is_refused(name: str, value: object) -> None:
    with pytest.raises(MalformedEventError) as refused:
        structured({}, **{name: value})
    assert [violation.pointer for violation in refused.value.violations] == [f"/{name}"]
