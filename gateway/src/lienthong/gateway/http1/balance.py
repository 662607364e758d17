"""Which of several addresses of a provider is called next: the one that is well and has the least to do.

What goes wrong with calls is noted here, and what the gateway's own checks found where a service wants such.
Addresses that fail are left alone for a time that doubles, then a call tries whether they are well again, and
they get their share back little by little. Where all fail, all are tried, unless the service declares a
breaker: then calls are refused until one may be tried.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.circuit import Circuit, CircuitState
from lienthong.gateway.http1.errors import ProviderUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.gateway.http1.address import Address, Origin
    from lienthong.gateway.http1.circuit import CheckTerms
    from lienthong.gateway.http1.errors import ProviderError
    from lienthong.gateway.http1.upstreams import Upstreams

_TO_BE_TRIED, _WELL, _PASSED_OVER, _RESTING = range(4)
_MOST: Final = 10_000
"""Addresses of which something is known. Beyond, what is known of the oldest is forgotten."""


class Balance:
    """Orders the addresses of providers. `load` says how many exchanges are under way with an origin."""

    def __init__(self, load: Callable[[Origin], int], now: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._now = now
        self._circuits: dict[tuple[str, Origin], Circuit] = {}

    def states(self) -> dict[tuple[str, CircuitState], int]:
        """How many addresses of each service are not simply closed, by where they are."""
        now = self._now()
        found: dict[tuple[str, CircuitState], int] = {}
        for (service, _), circuit in list(self._circuits.items()):
            state = circuit.state(now)
            if state is not CircuitState.CLOSED:
                found[service, state] = found.get((service, state), 0) + 1
        return found

    @property
    def resting(self) -> int:
        """How many addresses are left alone."""
        return sum(number for (_, state), number in self.states().items() if state is CircuitState.OPEN)

    def ordered(self, upstreams: Upstreams, addresses: Sequence[Address]) -> Sequence[Address]:
        """The addresses in the order in which to try them; equals stay in the order that they came in."""
        if len(addresses) == 1:
            return addresses
        now = self._now()
        ranked = [(self._rank(upstreams, address, now), place) for place, address in enumerate(addresses)]
        ranked.sort()
        return [addresses[place] for _, place in ranked]

    def enter(self, upstreams: Upstreams, address: Address) -> bool:
        """Begin an exchange; False: the service's breaker lets none go to this address now."""
        circuit = self._circuits.get((upstreams.name, address.origin))
        return circuit is None or circuit.enter(self._now(), upstreams.circuit)

    def wait_s(self, upstreams: Upstreams) -> float:
        """How many seconds from now an address may be tried, where none may at present."""
        now = self._now()
        waits = [
            circuit.wait_s(now)
            for address in upstreams.addresses
            if (circuit := self._circuits.get((upstreams.name, address.origin))) is not None
        ]
        return max(min(waits, default=0.0), 0.0)

    def failed(
        self, upstreams: Upstreams, address: Address, error: ProviderError | None, began: float
    ) -> None:
        """Note that an exchange that began then came to no answer; None: to one that counts as a failure."""
        unreachable = isinstance(error, ProviderUnreachableError)
        circuit = self._circuit(upstreams.name, address.origin)
        circuit.failed(began, self._now(), upstreams.circuit, unreachable=unreachable)

    def answered(self, upstreams: Upstreams, address: Address, status: int, began: float) -> None:
        """Note that an exchange that began then came to an answer."""
        terms = upstreams.circuit
        if status in terms.statuses:
            self.failed(upstreams, address, None, began)
            return
        key = (upstreams.name, address.origin)
        circuit = self._circuits.get(key)
        if circuit is None:
            if not terms.percent:
                return
            circuit = self._circuit(*key)
        now = self._now()
        circuit.succeeded(began, now, terms)
        if circuit.forgettable():
            del self._circuits[key]

    def left(self, upstreams: Upstreams, address: Address) -> None:
        """Note that an exchange ended without saying anything of the address."""
        circuit = self._circuits.get((upstreams.name, address.origin))
        if circuit is not None:
            circuit.left()

    def checked(self, upstreams: Upstreams, address: Address, terms: CheckTerms, *, passed: bool) -> bool:
        """Note what the gateway's own question found; returns whether calls now go elsewhere, or back."""
        return self._circuit(upstreams.name, address.origin).checked(self._now(), terms, passed=passed)

    def now(self) -> float:
        """The time that exchanges begin at, for this balance."""
        return self._now()

    def _circuit(self, service: str, origin: Origin) -> Circuit:
        circuit = self._circuits.get((service, origin))
        if circuit is None:
            while len(self._circuits) >= _MOST:
                del self._circuits[next(iter(self._circuits))]
            circuit = self._circuits[service, origin] = Circuit()
        return circuit

    def _rank(self, upstreams: Upstreams, address: Address, now: float) -> tuple[int, float]:
        """What to call first: of those that do not rest the one with the least to do for its weight."""
        circuit = self._circuits.get((upstreams.name, address.origin))
        least = self._load(address.origin) / address.weight
        if circuit is None:
            return _WELL, least
        state = circuit.state(now)
        if state is CircuitState.CLOSED:
            return _WELL, least
        if state is CircuitState.RETURNING:
            return _PASSED_OVER if circuit.passed_over(now) else _WELL, least
        if circuit.may_try(now, upstreams.circuit):
            return _TO_BE_TRIED, 0.0
        return _RESTING, circuit.opens_until
