"""How often something may be guessed: failures are counted, and after some of them nobody may try for a time.

What is counted, and for whom, so that a stranger's failures do not keep the owner out, is decision 0059.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lienthong.kit.rates import network_of

_LONGEST_EXPONENT: Final = 16


@dataclass(frozen=True, slots=True)
class AttemptRules:
    """So many failures are free; the next waits are `first_wait`, and double up to `longest_wait`."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forgotten_after: timedelta = timedelta(days=1)
    """Without another failure for so long, all are forgotten; longer than the longest wait."""


FOR_AN_ACCOUNT: Final = AttemptRules(10, timedelta(minutes=1), timedelta(hours=1))
"""By all who come from no device that the owner has signed in on; and, apart, from each such device."""
FOR_AN_ADDRESS: Final = AttemptRules(100, timedelta(minutes=1), timedelta(hours=1))
"""Of a network (an IPv4 address, or 64 bits of IPv6), on whatever accounts. Many officials may share one."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The failures of one key, and until when nobody may try again. An attempt counts until it succeeds."""

    failures: int = 0
    blocked_until: datetime | None = None
    last_at: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long it takes until someone may try again; zero where someone may now."""
        if self.blocked_until is None:
            return timedelta(0)
        return max(self.blocked_until - now, timedelta(0))

    def tried(self, now: datetime, rules: AttemptRules) -> "Attempts":
        """After one more attempt, counted as a failure before anyone knows, so that many at once are many."""
        forgotten = self.last_at is None or now - self.last_at >= rules.forgotten_after
        failures = (0 if forgotten else self.failures) + 1
        over = failures - rules.free
        if over < 0:
            return Attempts(failures, None, now)
        wait = min(rules.first_wait * 2 ** min(over, _LONGEST_EXPONENT), rules.longest_wait)
        return Attempts(failures, now + wait, now)


def account_key(login: str, device_id: str | None) -> bytes:
    """What is counted for an account: by strangers, or on one device that it knows.

    It is made of the login, so that a login without an account is counted like any other.
    """
    return _key("account", login, device_id or "")


def address_key(address: str) -> bytes:
    """What is counted for an address."""
    return _key("address", network_of(address))


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
