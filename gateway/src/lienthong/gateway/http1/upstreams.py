"""The base addresses of one provider, used in rotation."""

from __future__ import annotations

from itertools import count
from math import gcd
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.address import Address
from lienthong.gateway.http1.circuit import CircuitTerms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lienthong.gateway.http1.circuit import CheckTerms

_UNLESS_DECLARED: Final = CircuitTerms()


class Upstreams:
    """The addresses of a provider, and which of them the next request begins with.

    `name` is the service's: what is known of an address is known of it for this service only, since its
    limits in time decide what a failure is. `weights` say how much each address takes, compared with the
    others; without any all take the same. The addresses never change; the position in the rotation does with
    every request.

    Raises:
        ValueError: one of the addresses cannot be parsed, or there is not one weight for each.
    """

    __slots__ = ("_next", "_starts", "addresses", "checks", "circuit", "name", "several", "watched")

    def __init__(
        self,
        addresses: Iterable[str],
        *,
        name: str = "",
        weights: Sequence[int] = (),
        circuit: CircuitTerms | None = None,
        checks: CheckTerms | None = None,
    ) -> None:
        texts = tuple(addresses)
        shares = tuple(weights) or (1,) * len(texts)
        self.addresses = tuple(
            Address.parse(text, weight) for text, weight in zip(texts, shares, strict=True)
        )
        self.name = name
        self.several = len(self.addresses) > 1
        self.circuit = circuit or _UNLESS_DECLARED
        self.checks = checks
        """How the gateway itself asks whether they are well; None: it does not."""
        self.watched = self.several or self.circuit.refuses
        """Whether it matters how exchanges end: the health of an only address is nobody's choice, unless
        calls are refused for it."""
        self._starts = _rotation(shares)
        self._next = count()

    def in_order(self) -> tuple[Address, ...]:
        """Every address once, in the order in which to try them.

        Each request begins with the next one, those with a larger weight more often.
        """
        addresses = self.addresses
        if not self.several:
            return addresses
        start = self._starts[next(self._next) % len(self._starts)]
        return addresses[start:] + addresses[:start]


def _rotation(weights: Sequence[int]) -> tuple[int, ...]:
    """Which address each request of a round begins with: in proportion, and spread evenly over the round.

    Smooth weighted round robin: each gains its weight, the richest is taken and pays the sum.
    """
    common = gcd(*weights) if weights else 1
    shares = [weight // common for weight in weights]
    total = sum(shares)
    credit = [0] * len(shares)
    round_: list[int] = []
    for _ in range(total):
        credit = [have + share for have, share in zip(credit, shares, strict=True)]
        richest = credit.index(max(credit))
        credit[richest] -= total
        round_.append(richest)
    return tuple(round_)
