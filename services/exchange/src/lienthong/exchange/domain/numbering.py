"""The numbers under which publishers and subscribers know events, and what the stream calls them.

The stream counts its messages itself. When its store is lost or replaced by an older copy, it gives the same
sequences again, to other messages; a number is never given again. A numbering is a list of spans of
sequences, each with the number of its first. What the stream has lost leaves a hole in the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP: Final = 1_000_000_000
"""After each loss numbers go on above the next multiple of this, so that people see it in them."""
_MARGIN: Final = 1_000_000
"""Numbers may have been given out that are not recorded; never so many."""


@dataclass(frozen=True, slots=True)
class Span:
    """Sequences from `first_sequence` on, in order, have the numbers from `first_number` on."""

    first_sequence: int
    first_number: int


@dataclass(frozen=True, slots=True)
class NumberRange:
    """The numbers from `first` to `last`, both included; without `last`, all from `first` on."""

    first: int
    last: int | None

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.first <= number and (self.last is None or number <= self.last)


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the sequences of the stream are numbered; `generation` counts how often it went back.

    `created` is when the stream that it is about was created, as the bus writes it; empty when not known yet.
    The first sequence of the first span is 1, and both sequences and numbers grow from span to span.
    """

    generation: int = 0
    created: str = ""
    spans: tuple[Span, ...] = (Span(1, 1),)

    def number_of(self, sequence: int) -> int:
        """The number of the message that the stream has at `sequence` (at least 1)."""
        span = next(span for span in reversed(self.spans) if span.first_sequence <= sequence)
        return span.first_number + sequence - span.first_sequence

    def sequence_from(self, number: int) -> int:
        """The first sequence whose number is `number` or greater."""
        for span, numbers in zip(self.spans, self.present(), strict=True):
            if numbers.last is None or number <= numbers.last:
                return span.first_sequence + max(0, number - span.first_number)
        raise AssertionError("the last span has no end")

    def present(self) -> Sequence[NumberRange]:
        """The numbers that the stream has or will have, in order: one range for each span."""
        ends = [
            before.first_number + after.first_sequence - before.first_sequence - 1
            for before, after in pairwise(self.spans)
        ]
        return [
            NumberRange(span.first_number, last) for span, last in zip(self.spans, [*ends, None], strict=True)
        ]

    def lost(self) -> Sequence[NumberRange]:
        """The numbers whose messages the stream has no longer, or that were left out, in order."""
        holes: list[NumberRange] = []
        begin = 1
        for numbers in self.present():
            if begin < numbers.first:
                holes.append(NumberRange(begin, numbers.first - 1))
            begin = (numbers.last or 0) + 1
        return holes

    def went_back(self, kept_through: int, highest: int, created: str) -> Numbering:
        """The numbering after a loss: of the messages known so far those up to `kept_through` are there.

        `highest` is the highest number that is recorded anywhere.
        """
        base = ((highest + _MARGIN) // STEP + 1) * STEP
        kept = tuple(span for span in self.spans if span.first_sequence <= kept_through)
        first = kept_through + 1
        return Numbering(self.generation + 1, created, (*kept, Span(first, base + first)))
