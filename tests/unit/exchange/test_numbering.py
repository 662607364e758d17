"""However often the stream goes back, no number is given twice, and what it kept keeps its number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lienthong.exchange.domain.numbering import STEP, Numbering, NumberRange, Span

LIVES = st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1)), max_size=6)
"""In each life of the stream: how many messages come, and which part of all it keeps then."""


def test_at_first_a_number_is_the_streams_own_sequence() -> None:
    numbering = Numbering()
    assert [numbering.number_of(sequence) for sequence in (1, 7)] == [1, 7]
    assert numbering.sequence_from(7) == 7
    assert numbering.lost() == []


def test_people_see_the_generation_in_a_number() -> None:
    rolled_back = Numbering().went_back(40, 55, "later")
    assert [rolled_back.number_of(sequence) for sequence in (40, 41)] == [40, STEP + 41]
    assert rolled_back.lost() == [NumberRange(41, STEP + 40)]
    lost = rolled_back.went_back(0, STEP + 90, "again")
    assert lost.spans == (Span(1, 2 * STEP + 1),)
    assert lost.lost() == [NumberRange(1, 2 * STEP)]
    assert (lost.generation, lost.created) == (2, "again")


@given(LIVES)
def test_no_number_is_given_twice_and_what_was_kept_keeps_its_own(lives: list[tuple[int, float]]) -> None:
    numbering = Numbering()
    stream: list[int] = []
    given_out: list[int] = []
    for messages, part in lives:
        for _ in range(messages):
            number = numbering.number_of(len(stream) + 1)
            assert number > max(given_out, default=0)
            stream.append(number)
            given_out.append(number)
        kept = int(len(stream) * part)
        lost, stream = stream[kept:], stream[:kept]
        numbering = numbering.went_back(kept, max(given_out, default=0), "")
        assert [numbering.number_of(sequence) for sequence in range(1, kept + 1)] == stream
        assert all(any(number in numbers for numbers in numbering.lost()) for number in lost)
        assert not any(number in numbers for numbers in numbering.lost() for number in stream)
        assert all(any(number in numbers for numbers in numbering.present()) for number in stream)
        for sequence, number in enumerate(stream, 1):
            assert numbering.sequence_from(number) == sequence
        assert all(numbering.sequence_from(number) == kept + 1 for number in lost)


def test_what_follows_a_hole_has_no_number_any_more() -> None:
    cut = Numbering().cut_off(40, 90, 90, "now")
    assert [cut.number_of(sequence) for sequence in (39, 40, 90, 91)] == [39, 0, 0, STEP + 91]
    assert [cut.number_through(sequence) for sequence in (0, 39, 40, 90, 91)] == [0, 39, 39, 39, STEP + 91]
    assert cut.lost() == [NumberRange(40, STEP + 90)]
    assert [cut.sequence_from(number) for number in (39, 40, 90, STEP + 91)] == [39, 91, 91, 91]
    assert cut.numbers_among(30, 100) == [NumberRange(30, 39), NumberRange(STEP + 91, STEP + 100)]
    assert cut.numbers_among(50, 60) == []
    again = cut.went_back(50, STEP + 95, "later")
    assert [again.number_of(sequence) for sequence in (39, 50, 51)] == [39, 0, 2 * STEP + 51]


def test_a_hole_at_the_beginning_leaves_nothing() -> None:
    cut = Numbering().cut_off(1, 9, 9, "now")
    assert [cut.number_of(sequence) for sequence in (1, 9, 10)] == [0, 0, STEP + 10]
    assert cut.number_through(9) == 0
    assert cut.sequence_from(1) == 10


LOSSES = st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.floats(0, 1)), max_size=6)
"""How many messages come, then whether the stream goes back or has a hole, and where."""


@given(LOSSES)
def test_whatever_is_lost_no_number_is_given_twice(losses: list[tuple[int, bool, float]]) -> None:
    numbering = Numbering()
    numbers: list[int] = []  # of the messages of the stream, as they are now
    given_out: list[int] = []
    for messages, back, part in losses:
        for _ in range(messages):
            number = numbering.number_of(len(numbers) + 1)
            assert number > max(given_out, default=0)
            numbers.append(number)
            given_out.append(number)
        place = int(len(numbers) * part)
        highest = max(given_out)
        if back:
            numbering, numbers = numbering.went_back(place, highest, ""), numbers[:place]
        else:
            hole = min(place + 1, len(numbers))
            numbering = numbering.cut_off(hole, len(numbers), highest, "")
            numbers = [*numbers[: hole - 1], *[0] * (len(numbers) - hole + 1)]
        there = [number for number in numbers if number]
        assert [numbering.number_of(sequence) for sequence in range(1, len(numbers) + 1)] == numbers
        assert there == sorted(there)
        for sequence, number in enumerate(numbers, 1):
            assert numbering.number_through(sequence) == max([0, *numbers[:sequence]])
            if number:
                assert numbering.sequence_from(number) == sequence
        lost = {number for number in given_out if number not in there}
        assert all(any(number in numbers_ for numbers_ in numbering.lost()) for number in lost)
        assert not any(number in numbers_ for numbers_ in numbering.lost() for number in there)
        among = [n for n in given_out if any(n in one for one in numbering.numbers_among(1, len(numbers)))]
        assert sorted(set(among)) == there
