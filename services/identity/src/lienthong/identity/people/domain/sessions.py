"""Sessions and what leads to them: how long each lasts, and what is needed next."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from lienthong.identity.people.domain.accounts import Account
from lienthong.kit.text import shown

LONGEST_CLIENT: Final = 200
_LONGEST_ADDRESS: Final = 45


class Factor(StrEnum):
    """How a person proved who it is, by the names of RFC 8176 where it has one."""

    PASSWORD = "pwd"  # noqa: S105 - a name
    TOTP = "otp"
    PASSKEY = "hwk"
    """A passkey, with the authenticator's own check of the person: two factors by itself."""
    RECOVERY_CODE = "recovery"
    UPSTREAM = "upstream"
    """Signed in at another provider, which does not say that it took two factors."""
    UPSTREAM_TWO = "upstream-two"
    """Signed in at another provider by two factors, as the operator understands what it says."""


_TWO: Final = frozenset({Factor.PASSKEY, Factor.UPSTREAM_TWO})


class NextStep(StrEnum):
    """What is missing before a person is signed in."""

    SECOND_FACTOR = "second-factor"
    ENROL = "enrol"
    """The roles demand a second factor, and there is none yet."""
    PASSKEY = "passkey"
    """Nobody is known yet: a passkey says who it is."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a session lasts at most, and without a request; how long a sign-in may take, and a device is
    known; how long after signing in a person may change what lets them in."""

    absolute: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(minutes=30)
    sign_in: timedelta = timedelta(minutes=10)
    device: timedelta = timedelta(days=180)
    recent: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: an address, and what the browser calls itself, as far as they are kept."""

    address: str
    client: str

    @classmethod
    def of(cls, address: str, client: str) -> "Origin":
        """From what was said, cut to what is kept, without control characters."""
        return cls(shown(address[:_LONGEST_ADDRESS]), shown(client[: LONGEST_CLIENT - 1], LONGEST_CLIENT))


@dataclass(frozen=True, slots=True)
class Via:
    """By which provider a session began; `provider` is "" where it began here. `session` is the session
    there, where it says one; `proved_at` when the person last proved there who it is, where nothing was
    proved here besides."""

    provider: str = ""
    session: str = ""
    proved_at: datetime | None = None


HERE: Final = Via()
"""By no other provider."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner, and who manages people, sees it."""

    id: str
    person_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    factors: tuple[Factor, ...]
    origin: Origin
    via: Via = HERE

    @property
    def proved_at(self) -> datetime:
        """When the person last proved who it is, here or at the provider by which it has come."""
        return self.via.proved_at or self.created_at


def alive(session: Session, now: datetime, rules: SessionRules) -> bool:
    """Whether a session has not ended by itself: by its age, or because nothing came for so long."""
    return now < session.expires_at and now - session.seen_at < rules.idle


def enough(account: Account, session: Session) -> bool:
    """Whether a session was begun with as much as the roles demand now; they may have changed since."""
    return not account.needs_second_factor or are_two(session.factors)


def are_two(factors: Collection[Factor]) -> bool:
    """Whether a person has proved two factors."""
    return len(factors) > 1 or not _TWO.isdisjoint(factors)


def next_step(account: Account, *, has_second_factor: bool) -> NextStep | None:
    """What is missing after the password was right; None where nothing is.

    A second factor that a person has is always asked for, whatever the roles demand.
    """
    if has_second_factor:
        return NextStep.SECOND_FACTOR
    return NextStep.ENROL if account.needs_second_factor else None
