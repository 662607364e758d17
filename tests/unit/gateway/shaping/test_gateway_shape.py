"""A document of which only the named fields leave: it is what a plain walk over the parsed document says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.shaping.shape import UnfitError, shaped
from lienthong.kit.field_paths import FieldPathError, FieldTree, tree

PATHS = ["total", "items[*].id", "items[*].owners[*].name", "prices.*.net", "either.a", "either[*].b"]
TREE = tree(PATHS)
NOTHING = object()


def walked(value: Any, part: FieldTree) -> tuple[Any, int]:  # noqa: ANN401 - JSON
    """What leaves, and how many members and elements are taken out, in as few words as possible."""
    if part.whole or value is None:
        return value, 0
    if isinstance(value, dict) and (part.every or part.members):
        pairs = {
            name: walked(each, part.every or part.members[name])
            if part.every or name in part.members
            else (NOTHING, 0)
            for name, each in value.items()
        }
    elif isinstance(value, list) and part.elements:
        pairs = {str(at): walked(each, part.elements) for at, each in enumerate(value)}
    else:
        return NOTHING, 0
    left = {name: each for name, (each, _) in pairs.items() if each is not NOTHING}
    removed = len(pairs) - len(left) + sum(count for _, count in pairs.values())
    return (left if isinstance(value, dict) else list(left.values())), removed


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False).map(float)
)
TEXTS = SCALARS | st.text(st.characters(codec="utf-8"), max_size=10)
NAMES = st.sampled_from(
    ["total", "items", "id", "owners", "name", "prices", "net", "either", "a", "b", "x", 'q"', "ờ", ""]
)
DOCUMENTS = st.recursive(
    TEXTS, lambda each: st.lists(each, max_size=4) | st.dictionaries(NAMES, each, max_size=5), max_leaves=30
)


@given(DOCUMENTS, st.sampled_from([None, 1]), st.booleans())
def test_what_leaves_is_what_a_walk_over_the_document_says(
    document: Any,  # noqa: ANN401 - JSON
    indent: int | None,
    ascii_only: bool,
) -> None:
    text = json.dumps(
        document, indent=indent, ensure_ascii=ascii_only, separators=None if indent else (",", ":")
    )
    expected, removed = walked(document, TREE)
    if expected is NOTHING:
        with pytest.raises(UnfitError):
            shaped(text.encode(), TREE)
        return
    found, count = shaped(text.encode(), TREE)
    assert (json.loads(found), count) == (expected, removed)


@given(DOCUMENTS, st.lists(st.text("ab.*[]$", min_size=1, max_size=8), min_size=1, max_size=4))
def test_no_paths_let_anything_else_leave(document: Any, paths: list[str]) -> None:  # noqa: ANN401 - JSON
    try:
        fields = tree(paths)
    except FieldPathError:
        return
    expected, removed = walked(document, fields)
    try:
        found = shaped(json.dumps(document).encode(), fields)
    except UnfitError:
        assert expected is NOTHING
    else:
        assert (json.loads(found[0]), found[1]) == (expected, removed)


@given(st.binary(max_size=40))
def test_any_bytes_are_shaped_or_refused(document: bytes) -> None:
    try:
        found, _ = shaped(document, TREE)
    except UnfitError:
        return
    json.loads(found)


def left_of(document: str) -> str:
    return shaped(document.encode(), TREE)[0].decode()


def test_values_leave_as_the_provider_wrote_them() -> None:
    text = '{"total":1.50,"items":[{"id":12345678901234567890123.10e5}],"prices":{"a":{"net":"\\u1edd"}}}'
    assert left_of(text) == text
    assert json.loads(left_of(text), parse_float=Decimal)["total"] == Decimal("1.50")


def test_members_come_in_the_order_of_the_agreement() -> None:
    assert left_of('{"items":[],"x":1,"total":2}') == '{"total":2,"items":[]}'


@pytest.mark.parametrize(
    ("document", "left", "removed"),
    [
        ('{"items":null,"total":null}', '{"total":null,"items":null}', 0),
        ('{"items":[null,1,"a",{"id":1,"x":2}]}', '{"items":[null,{"id":1}]}', 3),
        ('{"items":{"id":1}}', "{}", 1),
        ('{"items":[{"owners":[{"name":"A","no":1},{}]}]}', '{"items":[{"owners":[{"name":"A"},{}]}]}', 1),
        ('{"either":{"a":1,"b":2}}', '{"either":{"a":1}}', 1),
        ('{"either":[{"a":1,"b":2}]}', '{"either":[{"b":2}]}', 1),
        ('{"x":{"a":1,"a":2}}', "{}", 1),
        ('{"total":{"a":1,"a":2}}', '{"total":{"a":1,"a":2}}', 0),
        ("null", "null", 0),
        ("\ufeff{}", "{}", 0),
        ('\ufeff\r\n\t {"total":[ 1 ],"x":1}\r\n\t ', '{"total":[ 1 ]}', 1),
        ('{"t\\u006ftal":1}', '{"total":1}', 0),
        (' { "items" : [ { "id" : 1 , "x" : 2 } ] } ', '{"items":[{"id":1}]}', 1),
    ],
)
def test_what_does_not_fit_is_taken_out_and_counted(document: str, left: str, removed: int) -> None:
    assert shaped(document.encode(), TREE) == (left.encode(), removed)


@pytest.mark.parametrize(
    "document",
    [
        b"", b" ", b"1", b'"a"', b"[]", b"nul", b"null,null", b"null x", b"{},{}", b"{}]", b"{} x",
        b'{"total":}',
        b'{"total":01}', b'{"total":NaN}', b'{"total":"\xff"}', b'{"\xff":1}', b'{"total":"\x01"}',
        b'{"total":"\\ud800"}', b'\xff\xfe{\x00}\x00', b'{"total":1,"total":2}', b'{"total":1, "total":1}',
        b'{"total":1,"t\\u006ftal":2}', b'{"x":1,"x":2}', b'{"items":[{"id":1},{"id":1,"id":2}]}',
        b'{"prices":{"a":{"net":1},"a":{"net":1}}}', b'{"items":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000, b"\xef\xbb\xbf" * 2 + b"{}", b" \xef\xbb\xbf{}",
        b"{}\xc2\xa0", b"{}\x0b",
    ],
    ids=range(31),
)  # fmt: skip
def test_what_is_not_one_plain_json_document_is_refused(document: bytes) -> None:
    with pytest.raises(UnfitError):
        shaped(document, TREE)


def test_a_document_that_leaves_as_a_whole_is_json_all_the_same() -> None:
    assert shaped(b'[1, {"a": 2}]', tree(["$"])) == (b'[1, {"a": 2}]', 0)
    with pytest.raises(UnfitError):
        shaped(b"<html>", tree(["$"]))


def test_where_nothing_is_named_nothing_leaves() -> None:
    with pytest.raises(UnfitError):
        shaped(b'{"a":1}', FieldTree())
