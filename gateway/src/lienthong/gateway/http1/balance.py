"""Which of several addresses of a provider is called next: the one that is well and has the least to do.

What goes wrong with calls is noted here; nothing is asked of a provider for that (passive health). Addresses
that fail are left alone for a time that doubles, then one call tries whether they are well again, and they
get their share back little by little. An address is never lost: where all fail, all are tried.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.errors import ProviderUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.gateway.http1.address import Address, Origin
    from lienthong.gateway.http1.errors import ProviderError

_FAILURES: Final = 5
"""In a row, of exchanges that did not come to an answer, until an address is left alone. One connection that
cannot be made is enough."""
_FIRST_REST_S: Final = 1.0
_LONGEST_REST_S: Final = 60.0
_RETURN_S: Final = 30.0
"""How long an address that came back gets less than its share."""
_TURNS_AT_FIRST: Final = 8
"""At the beginning of that it is passed over but for every eighth choice."""
_TO_BE_TRIED, _WELL, _PASSED_OVER, _RESTING = range(4)
_MOST: Final = 10_000
"""Addresses of which something is known. Beyond, what is known of the oldest is forgotten."""


class _State:
    """What is known of an address that has failed."""

    __slots__ = ("failures", "rest_s", "rests_until", "returned", "trying_until", "turns")

    def __init__(self) -> None:
        self.failures = 0
        self.rest_s = 0.0
        self.rests_until = 0.0
        self.trying_until = 0.0
        """Until then one call tries whether it is well again; the others leave it alone."""
        self.returned = 0.0
        """When it was well again; 0: it has not been left alone since, or is still."""
        self.turns = 0


class Balance:
    """Orders the addresses of providers. `load` says how many exchanges are under way with an origin."""

    def __init__(self, load: Callable[[Origin], int], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._states: dict[Origin, _State] = {}

    @property
    def resting(self) -> int:
        """How many addresses are left alone."""
        now = self._now()
        return sum(state.rests_until > now for state in list(self._states.values()))

    def ordered(self, addresses: Sequence[Address]) -> Sequence[Address]:
        """The addresses in the order in which to try them; equals stay in the order that they came in."""
        if len(addresses) == 1:
            return addresses
        now = self._now()
        ranked = [(self._rank(address.origin, now), place) for place, address in enumerate(addresses)]
        ranked.sort()
        first = addresses[ranked[0][1]].origin
        if ranked[0][0][0] == _TO_BE_TRIED and (state := self._states.get(first)) is not None:
            # This call tries it, and those that come meanwhile do not.
            state.trying_until = now + state.rest_s
        return [addresses[place] for _, place in ranked]

    def failed(self, origin: Origin, error: ProviderError) -> None:
        """Note that an exchange came to no answer."""
        state = self._states.get(origin)
        if state is None:
            while len(self._states) >= _MOST:
                del self._states[next(iter(self._states))]
            state = self._states[origin] = _State()
        state.failures += 1
        if isinstance(error, ProviderUnreachableError) or state.failures >= _FAILURES or state.trying_until:
            now = self._now()
            if state.rests_until <= now:
                state.rest_s = min(max(2 * state.rest_s, _FIRST_REST_S), _LONGEST_REST_S)
            state.rests_until = now + state.rest_s
            state.trying_until = state.returned = 0.0

    def succeeded(self, origin: Origin) -> None:
        """Note that an exchange came to an answer, whatever it says."""
        state = self._states.get(origin)
        if state is None:
            return
        state.failures, state.trying_until = 0, 0.0
        now = self._now()
        if not state.rests_until or (state.returned and now - state.returned > _RETURN_S):
            del self._states[origin]
        elif not state.returned:
            state.returned, state.rests_until = now, now

    def _rank(self, origin: Origin, now: float) -> tuple[int, float]:
        """What to call first: those that do not rest, of these the one with the least to do."""
        state = self._states.get(origin)
        if state is None or not state.rests_until:
            return _WELL, self._load(origin)
        if state.returned:
            since = min((now - state.returned) / _RETURN_S, 1.0)
            state.turns += 1
            passed_over = state.turns % round(_TURNS_AT_FIRST - (_TURNS_AT_FIRST - 1) * since)
            return _PASSED_OVER if passed_over else _WELL, self._load(origin)
        if state.rests_until > now or state.trying_until > now:
            return _RESTING, state.rests_until
        return _TO_BE_TRIED, 0.0
