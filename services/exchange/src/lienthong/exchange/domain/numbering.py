"""The numbers under which publishers and subscribers know events, and what the stream calls them.

The stream counts its messages itself. When its store is lost or replaced by an older copy, it gives the same
sequences again, to other messages; a number is never given again. A numbering is a list of spans of
sequences, each with the number of its first. What the stream has lost leaves a hole in the numbers.

When it has lost messages among others, in a damaged block, what follows them is cut off: these messages are
still there, but have no number any more, and come again after the lost ones, so that order is kept.
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
    """Sequences from `first_sequence` on, in order, have the numbers from `first_number` on; none, where that
    is 0."""

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
        """The number of the message that the stream has at `sequence` (at least 1); 0 where it has none."""
        span = next(span for span in reversed(self.spans) if span.first_sequence <= sequence)
        return span.first_number + sequence - span.first_sequence if span.first_number else 0

    def number_through(self, sequence: int) -> int:
        """The number of the last message up to `sequence` that has one; 0 when none has."""
        before: Span | None = None
        for span in self.spans:
            if span.first_sequence > sequence:
                break
            if span.first_number:
                before = span
        if before is None:
            return 0
        following = [span for span in self.spans if span.first_sequence > before.first_sequence]
        last = min([sequence, *(span.first_sequence - 1 for span in following)])
        return self.number_of(last)

    def sequence_from(self, number: int) -> int:
        """The first sequence whose number is `number` or greater."""
        for span, numbers in zip(self._numbered(), self.present(), strict=True):
            if numbers.last is None or number <= numbers.last:
                return span.first_sequence + max(0, number - span.first_number)
        raise AssertionError("the last span has no end")

    def present(self) -> Sequence[NumberRange]:
        """The numbers that the stream has or will have, in order: one range for each span that has any."""
        ends = [
            before.first_number + after.first_sequence - before.first_sequence - 1
            for before, after in pairwise(self.spans)
        ]
        return [
            NumberRange(span.first_number, last)
            for span, last in zip(self.spans, [*ends, None], strict=True)
            if span.first_number
        ]

    def numbers_among(self, first: int, last: int) -> Sequence[NumberRange]:
        """The numbers of the messages from sequence `first` to `last`, both included, in order."""
        found: list[NumberRange] = []
        for span, numbers in zip(self._numbered(), self.present(), strict=True):
            begin = span.first_number + max(first, span.first_sequence) - span.first_sequence
            end = span.first_number + last - span.first_sequence
            if numbers.last is not None:
                end = min(end, numbers.last)
            if begin <= end:
                found.append(NumberRange(begin, end))
        return found

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
        first = kept_through + 1
        return self._going_on(first, [], first, highest, created)

    def cut_off(self, hole: int, last: int, highest: int, created: str) -> Numbering:
        """The numbering after a loss among others: the message at sequence `hole` is not there, and what
        follows it up to `last` has no number any more.

        `highest` is the highest number that is recorded anywhere.
        """
        return self._going_on(hole, [Span(hole, 0)], last + 1, highest, created)

    def _going_on(self, end: int, cut: Sequence[Span], first: int, highest: int, created: str) -> Numbering:
        """The spans before sequence `end`, what is `cut` off, and higher numbers from `first` on."""
        base = ((highest + _MARGIN) // STEP + 1) * STEP
        kept = [span for span in self.spans if span.first_sequence < end]
        return Numbering(self.generation + 1, created, (*kept, *cut, Span(first, base + first)))

    def _numbered(self) -> Sequence[Span]:
        return [span for span in self.spans if span.first_number]
