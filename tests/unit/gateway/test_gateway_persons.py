"""A person is recorded under one hash, however the call named it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.person_places import person_places
from lienthong.gateway.persons import MOST, Persons, named_in, normal_form
from lienthong.gateway.privacy import Privacy
from lienthong.gateway.request_headers import read_headers
from lienthong.kit.field_paths import tree
from tests.support.growth import grows_at_most

PRIVACY = Privacy(b"k" * 32)
PATH, QUERY, HEADER = (
    routes_pb2.PARAMETER_LOCATION_PATH,
    routes_pb2.PARAMETER_LOCATION_QUERY,
    routes_pb2.PARAMETER_LOCATION_HEADER,
)


def stated(
    template: str,
    parameters: list[tuple[routes_pb2.ParameterLocation.ValueType, str, str]],
    path: bytes,
    query: bytes = b"",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> list[str] | None:
    """The hashes that a request's path, query and header fields give."""
    message = routes_pb2.PersonPlaces(
        parameters=[
            routes_pb2.Parameter(location=where, name=name, separator=separator)
            for where, name, separator in parameters
        ]
    )
    read = read_headers(headers or [], max_bytes=10_000, max_count=100)
    return person_places(template, message).stated(path, query, read).hashes(PRIVACY)


def hashes(*forms: str) -> list[str]:
    return [PRIVACY.hashed(form.encode()) for form in sorted(forms)]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("079203001234", "079203001234"),
        ("  079203001234\t", "079203001234"),
        ("\u00a0079203001234\u3000", "079203001234"),
        ("B1234567", "b1234567"),
        ("NGUYỄN THỊ B", "nguyễn thị b"),
        ("Nguye\u0302\u0303n Thi\u0323 B", "nguyễn thị b"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        (" \t ", ""),
    ],
)
def test_the_normal_form(written: str, form: str) -> None:
    assert normal_form(written.encode()).decode() == form
    assert normal_form(normal_form(written.encode())) == normal_form(written.encode())


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert normal_form(b"\xff A ") == b"\xff A "


@pytest.mark.parametrize(
    "path", [b"/people/079203001234", b"/people/%30792030012%334", b"/people/%20079203001234"]
)
def test_a_person_in_the_path_however_it_is_encoded(path: bytes) -> None:
    assert stated("/people/{id}", [(PATH, "id", "")], path) == hashes("079203001234")


def test_hex_digits_of_an_encoding_are_the_same_in_both_cases() -> None:
    upper, lower = (stated("/p/{id}", [(PATH, "id", "")], path) for path in (b"/p/%C4%90x", b"/p/%c4%91x"))
    assert upper == lower == hashes("đx")


def test_a_segment_with_several_parameters_has_the_values_that_the_operation_is_found_by() -> None:
    template = "/books/{book}-{id}.{form}/x"
    assert stated(template, [(PATH, "id", "")], b"/books/KS-a-b.json/x") == hashes("a-b")
    assert stated(template, [(PATH, "book", "")], b"/books/KS-a-b.json/x") == hashes("ks")
    assert stated(template, [(PATH, "form", "")], b"/books/KS-a-b.json/x") == hashes("json")


def test_what_follows_a_semicolon_hides_nobody() -> None:
    found = stated("/people/{id}", [(PATH, "id", "")], b"/people/079203001234;v=1")
    assert found == hashes("079203001234", "079203001234;v=1")


@pytest.mark.parametrize(
    ("query", "forms"),
    [
        (b"?id=1", ["1"]),
        (b"?page=2&id=+1%20&x", ["1"]),
        (b"?id=1&id=2", ["1", "2"]),
        (b"?%69d=1", ["1"]),
        (b"?ids=1,2%2C3", ["1", "2", "3"]),
        (b"?ID=1", []),
        (b"?id", []),
        (b"?", []),
    ],
)
def test_persons_in_the_query(query: bytes, forms: list[str]) -> None:
    places = [(QUERY, "id", ""), (QUERY, "ids", ",")]
    assert (stated("/people", places, b"/people", query) or []) == hashes(*forms)


def test_persons_in_header_fields() -> None:
    headers = [(b"x-person", b"1, 2"), (b"x-person", b"3"), (b"x-other", b"4")]
    assert stated("/p", [(HEADER, "X-Person", ",")], b"/p", headers=headers) == hashes("1", "2", "3")


def test_a_place_that_the_gateway_does_not_know_is_not_taken_for_none() -> None:
    with pytest.raises(ValueError, match="reads nothing"):
        stated("/p", [(routes_pb2.PARAMETER_LOCATION_UNSPECIFIED, "id", "")], b"/p")
    with pytest.raises(ValueError, match="has no parameter"):
        stated("/p/{other}", [(PATH, "id", "")], b"/p/1")


@pytest.mark.parametrize(
    ("document", "paths", "found"),
    [
        ({"owner": {"id": "1"}}, ["owner.id"], [b"1"]),
        ({"owners": [{"id": "1"}, {"id": 2}, {}]}, ["owners[*].id"], [b"1", b"2"]),
        ({"of": {"a": {"id": "1"}, "b": {"id": "2"}}}, ["of.*.id"], [b"1", b"2"]),
        (["1", "2"], ["[*]"], [b"1", b"2"]),
        ("1", ["$"], [b"1"]),
        ({"id": None, "no": True, "x": 1.5, "y": {}}, ["id", "no", "x", "y"], []),
        ({"id": "\udc00"}, ["id"], [b"?"]),
        ([], ["id"], []),
    ],
)
def test_persons_in_documents(document: Any, paths: list[str], found: list[bytes]) -> None:  # noqa: ANN401
    assert sorted(named_in(document, tree(paths))) == found


def test_a_hundred_are_recorded_one_by_one_and_more_as_a_list() -> None:
    persons = Persons()
    persons.add([b"%d" % number for number in range(MOST)] * 2)
    assert persons.hashes(PRIVACY) == hashes(*map(str, range(MOST)))
    assert (persons.count(), persons.commitment(PRIVACY)) == (None, None)
    persons.add([b" 100 ", b""])
    assert persons.hashes(PRIVACY) is None
    assert persons.count() == MOST + 1
    forms = sorted(b"%d" % number for number in range(MOST + 1))
    listed = b"".join(b"%d:%b," % (len(form), form) for form in forms)
    assert persons.commitment(PRIVACY) == PRIVACY.hashed(hashlib.sha256(listed).digest())


@pytest.mark.parametrize("where", [QUERY, HEADER])
async def test_a_request_full_of_persons_takes_time_in_proportion_to_its_size(
    where: routes_pb2.ParameterLocation.ValueType,
) -> None:
    message = routes_pb2.PersonPlaces(parameters=[routes_pb2.Parameter(location=where, name="id")])
    places = person_places("/people", message)

    def note(number: int) -> None:
        query = b"?" + b"&".join(b"id=%x" % one for one in range(number))
        fields = [(b"id", b"%x" % one) for one in range(number)]
        read = read_headers(fields if where == HEADER else [], max_bytes=100_000, max_count=number)
        assert places.stated(b"/people", query if where == QUERY else b"", read).count() == number

    assert await grows_at_most(note, 250, 2000, 24)
