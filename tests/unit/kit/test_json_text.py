"""Strict JSON: one reading for every reader."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.json_pointer import pointer
from lienthong.kit.json_text import MAX_DEPTH, NotJsonError, canonical, decode, not_portable, parse


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "/0: the number is too large"),
        (b"\xff", "offset 0"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b'{"a": "\\ud800"}', "/a: holds"),
        (b'["\\u0000"]', "/0: holds"),
        (b"[" + b"1" * 5_000 + b"]", "too many digits"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "64 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "64 levels"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(NotJsonError, match=reason) as refused:
        parse(data)
    assert refused.value.text.vi != refused.value.text.en


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        parse(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
        with pytest.raises(NotJsonError):
            parse(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))


def test_every_place_that_is_not_portable_is_named() -> None:
    value = decode(rb'{"a": ["x", "\u0000"], "b": {"c": "\ud800"}, "d": 1e999}')
    assert sorted(pointer(path) for path, _ in not_portable(value)) == ["/a/1", "/b/c", "/d"]


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~é", max_size=4), inner, max_size=3)
    ),
)


@given(_json)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert canonical(parse(json.dumps(value).encode())) == canonical(value)


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("spec", 0), "/spec/0"), (("",), "/"), (("a/b", "m~n", "~1"), "/a~1b/m~0n/~01")],
)
def test_pointers_are_written_as_the_rfc_says(path: tuple[str | int, ...], text: str) -> None:
    assert pointer(path) == text
