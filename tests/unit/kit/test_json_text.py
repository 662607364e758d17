"""Strict JSON: one reading for every reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit import json_text
from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import MAX_DEPTH, NotJsonError, canonical, decode, not_portable


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"\xff", "offset 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b"[" + b"1" * 5_000 + b"]", "too many digits"),
        (b"[" * 100_000 + b"]" * 100_000, "64 levels"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(NotJsonError, match=reason) as refused:
        decode(data)
    assert refused.value.text.vi != refused.value.text.en


def test_the_members_of_an_object_can_be_limited() -> None:
    wide = json.dumps({"a": [dict.fromkeys("xyz", 1)]}).encode()
    assert decode(wide, most_members=3) == decode(wide)
    with pytest.raises(NotJsonError, match="3 members; at most 2"):
        decode(wide, most_members=2)
    with pytest.raises(NotJsonError, match="'a' twice"):
        decode(b'{"a": 1, "a": 2}', most_members=2)


def test_the_entries_of_an_array_can_be_limited() -> None:
    wide = json.dumps({"a": [[1, 2, 3], {"b": [1, 2]}]}).encode()
    assert decode(wide, most_entries=3) == decode(wide)
    with pytest.raises(NotJsonError, match="3 entries; at most 2"):
        decode(wide, most_entries=2)
    assert decode(b"[1," * 10 + b"1" + b"]" * 10, most_entries=2)
    with pytest.raises(NotJsonError, match="more than 20 values"):
        decode(b"[1," * 11 + b"1" + b"]" * 11, most_entries=2)


def places(text: bytes, *, allow_nul: bool = False) -> list[str]:
    return sorted(pointer(path) for path, _ in not_portable(decode(text), allow_nul=allow_nul))


@pytest.mark.parametrize(("opening", "closing", "step"), [(b"[", b"]", "/0"), (b'{"a":', b"}", "/a")])
def test_nesting_is_allowed_up_to_the_limit(opening: bytes, closing: bytes, step: str) -> None:
    assert places(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH) == []
    assert places(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1)) == [step * MAX_DEPTH]


def test_every_place_that_is_not_portable_is_named() -> None:
    text = rb'{"a": ["x", "\u0000"], "b": {"c": "\ud800"}, "d": 1e999, "e": "\ud83d\ude00"}'
    assert places(text) == ["/a/1", "/b/c", "/d"]
    assert places(text, allow_nul=True) == ["/b/c", "/d"]
    assert places(rb'{"x": {"\u0000": 1}}') == ["/x"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~é", max_size=4), inner, max_size=3)
    ),
)


@given(_json)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert canonical(decode(json.dumps(value).encode())) == canonical(value)


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("spec", 0), "/spec/0"), (("",), "/"), (("a/b", "m~n", "~1"), "/a~1b/m~0n/~01")],
)
def test_pointers_are_written_as_the_rfc_says(path: tuple[str | int, ...], text: str) -> None:
    assert pointer(path) == text


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a\0\ud800é"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a\0\ud800"), inner, max_size=3),
)


@given(_anything, st.booleans(), st.integers(0, MAX_DEPTH + 2))
def test_the_quick_look_finds_what_the_slow_one_names(value: object, allow_nul: bool, depth: int) -> None:
    for _ in range(depth):
        value = [value]
    unwanted = json_text._SURROGATES if allow_nul else json_text._SURROGATES_AND_NUL
    assert json_text._is_portable(value, unwanted) == (not list(json_text._places(value, unwanted)))
