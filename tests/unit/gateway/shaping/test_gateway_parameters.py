"""Parameters are read as their style says and JSON spells them; what could be taken differently is a flaw."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.body_checks import CheckMode
from lienthong.gateway.parameter_checks import (
    ParameterChecks,
    ParameterForm,
    Shape,
    Spelling,
    StatedParameters,
)
from lienthong.gateway.request_headers import read_headers
from lienthong.gateway.shaping.look import MOST_TOLD, look_at_packed, look_at_parameters
from lienthong.gateway.shaping.parameters import read_parameters

TEXT, NUMBER, BOOLEAN = Spelling(), Spelling(numbers=True), Spelling(booleans=True)
BOTH = Spelling(numbers=True, booleans=True)
MEMBERS = {"R": NUMBER, "G": NUMBER}
TWICE, MISSING = "comes more than once", "is missing: the operation needs it"


def form(
    shape: Shape = Shape.VALUE,
    values: Spelling = TEXT,
    *,
    location: str = "query",
    separator: str = "",
    members: dict[str, Spelling] | None = None,
    required: bool = False,
) -> ParameterForm:
    return ParameterForm(location, "a", required, shape, separator, values, members or {})


def read(one: ParameterForm, text: bytes | list[bytes]) -> Any:  # noqa: ANN401
    """What is read of a query, a path parameter or header fields; an exception tells what is wrong."""
    stated = StatedParameters(
        {"a": text} if one.location == "path" and isinstance(text, bytes) else {},
        text if one.location == "query" and isinstance(text, bytes) else b"",
        {"a": text if isinstance(text, list) else [text]} if one.location == "header" else {},
    )
    document, flaws = read_parameters(stated, [one])
    if flaws:
        [flaw] = flaws
        assert flaw.place == ""
        raise LookupError(flaw.pointer, flaw.detail)
    return document[one.location].get("a", LookupError)


@pytest.mark.parametrize(
    ("values", "text", "value"),
    [
        (TEXT, b"7", "7"),
        (TEXT, b"true", "true"),
        (TEXT, b"", ""),
        (TEXT, b"%C4%90%20%2B+x", "Đ + x"),
        (TEXT, b"null", "null"),
        (NUMBER, b"7", 7),
        (NUMBER, b"-0", 0),
        (NUMBER, b"7.50", 7.5),
        (NUMBER, b"1e2", 100.0),
        (NUMBER, b"%31%32", 12),
        (NUMBER, b"9" * 400, int("9" * 400)),
        # What other readers take for numbers, JSON does not.
        *(
            (NUMBER, text, text.decode())
            for text in (b"07", b"7.", b".5", b"0x7", b"1_000", b"NaN", b"Infinity")
        ),
        (NUMBER, b"", ""),
        (NUMBER, b"+7", " 7"),
        (NUMBER, b"%2B7", "+7"),
        (NUMBER, b"7%0A", "7\n"),
        (NUMBER, "٧".encode(), "٧"),
        (NUMBER, b"true", "true"),
        (BOOLEAN, b"true", True),
        (BOOLEAN, b"false", False),
        *((BOOLEAN, text, text.decode()) for text in (b"True", b"1", b"yes", b"on", b"")),
        (BOTH, b"1", 1),
        (BOTH, b"true", True),
    ],
)
def test_text_is_what_json_spells_so(values: Spelling, text: bytes, value: object) -> None:
    found = read(form(values=values), b"b=1&a=" + text + b"&&c")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a=1&a=1", TWICE),
        (b"a=1&%61=2", TWICE),
        (b"a=%FF", "is not UTF-8"),
        (b"a=" + b"9" * 5000, "a number has too many digits"),
        (b"", MISSING),
        (b"A=1", MISSING),
        (b"a[]=1", MISSING),
    ],
)
def test_what_cannot_be_read_is_a_flaw_of_the_parameter(text: bytes, why: str) -> None:
    with pytest.raises(LookupError) as error:
        read(form(values=NUMBER, required=True), text)
    assert error.value.args == ("/query/a", why)


def test_a_value_that_is_not_needed_may_be_missing() -> None:
    assert read(form(), b"") is LookupError
    assert read(form(Shape.LIST), b"b=1") is LookupError
    assert read(form(Shape.BRACKETS, members=MEMBERS), b"aR]=1&ab[R]=1") is LookupError


def fields(*names: str) -> ParameterChecks:
    """The checks of parameters in header fields."""
    forms = [ParameterForm("header", name, False, Shape.VALUE, "", NUMBER, {}) for name in names]
    return ParameterChecks(CheckMode.ENFORCE, "/", forms, "{}")


@pytest.mark.parametrize(
    ("sent", "places"),
    [
        ({b"x-limit": b"5", b"x-limits": b"6"}, []),
        ({b"x_limit": b"5"}, ["/header/X-Limit"]),
        ({b"x-limit": b"5", b"x.limit": b"6"}, ["/header/X-Limit"]),
        ({b"x-rows": b"5", b"x_rows": b"6"}, []),
        ({b"x.rows": b"5"}, ["/header/X_Rows"]),
    ],
)
def test_a_field_that_servers_take_for_the_declared_one_is_a_flaw(
    sent: dict[bytes, bytes], places: list[str]
) -> None:
    """CGI makes one variable of them; two that are declared are both as they are declared."""
    checks = fields("X-Limit", "X-Rows", "X_Rows")
    headers = read_headers(list(sent.items()), max_bytes=1000, max_count=10)
    found = look_at_packed(checks.stated(b"/", b"", headers), checks.packed, checks.schema)
    assert [one.pointer for one in found] == places


RESPELLED = "comes by a name that is not its own, and that a provider may take for it"


@pytest.mark.parametrize(
    ("shape", "query", "place"),
    [
        *((Shape.VALUE, query, "/query/a") for query in (b"A=2", b"a[]=2", b"a%5B0%5D=2", b"a[=2")),
        *((Shape.VALUE, query, "/query/a") for query in (b"a%00b=2", b"+a=2", b"a%20=2", b"%41[x]=2")),
        (Shape.LIST, b"a[]=1", "/query/a"),
        (Shape.JSON, b"A={}", "/query/a"),
        (Shape.MEMBERS, b"r=1", "/query/a/R"),
        (Shape.MEMBERS, b"G=1&R[]=1", "/query/a/R"),
        *((Shape.BRACKETS, query, "/query/a") for query in (b"a=1", b"A=1", b"a[=1", b"a[]=1", b"A[R]=1")),
        *(
            (Shape.BRACKETS, query, "/query/a")
            for query in (b"a[R][b]=1", b"a[R]]=1", b"a[[R]=1", b"a[R]b=1")
        ),
        (Shape.BRACKETS, b"+a[R]=1", "/query/a"),
        (Shape.BRACKETS, b"a[G]=1&a[R=1", "/query/a"),
    ],
)
def test_a_name_that_providers_take_for_the_declared_one_is_a_flaw(
    shape: Shape, query: bytes, place: str
) -> None:
    with pytest.raises(LookupError) as error:
        read(form(shape, members=MEMBERS), query)
    assert error.value.args == (place, RESPELLED)


def test_what_is_declared_is_nobody_elses_name() -> None:
    def named(name: str, shape: Shape = Shape.VALUE) -> ParameterForm:
        return ParameterForm("query", name, False, shape, "", TEXT, {})

    declared = [
        named("a"),
        named("A"),
        named("f[x]"),
        named("l[]"),
        named("o", Shape.BRACKETS),
        named("o[p]"),
        named(" "),
    ]
    query = b"a=1&A=2&f[x]=3&l[]=4&o[q]=5&f[y]=6&f=7&b=8&[x]=9&=10"
    document, flaws = read_parameters(StatedParameters({}, query, {}), declared)
    assert flaws == []
    assert document["query"] == {"a": "1", "A": "2", "f[x]": "3", "l[]": "4", "o": {"q": "5"}}
    for other, place in ((b"F[x]=1", "f[x]"), (b"f[x][]=1", "f[x]"), (b"l=1", "l[]"), (b"l[0]=1", "l[]")):
        _, flaws = read_parameters(StatedParameters({}, other, {}), declared)
        assert [(flaw.pointer, flaw.detail) for flaw in flaws] == [(f"/query/{place}", RESPELLED)]


@pytest.mark.parametrize("text", [b"7;v=1", b";", b"1,2;3"])
@pytest.mark.parametrize("shape", [Shape.VALUE, Shape.LIST])
def test_a_value_that_some_end_earlier_is_a_flaw(shape: Shape, text: bytes) -> None:
    with pytest.raises(LookupError, match="some providers end"):
        read(form(shape, location="path", separator=","), text)


@pytest.mark.parametrize(
    "text",
    [
        b"1.00000000000000000001",
        b"1e-400",
        b"1e999",
        b"-1e400",
        b"1e99999999999999999999",
        b"0.1" + b"1" * 300,
    ],
)
def test_a_number_that_readers_take_for_different_ones_is_a_flaw(text: bytes) -> None:
    with pytest.raises(LookupError, match="too exact"):
        read(form(values=NUMBER), b"a=" + text)


@pytest.mark.parametrize(
    "text", [b"0.1", b"1.10", b"105.8524123", b"-0.0", b"5e-324", b"1.7976931348623157e308", b"1E5"]
)
def test_ordinary_numbers_are_read(text: bytes) -> None:
    assert read(form(values=NUMBER), b"a=" + text) == float(text)


@pytest.mark.parametrize(
    ("location", "separator", "text", "value"),
    [
        ("query", "", b"a=1&b=2&a=3", [1, 3]),
        ("query", "", b"a=", [""]),
        ("query", "", b"a=1,2", ["1,2"]),
        ("query", ",", b"a=1,2", [1, 2]),
        ("query", ",", b"a=1%2C2", [1, 2]),
        ("query", ",", b"a=", []),
        ("query", ",", b"a=1,,x", [1, "", "x"]),
        ("query", " ", b"a=1%202+3", [1, 2, 3]),
        ("query", "|", b"a=1|2%7C3", [1, 2, 3]),
        ("path", ",", b"1,2", [1, 2]),
        ("header", ",", [b"1, 2,3"], [1, 2, 3]),
        ("header", ",", [b"1", b"2,\t3"], [1, 2, 3]),
        ("header", ",", [b""], []),
    ],
)
def test_lists(location: str, separator: str, text: Any, value: list[object]) -> None:  # noqa: ANN401
    assert read(form(Shape.LIST, NUMBER, location=location, separator=separator), text) == value


@pytest.mark.parametrize(
    ("shape", "location", "separator", "text", "value"),
    [
        (Shape.ALTERNATING, "query", ",", b"a=R,100,x,200", {"R": 100, "x": "200"}),
        (Shape.ALTERNATING, "query", ",", b"a=", {}),
        (Shape.ALTERNATING, "query", " ", b"a=R%20100%20G%20200", {"R": 100, "G": 200}),
        (Shape.ALTERNATING, "query", "|", b"a=R%7C100", {"R": 100}),
        (Shape.ALTERNATING, "path", ",", b"R,100", {"R": 100}),
        (Shape.PAIRS, "path", ",", b"R=100,G=2=00", {"R": 100, "G": "2=00"}),
        (Shape.PAIRS, "header", ",", [b"R=100,x=1"], {"R": 100, "x": "1"}),
        (Shape.PAIRS, "header", ",", [b"R=100, x=1 ,\tG=2"], {"R": 100, "x": "1", "G": 2}),
        (Shape.ALTERNATING, "header", ",", [b"R, 100 ,\tG,2"], {"R": 100, "G": 2}),
        (Shape.ALTERNATING, "path", ",", b"R, 100", {"R": " 100"}),
        (Shape.MEMBERS, "query", "", b"G=1&x=2&a=3", {"G": 1}),
        (Shape.BRACKETS, "query", "", b"a%5BR%5D=100&b[R]=1&a[x]=y", {"R": 100, "x": "y"}),
    ],
)
def test_objects(shape: Shape, location: str, separator: str, text: Any, value: object) -> None:  # noqa: ANN401
    assert read(form(shape, location=location, separator=separator, members=MEMBERS), text) == value


@pytest.mark.parametrize(
    ("shape", "text", "place", "why"),
    [
        (Shape.LIST, b"a=1&a=2", "/query/a", TWICE),
        (Shape.ALTERNATING, b"a=R,1,G", "/query/a", "has a member without a value"),
        (Shape.ALTERNATING, b"a=R,1,R,2", "/query/a/R", TWICE),
        (Shape.PAIRS, b"a=R=1,G", "/query/a", "has a member without a value"),
        (Shape.PAIRS, b"a=R=1,R=1", "/query/a/R", TWICE),
        (Shape.MEMBERS, b"R=1&R=2", "/query/a/R", TWICE),
        (Shape.MEMBERS, b"R=%FF", "/query/a/R", "is not UTF-8"),
        (Shape.BRACKETS, b"a[R]=1&a%5BR]=2", "/query/a/R", TWICE),
        (Shape.BRACKETS, b"b[R]=1", "/query/a", MISSING),
        (Shape.JSON, b'a={"b":1,"b":2}', "/query/a", None),
        (Shape.JSON, b"a=", "/query/a", None),
        (Shape.JSON, b"a=NaN", "/query/a", None),
        (Shape.JSON, b"a=" + b"[" * 5000, "/query/a", None),
        (Shape.JSON, b'a="\\ud800"', "/query/a", None),
        (Shape.JSON, b'a={"\\ud800":1}', "/query/a", None),
        (Shape.JSON, b"a=1e999", "/query/a", None),
    ],
)
def test_what_two_readers_could_take_differently_is_a_flaw(
    shape: Shape, text: bytes, place: str, why: str | None
) -> None:
    with pytest.raises(LookupError) as error:
        read(form(shape, separator=",", members=MEMBERS, required=True), text)
    assert error.value.args[0] == place
    assert why is None or error.value.args[1] == why


def test_several_fields_of_a_name_are_a_flaw_where_there_is_one_value() -> None:
    with pytest.raises(LookupError, match=TWICE):
        read(form(location="header"), [b"1", b"2"])


def test_an_object_that_leaves_nothing_in_the_query_is_there_where_it_is_needed() -> None:
    assert read(form(Shape.MEMBERS, members=MEMBERS, required=True), b"x=1") == {}
    assert read(form(Shape.MEMBERS, members=MEMBERS), b"x=1") is LookupError


def test_a_json_document_is_read_as_one() -> None:
    assert read(form(Shape.JSON), urlencode({"a": '{"b":[1,"x"]}'}).encode()) == {"b": [1, "x"]}


def test_so_many_places_are_told() -> None:
    forms = [form(required=True, members={f"{n}": TEXT}) for n in range(MOST_TOLD + 5)]
    assert len(look_at_parameters(StatedParameters({}, b"", {}), forms, "{}")) == MOST_TOLD


def test_what_does_not_fit_its_schema_is_told_by_its_place_and_not_its_value() -> None:
    schema = '{"properties":{"query":{"properties":{"a":{"type":"integer","maximum":5}}}}}'
    [found] = look_at_parameters(StatedParameters({}, b"a=079203001234", {}), [form(values=NUMBER)], schema)
    assert (found.pointer, found.detail) == ("/query/a", 'breaks type: "integer"')
    [found] = look_at_parameters(StatedParameters({}, b"a=9203001234", {}), [form(values=NUMBER)], schema)
    assert (found.pointer, found.detail) == ("/query/a", "breaks maximum: 5")
    assert look_at_parameters(StatedParameters({}, b"a=5", {}), [form(values=NUMBER)], schema) == []


@given(
    st.binary(max_size=200) | st.text("ab[]=&,%+ |1", max_size=60).map(str.encode),
    st.sampled_from(Shape),
    st.sampled_from(["", ",", "|"]),
    st.sampled_from([TEXT, BOTH]),
)
def test_any_query_is_read_without_failing(
    query: bytes, shape: Shape, separator: str, values: Spelling
) -> None:
    if shape is not Shape.LIST and not separator:
        separator = ","
    one = form(shape, values, separator=separator, members={"b": NUMBER}, required=True)
    document, flaws = read_parameters(StatedParameters({}, query, {}), [one])
    assert ("a" in document["query"]) is not bool(flaws)
