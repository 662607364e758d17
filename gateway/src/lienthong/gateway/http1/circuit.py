"""What is known of one address of one service: whether calls go to it, and when it is tried again.

Closed: calls go to it. Open: it failed and is left alone, for a time that doubles. Half-open: that time is
over, and a few calls try it. Closed again: at first it gets less than its share. Pure: time comes in.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 60.0
_RETURN_S: Final = 30.0
"""How long an address that came back gets less than its share."""
_TURNS_AT_FIRST: Final = 8
"""At the beginning of that it is passed over but for every eighth choice."""
_STEPS: Final = 10
"""Parts of the window in which shares of failures are counted."""


class CircuitState(Enum):
    """Where a circuit is; the values are those of the figure."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    RETURNING = "returning"


class CircuitTerms:
    """When an address is left alone, and what that means for calls.

    `failures` in a row open it, as do `unreachable` where the last was a connection that could not be made,
    and `percent` of the exchanges of the last `window_s` seconds, of which there have to be `minimum`; 0 per
    cent: that is not counted. It stays open for `rest_s` seconds at first. Then so many `trials` in a row
    close it, and no more are made at a time. `statuses` are those of answers that count as failures.
    """

    __slots__ = (
        "failures",
        "minimum",
        "percent",
        "refuses",
        "rest_s",
        "statuses",
        "trials",
        "unreachable",
        "window_s",
    )

    def __init__(
        self,
        *,
        failures: int = 5,
        unreachable: int = 1,
        percent: int = 0,
        minimum: int = 20,
        window_s: float = 10.0,
        rest_s: float = FIRST_REST_S,
        trials: int = 1,
        statuses: frozenset[int] = frozenset(),
        refuses: bool = False,
    ) -> None:
        self.failures = failures
        self.unreachable = unreachable
        self.percent = percent
        self.minimum = minimum
        self.window_s = window_s
        self.rest_s = rest_s
        self.trials = trials
        self.statuses = statuses
        self.refuses = refuses
        """Whether calls are refused while all addresses are open; otherwise these are tried last."""


class CheckTerms:
    """How the gateway itself asks whether an address is well.

    `path` is put behind the base address; times are in seconds. `statuses` are those of answers that pass;
    so many answers in a row change the mind.
    """

    __slots__ = ("healthy_after", "interval_s", "path", "statuses", "timeout_s", "unhealthy_after")

    def __init__(
        self,
        path: bytes,
        *,
        interval_s: float,
        timeout_s: float,
        statuses: frozenset[int],
        healthy_after: int,
        unhealthy_after: int,
    ) -> None:
        self.path = path
        self.interval_s = interval_s
        self.timeout_s = timeout_s
        self.statuses = statuses
        self.healthy_after = healthy_after
        self.unhealthy_after = unhealthy_after


class Shares:
    """How many of the exchanges of the last seconds failed."""

    __slots__ = ("_failed", "_newest", "_step_s", "_total")

    def __init__(self, window_s: float) -> None:
        self._step_s = window_s / _STEPS
        self._total = [0] * _STEPS
        self._failed = [0] * _STEPS
        self._newest = 0

    def add(self, now: float, *, failed: bool) -> None:
        """Count one exchange."""
        step = int(now / self._step_s)
        for passed in range(max(self._newest + 1, step - _STEPS + 1), step + 1):
            self._total[passed % _STEPS] = self._failed[passed % _STEPS] = 0
        self._newest = max(step, self._newest)
        self._total[step % _STEPS] += 1
        self._failed[step % _STEPS] += failed

    def reached(self, percent: int, minimum: int) -> bool:
        """Whether there are enough exchanges, and so many of a hundred failed."""
        total = sum(self._total)
        return total >= minimum and sum(self._failed) * 100 >= percent * total


