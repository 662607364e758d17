"""What differs between two documents."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.domain.comparison import ABSENT, Absent, MemberChange, compare, dotted_path

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
_objects = st.dictionaries(st.text(max_size=3), _values, max_size=4)


def _patch(document: dict[str, Any], changes: list[MemberChange]) -> dict[str, Any]:
    patched = copy.deepcopy(document)
    for change in changes:
        place = patched
        for part in change.path[:-1]:
            place = place[part]  # type: ignore[index]
        if isinstance(change.new, Absent):
            del place[change.path[-1]]  # type: ignore[arg-type]
        else:
            place[change.path[-1]] = change.new  # type: ignore[index]
    return patched


@given(_objects, _objects)
def test_the_changes_turn_the_old_document_into_the_new_one(old: dict[str, Any], new: dict[str, Any]) -> None:
    patched = _patch(old, compare(old, new))
    assert compare(patched, new) == []
    assert patched == new


@given(_objects)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert compare(document, copy.deepcopy(document)) == []


@given(_objects, _objects)
def test_a_diff_the_other_way_round_swaps_old_and_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    def normal(changes: list[MemberChange]) -> list[str]:
        return sorted(repr(change) for change in changes)

    backwards = [MemberChange(change.path, change.new, change.old) for change in compare(new, old)]
    assert normal(backwards) == normal(compare(old, new))


def test_each_changed_field_is_named_with_both_values() -> None:
    old = {"name": {"vi": "Đất", "en": "Land"}, "upstreams": ["http://a"], "contact": "a@b.vn"}
    new = {"name": {"vi": "Đất đai", "en": "Land"}, "upstreams": ["http://a", "http://b"], "writeAhead": True}
    assert compare(old, new, prefix=("spec",)) == [
        MemberChange(("spec", "name", "vi"), "Đất", "Đất đai"),
        MemberChange(("spec", "upstreams"), ["http://a"], ["http://a", "http://b"]),
        MemberChange(("spec", "writeAhead"), ABSENT, True),
        MemberChange(("spec", "contact"), "a@b.vn", ABSENT),
    ]


def test_values_of_different_types_differ_even_where_python_calls_them_equal() -> None:
    assert compare({"a": 1}, {"a": True}) == [MemberChange(("a",), 1, True)]
    assert compare({"a": [0]}, {"a": [False]}) != []


def test_an_absent_side_is_null_on_the_wire() -> None:
    assert MemberChange(("a",), ABSENT, 1).document() == {"path": "a", "old": None, "new": 1}


def test_members_with_other_characters_stay_unambiguous() -> None:
    assert dotted_path(("spec", "openapi", "paths", "/parcels/{id}", "get")) == (
        'spec.openapi.paths["/parcels/{id}"].get'
    )
    assert dotted_path(("spec", "a.b")) != dotted_path(("spec", "a", "b"))
