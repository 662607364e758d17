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
