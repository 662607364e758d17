"""An apply is shown as a diff: what is created, what changes from what to what, and the sum of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lienthong.client.answers import AppliedResource, ApplyResult, FieldChange, Notice
from lienthong.client.errors import Text
from lienthong.client.terminal.changes import VALUE_WIDTH, lines, shown
from lienthong.client.terminal.screen import Screen

SCREEN = Screen(as_json=False)


def rendered(*results: AppliedResource, dry_run: bool = False) -> list[str]:
    return [line.plain for line in lines(ApplyResult(dry_run, 7, results), SCREEN)]


def test_every_resource_has_a_line_and_every_change_its_old_and_new_value() -> None:
    assert rendered(
        AppliedResource("Agency", "H11.05", "unchanged", ()),
        AppliedResource("System", "H11.05/land", "created", ()),
        AppliedResource(
            "Service",
            "H11.05/land/parcels-v1",
            "updated",
            (
                FieldChange("spec.timeoutMs", 1000, 2000),
                FieldChange("spec.name.vi", None, "Thửa đất"),
                FieldChange("spec.writeAhead", True, None),
            ),
        ),
    ) == [
        "= Agency H11.05  unchanged",
        "+ System H11.05/land  created",
        "~ Service H11.05/land/parcels-v1  updated",
        "    spec.timeoutMs",
        "      - 1000",
        "      + 2000",
        "    spec.name.vi",
        "      + Thửa đất",
        "    spec.writeAhead",
        "      - true",
        (
            "1 tạo mới/created, 1 cập nhật/updated, 1 giữ nguyên/unchanged"
            "  (phiên bản danh mục/catalog version 7)"
        ),
    ]


def test_warnings_stand_below_their_resource_whatever_becomes_of_it() -> None:
    warning = Notice("/spec/validTo", Text("đã hết hạn", "has ended"))
    results = [
        AppliedResource("Agreement", name, action, (), (warning,))
        for name, action in (("a", "created"), ("b", "unchanged"))
    ]
    assert rendered(*results)[:4] == [
        "+ Agreement a  created",
        "    ! spec.validTo: đã hết hạn  has ended",
        "= Agreement b  unchanged",
        "    ! spec.validTo: đã hết hạn  has ended",
    ]


def test_a_dry_run_says_that_nothing_was_written() -> None:
    assert (
        "nothing was written" in rendered(AppliedResource("Agency", "H11", "created", ()), dry_run=True)[-1]
    )


def test_colours_tell_the_actions_apart() -> None:
    results = [AppliedResource("Agency", "a", action, ()) for action in ("created", "updated", "unchanged")]
    first = [line.style for line in lines(ApplyResult(False, 1, tuple(results)), SCREEN)][:3]
    assert first == ["green", "yellow", "dim"]


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner)))
def test_a_value_is_one_line_of_bounded_width(value: object) -> None:
    text = shown(value)
    assert len(text) <= VALUE_WIDTH
    assert len(text.splitlines()) <= 1
