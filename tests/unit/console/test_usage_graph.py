"""The drawing of who talks to whom: all calls are in it, in a bounded number of boxes that lie inside."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lienthong.console.usage.graph import (
    HEIGHT,
    MOST_NODES,
    OTHERS,
    WIDTH,
    Pair,
    draw,
    pairs_of,
)
from lienthong.console.usage.shown import Group, Use

CODES = st.integers(0, 60).map(lambda number: f"H{number:02d}")
PAIRS = st.lists(
    st.builds(Pair, CODES, CODES, st.integers(1, 10**9), st.just(0), st.just(0)),
    max_size=80,
    unique_by=lambda pair: (pair.consumer, pair.provider),
)


@given(PAIRS)
def test_few_boxes_stand_for_all_agencies_and_lie_inside(pairs: list[Pair]) -> None:
    drawing = draw(pairs)
    codes = {code for pair in pairs for code in (pair.consumer, pair.provider)}
    shown = {node.code for node in drawing.nodes}
    assert len(shown) == len(drawing.nodes) <= MOST_NODES + 1
    assert shown - {OTHERS} <= codes
    assert (OTHERS in shown) is (len(codes) > MOST_NODES + 1)
    assert len({(node.x, node.y) for node in drawing.nodes}) == len(drawing.nodes)
    for node in drawing.nodes:
        assert 40 <= node.x <= WIDTH - 40
        assert 30 <= node.y <= HEIGHT - 30
    assert len(drawing.lines) <= (MOST_NODES + 1) ** 2
    assert all(1.0 <= float(line.width) <= 8.0 for line in drawing.lines)
    assert bool(drawing.lines) is bool(pairs)


def test_the_others_are_drawn_together() -> None:
    pairs = [Pair(f"H{number:02d}", "H99", 100 - number, 0, 0) for number in range(40)]
    told = [line.told.en for line in draw(pairs).lines if line.told.en.startswith("…")]
    hidden = sum(100 - number for number in range(MOST_NODES - 1, 40))
    assert told == [f"… → H99: {hidden} calls, 0.0 % not answered well"]


def test_lines_say_how_much_was_not_answered_well() -> None:
    pairs = [Pair("A", "B", 100, 0, 0), Pair("A", "C", 100, 2, 1), Pair("A", "D", 100, 0, 5)]
    assert [line.kind for line in draw(pairs).lines] == ["no-errors", "few-errors", "many-errors"]
    rates = [Pair("A", "B", calls, 0, 0).per_hour(24) for calls in (100, 1, 2400)]
    assert rates == ["4.2", "0.042", "100"]


def test_calls_without_two_agencies_are_no_pair() -> None:
    sides = [("A", "B"), ("", "B"), ("A", ""), ("A", "lienthong")]
    groups = [Group({"consumer_agency": one, "provider": other}, 1, 0, 0) for one, other in sides]
    nothing = Group({}, 0, 0, 0)
    assert pairs_of(Use(groups, nothing, 0, nothing, 0)) == [Pair("A", "B", 1, 0, 0)]
