"""Paths of fields: what they may look like, and what several of them say together."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.field_paths import MAX_PATH, MAX_STEPS, FieldPathError, FieldTree, Wild, steps, tree

MEMBER, ELEMENT = Wild.MEMBER, Wild.ELEMENT


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", []),
        ("parcelId", ["parcelId"]),
        ("owners[*].fullName", ["owners", ELEMENT, "fullName"]),
        ("[*].id", [ELEMENT, "id"]),
        ("[*][*]", [ELEMENT, ELEMENT]),
        ("*", [MEMBER]),
        ("prices.*.amount", ["prices", MEMBER, "amount"]),
        ('["họ tên"].first', ["họ tên", "first"]),
        ('a["b.c"][*]', ["a", "b.c", ELEMENT]),
        (r'["a\"b\u0063"]', ['a"bc']),
        ("họTên", ["họTên"]),
        ("@type", ["@type"]),
        ("$ref", ["$ref"]),
        ("gml:id", ["gml:id"]),
    ],
)
def test_a_path_is_read_step_by_step(path: str, found: list[object]) -> None:
    assert steps(path) == found


@pytest.mark.parametrize(
    "path",
    ["", ".", ".a", "a.", "a..b", "a b", "a[0]", "a[*", "a[]", "**", "a.**", "a*", "*a", "a[*]b", "a.[*]",
     "a.$.b c", '[""]', '["a]', r'["\q"]', "a['b']", "$.", "a\n", r'["\ud800"]',
     "x" * (MAX_PATH + 1), ".".join("a" * 17)],
)  # fmt: skip
def test_what_is_no_path_is_refused_and_says_what_one_looks_like(path: str) -> None:
    with pytest.raises(FieldPathError) as refused:
        steps(path)
    assert refused.value.text.en
    assert refused.value.text.vi


def test_a_path_has_as_many_steps_as_it_may() -> None:
    assert len(steps(".".join("a" * MAX_STEPS))) == MAX_STEPS


def test_several_paths_make_one_tree() -> None:
    found = tree(["parcelId", "owners[*].fullName", "owners[*].share", "area.*"])
    assert found == FieldTree(
        members={
            "parcelId": FieldTree(whole=True),
            "owners": FieldTree(
                elements=FieldTree(
                    members={"fullName": FieldTree(whole=True), "share": FieldTree(whole=True)}
                )
            ),
            "area": FieldTree(every=FieldTree(whole=True)),
        }
    )


def test_a_shorter_path_takes_in_the_longer_one() -> None:
    assert tree(["owner.name", "owner"]).members["owner"].whole


def test_the_whole_document_may_leave() -> None:
    assert tree(["$"]).whole


@pytest.mark.parametrize("paths", [["*", "a"], ["a", "*"], ["a.*.b", "a.c"]])
def test_a_name_and_a_star_at_one_place_are_refused(paths: list[str]) -> None:
    with pytest.raises(FieldPathError, match="meets another path"):
        tree(paths)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=4), min_size=1, max_size=8))
def test_every_name_can_be_written_in_brackets(names: list[str]) -> None:
    assert steps("".join(f"[{json.dumps(name)}]" for name in names)) == names


@given(st.text(alphabet='ab.*[]"$\\ ', max_size=30))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    with contextlib.suppress(FieldPathError):
        assert len(steps(text)) <= MAX_STEPS
