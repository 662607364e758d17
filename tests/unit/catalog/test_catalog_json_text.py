"""JSON from outside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.json_text import MAX_DEPTH, canonical, decode, findings
from lienthong.catalog.mistakes import ValueRefusedError, pointer


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1, "a": 2}', "'a' twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"\xff", "UTF-8"),
        (b"[" + b"1" * 5_000 + b"]", "too many digits"),
        (b"[" * 100_000 + b"]" * 100_000, "deep"),
    ],
)
def test_what_is_not_json_for_everyone_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueRefusedError, match=reason):
        decode(data)


def _wrong(text: str) -> list[str]:
    return [pointer(found.path) for found in findings(decode(text.encode()))]


def test_what_a_database_cannot_keep_is_named_with_its_place() -> None:
    assert _wrong(r'{"a": ["x", "\u0000"], "b": {"c": "\ud800"}}') == ["/b/c", "/a/1"]
    assert _wrong(r'{"\u0000": 1}') == [""]
    assert _wrong("[1e999]") == ["/0"]
    assert _wrong(r'{"a": "\ud83d\ude00"}') == []


def test_nesting_beyond_the_limit_is_refused() -> None:
    assert _wrong("[" * MAX_DEPTH + "]" * MAX_DEPTH) == []
    assert len(_wrong("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))) == 1


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@given(_json)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert canonical(decode(json.dumps(value).encode())) == canonical(value)
