"""Counting what happened within the last second or minute."""

from __future__ import annotations


class Window:
    """What was counted within the last `slots * width` seconds, and a little longer: less than one `width`.

    So never more than a limit passes within the time, and a caller that always asks for more gets at least
    `slots / (slots + 1)` of it. Times are those of a clock that does not jump, in seconds.
    """

    __slots__ = ("_counts", "_head", "_width", "total")

    def __init__(self, slots: int, width: float, now: float) -> None:
        self._counts = [0] * (slots + 1)
        """By the number of the slot, modulo their count; that of the present time among them."""
        self._width = width
        self._head = int(now / width)
        self.total = 0

    def advance(self, now: float) -> None:
        """Forget what is too old; `total` says what remains."""
        head = int(now / self._width)
        gone = head - self._head
        if gone <= 0:
            return
        counts = self._counts
        size = len(counts)
        if gone >= size or self.total == 0:
            if self.total:
                self._counts = [0] * size
                self.total = 0
        else:
            for slot in range(self._head + 1, head + 1):
                at = slot % size
                self.total -= counts[at]
                counts[at] = 0
        self._head = head

    def add(self, amount: int) -> None:
        """Count at the time of the last `advance`."""
        at = self._head % len(self._counts)
        self._counts[at] += amount
        self.total += amount

    def room_in(self, now: float, amount: int) -> float:
        """In how many seconds `amount` of what is counted will be too old, or all of it."""
        size = len(self._counts)
        oldest = self._head - size + 1
        while oldest < self._head and (amount := amount - self._counts[oldest % size]) > 0:
            oldest += 1
        return max((oldest + size) * self._width - now, 0.0)