class Circuit:
    """The state of one address of one service. Times are by one monotonic clock, in seconds."""

    __slots__ = (
        "_checks",
        "_failures",
        "_opened",
        "_passed",
        "_rest_s",
        "_returned",
        "_shares",
        "_trying",
        "_trying_until",
        "_turns",
        "opens_until",
    )

    def __init__(self) -> None:
        self._failures = 0
        self._rest_s = 0.0
        self._opened = 0.0
        """When it was opened last."""
        self.opens_until = 0.0
        """When it may be tried; 0: it has not been opened since it was closed for good."""
        self._returned = 0.0
        """When it was closed again; 0: it was never opened, or still is."""
        self._trying = 0
        """Trials under way, of those that are younger than a rest."""
        self._trying_until = 0.0
        self._passed = 0
        """Trials in a row that came to an answer."""
        self._turns = 0
        self._checks = 0
        """Checks in a row that passed; below 0: that failed."""
        self._shares: Shares | None = None

    def state(self, now: float) -> CircuitState:
        """Where it is."""
        if not self.opens_until:
            return CircuitState.CLOSED
        if self._returned:
            over = now - self._returned > _RETURN_S
            return CircuitState.CLOSED if over else CircuitState.RETURNING
        return CircuitState.OPEN if self.opens_until > now else CircuitState.HALF_OPEN

    def may_try(self, now: float, terms: CircuitTerms) -> bool:
        """Whether it is half-open and another call may try it."""
        if self.state(now) is not CircuitState.HALF_OPEN:
            return False
        return self._trying < terms.trials or self._trying_until <= now

    def passed_over(self, now: float) -> bool:
        """Whether it is not yet its turn: one that came back gets its share back little by little."""
        since = min((now - self._returned) / _RETURN_S, 1.0)
        self._turns += 1
        return bool(self._turns % round(_TURNS_AT_FIRST - (_TURNS_AT_FIRST - 1) * since))

    def enter(self, now: float, terms: CircuitTerms) -> bool:
        """Begin an exchange; False: it may not be made, and another may at `wait_s`."""
        state = self.state(now)
        if state is CircuitState.OPEN:
            return not terms.refuses
        if state is CircuitState.HALF_OPEN:
            if not self.may_try(now, terms):
                return not terms.refuses
            if self._trying_until <= now:
                self._trying = 0
            self._trying += 1
            self._trying_until = now + self._rest_s
        return True

    def wait_s(self, now: float) -> float:
        """How long to wait until it may be tried, or tried again."""
        return max(self.opens_until, self._trying_until) - now

    def failed(self, began: float, now: float, terms: CircuitTerms, *, unreachable: bool) -> None:
        """Note that an exchange came to no answer, or to one that counts as a failure."""
        if self._outdated(began):
            return
        self._failures += 1
        state = self.state(now)
        if terms.percent:
            self._count(now, terms, failed=True)
        opens = (
            state is CircuitState.HALF_OPEN
            or self._failures >= terms.failures
            or (unreachable and self._failures >= terms.unreachable)
            or (self._shares is not None and self._shares.reached(terms.percent, terms.minimum))
        )
        if opens:
            if state is not CircuitState.OPEN:
                self._rest_s = min(max(2 * self._rest_s, terms.rest_s), max(LONGEST_REST_S, terms.rest_s))
            self._open(now, self._rest_s)

    def succeeded(self, began: float, now: float, terms: CircuitTerms) -> None:
        """Note that an exchange came to an answer."""
        if self._outdated(began):
            return
        self._failures = 0
        if terms.percent:
            self._count(now, terms, failed=False)
        if not self.opens_until:
            return
        if self._returned:
            if now - self._returned > _RETURN_S:
                # What was long ago is forgotten.
                self.opens_until = self._returned = self._rest_s = 0.0
            return
        self._passed += 1
        self._trying = max(self._trying - 1, 0)
        if self._passed >= terms.trials:
            self._close(now)

    def left(self) -> None:
        """Note that an exchange ended without saying anything of the address."""
        self._trying = max(self._trying - 1, 0)

    def checked(self, now: float, terms: CheckTerms, *, passed: bool) -> bool:
        """Note what the gateway's own question found; returns whether that changed the mind."""
        before = self.state(now)
        self._checks = max(self._checks, 0) + 1 if passed else min(self._checks, 0) - 1
        if self._checks <= -terms.unhealthy_after:
            # Good until the checks after the next ones: should nobody ask any more, a call tries it.
            self._rest_s = self._rest_s or FIRST_REST_S
            self._open(now, 3 * terms.interval_s + terms.timeout_s)
            return before in (CircuitState.CLOSED, CircuitState.RETURNING)
        if self._checks >= terms.healthy_after and before in (CircuitState.OPEN, CircuitState.HALF_OPEN):
            self._close(now)
            return True
        return False

    def forgettable(self) -> bool:
        """Whether it says nothing that a new one would not."""
        return not (self.opens_until or self._failures or self._checks or self._shares is not None)

    def _outdated(self, began: float) -> bool:
        """Whether an exchange began before the circuit was opened: it says nothing new."""
        return bool(self.opens_until) and not self._returned and began < self._opened

    def _open(self, now: float, rest_s: float) -> None:
        self._opened, self.opens_until = now, now + rest_s
        self._returned = self._trying_until = 0.0
        self._trying = self._passed = 0
        self._shares = None

    def _close(self, now: float) -> None:
        self._returned = self.opens_until = now
        self._failures = self._trying = self._passed = 0
        self._trying_until = 0.0

    def _count(self, now: float, terms: CircuitTerms, *, failed: bool) -> None:
        if self._shares is None:
            self._shares = Shares(terms.window_s)
        self._shares.add(now, failed=failed)
