"""YAML is read into what JSON can hold, every value has its place, and every mistake is named at once."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lienthong.client.manifests.positions import Document, read
from lienthong.client.manifests.write import as_yaml
from lienthong.client.pointers import parse_pointer, pointer_text

_SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=12)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


# PyYAML itself does not read back every control character and line separator that it writes.
_PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
_PLAIN_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | _PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_PRINTABLE, inner, max_size=4),
    max_leaves=15,
)


def one(text: str) -> Document:
    documents, mistakes = read(text, "file.yaml")
    assert mistakes == []
    (document,) = documents
    return document


def told(text: str, file: str = "file.yaml") -> list[tuple[int | None, str, str]]:
    return [(mistake.line, mistake.field, mistake.detail.en) for mistake in read(text, file)[1]]


@given(_VALUES.filter(lambda value: value is not None))
def test_what_json_writes_is_read_back_and_every_part_has_a_place(value: object) -> None:
    document = one(json.dumps(value))
    assert document.value == value
    for pointer in every_pointer(value):
        assert pointer in document.places


@given(_PLAIN_VALUES.filter(lambda value: value is not None))
@example("0E0")
@example(["1e5", "-1.5E+3", "12", "0123", 1.5, 10**20])
@example(
    ["0o17", "0x1F", "+12", ".5", "1.", ".inf", "-.INF", ".nan", "True", "NULL", "on", "2026-01-01", "<<"]
)
def test_what_the_command_writes_is_read_back(value: object) -> None:
    assert one(as_yaml(value)).value == value


@given(st.lists(st.text()))
def test_pointers_survive_being_written(words: list[str]) -> None:
    assert parse_pointer(pointer_text(tuple(words))) == tuple(words)


def every_pointer(value: object, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = [(str(index), item) for index, item in enumerate(value)]
    return [at, *(pointer for key, item in inner for pointer in every_pointer(item, (*at, key)))]


def test_a_value_stands_where_its_key_stands() -> None:
    document = one(
        "kind: System\nspec:\n  name:\n    vi: Đất đai\n  upstreams:\n    - http://one\n    - http://two\n"
    )
    assert place(document, "/spec/name/vi") == (4, 5)
    assert place(document, "/spec/upstreams/1") == (7, 7)


def test_what_is_missing_is_placed_at_the_nearest_thing_around_it() -> None:
    document = one("kind: System\nspec:\n  name:\n    vi: Đất đai\n")
    assert place(document, "/spec/name/en") == (3, 3)
    assert place(document, "/metadata/id") == (1, 1)


def test_places_of_a_later_document_count_from_the_top_of_the_file() -> None:
    documents, _ = read("a: 1\n---\nb: 2\nc: 3\n", "file.yaml")
    assert place(documents[1], "/c") == (4, 1)


def place(document: Document, pointer: str) -> tuple[int, int]:
    found = document.place(parse_pointer(pointer))
    assert found is not None
    return found.line, found.column


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-01-01", "2026-01-01"),
        ("0123456701", "0123456701"),
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("y", "y"),
        ("0017", "0017"),
        ("01.5", "01.5"),
        ("1_000", "1_000"),
        ("2026-01-01T07:00:00+07:00", "2026-01-01T07:00:00+07:00"),
        ("tRue", "tRue"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("+12", 12),
        ("-0", 0),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
        ("'12'", "12"),
        ("'NULL'", "NULL"),
        ("!!str 12", "12"),
        ("!!str true", "true"),
        ("!!str 0o17", "0o17"),
        ("!!int 12", 12),
        ("!!float 12", 12.0),
        ('!!bool "true"', True),
        ('"\\ud83d\\ude00"', "😀"),
    ],
)
def test_scalars_are_read_by_the_core_schema_of_yaml_1_2(written: str, value: object) -> None:
    assert one(f"field: {written}\n").value == {"field": value}


@pytest.mark.parametrize("written", [".inf", "-.INF", ".nan", "1e999", "9" * 5_000, "0x" + "f" * 5_000])
def test_what_is_a_number_in_yaml_but_not_in_json_is_told(written: str) -> None:
    ((line, field, detail),) = told(f"a: 1\nfield: {written}\n")
    assert (line, field) == (2, "field")
    assert detail == f"JSON has no number {written[:20]}; put it in quotes if it is text"


@pytest.mark.parametrize(
    "written", ["!!int many", "!!bool yes", "!!timestamp 2026-01-01", "!!binary aGk=", "!x 1"]
)
def test_what_does_not_fit_its_tag_is_told(written: str) -> None:
    tag = written.split()[0]
    assert told(f"field: {written}\n") == [(1, "field", f"the tag {tag} does not fit here")]


def test_an_anchor_that_is_used_again_means_the_last_one() -> None:
    document = one("a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: &x {f: 3}\ng: *x\n")
    assert document.value == {"a": 1, "b": 1, "c": 2, "d": 2, "e": {"f": 3}, "g": {"f": 3}}


def test_an_anchor_is_forgotten_with_its_document() -> None:
    ((line, _, detail),) = told("a: &x 1\n---\nb: *x\n")
    assert line == 3
    assert "undefined alias" in detail


def test_an_anchor_that_is_used_again_can_contain_itself_and_that_is_refused() -> None:
    assert told("a: &x 1\nb: &x [*x]\n") == [(2, "b[0]", "an alias that contains itself")]


def test_keys_are_text_even_where_yaml_sees_numbers_or_booleans() -> None:
    assert one("responses:\n  200: ok\n  on: yes\n").value == {"responses": {"200": "ok", "on": "yes"}}


def test_a_duplicate_key_is_refused_and_names_the_first() -> None:
    assert told("spec:\n  name: a\n  other: b\n  name: c\n") == [
        (4, "spec.name", "duplicate key 'name' (already on line 2)")
    ]


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    found = told("a: 1\na: 2\nb: !secret x\n? [c]\n: d\n")
    assert [line for line, _, _ in found] == [2, 3, 4]


def test_bad_syntax_names_its_line() -> None:
    ((line, _, detail),) = told("kind: System\nspec: [1, 2\nmetadata:\n")
    assert line == 3
    assert "YAML syntax error" in detail


def test_a_tab_is_explained() -> None:
    ((line, _, detail),) = told("spec:\n\tname: a\n")
    assert line == 2
    assert "indent with spaces" in detail


def test_json_may_be_indented_with_tabs() -> None:
    documents, mistakes = read('{\n\t"keys": []\n}\n', "public.jwks")
    assert mistakes == []
    assert documents[0].value == {"keys": []}


def test_merge_keys_fill_in_what_is_not_written() -> None:
    document = one("base: &base\n  a: 1\n  b: 2\nfull:\n  <<: *base\n  b: 3\n")
    assert document.value["full"] == {"a": 1, "b": 3}


def test_an_alias_that_contains_itself_is_refused() -> None:
    assert told("a: &a\n  b: *a\n") == [(1, "a.b", "an alias that contains itself")]


@pytest.mark.parametrize("names", ["abcdefghi", "xyxyxyxyx"])
def test_aliases_upon_aliases_are_stopped(names: str) -> None:
    levels = [
        f"k{number}: &{name} [{', '.join([f'*{before}'] * 10)}]"
        for number, (before, name) in enumerate(pairwise(names))
    ]
    bomb = "\n".join([f"k: &{names[0]} [x, x, x, x, x, x, x, x, x, x]", *levels])
    ((_, _, detail),) = told(bomb)
    assert "aliases upon aliases" in detail


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 20_000 + "]" * 20_000, "a: " + "{a: " * 3_000 + "1" + "}" * 3_000]
)
def test_absurd_nesting_is_a_mistake_too(text: str) -> None:
    assert told(text) == [(1, "", "nested too deeply")]


def test_a_long_number_is_read_to_its_last_digit() -> None:
    assert one(f"a: {'1' * 4_000}\n").value == {"a": int("1" * 4_000)}


def test_empty_documents_are_passed_over() -> None:
    documents, mistakes = read("---\n---\n# nothing\n---\na: 1\n", "file.yaml")
    assert mistakes == []
    assert [document.value for document in documents] == [{"a": 1}]
