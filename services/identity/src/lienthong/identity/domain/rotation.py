"""The rotation of signing keys: a pure function of the published keys and the time.

A key's life: *published* (verifiers may fetch it, nothing is signed with it) for at least `announced_for`,
then *signing* for `signing_for`, then *retired* (signs nothing, still published) until the last token that it
signed has expired, then removed. The moment a key begins to sign is fixed when it is published, so every
replica changes over at the same instant without talking to the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class RotationRules:
    """How long each part of a key's life lasts.

    `announced_for` must exceed the time a verifier may hold a copy of the key set; `token_lifetime` is that
    of access tokens; `grace` covers clocks that differ between replicas and verifiers.
    """

    announced_for: timedelta
    signing_for: timedelta
    token_lifetime: timedelta
    grace: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """A published key's id and the time from which it signs."""

    key_id: str
    signs_from: datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is due: publish a new key that signs from a given time, and remove keys that are not needed."""

    publish_signing_from: datetime | None = None
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.publish_signing_from is not None or bool(self.remove)


def signing_key(keys: Sequence[KeyTimes], now: datetime) -> KeyTimes | None:
    """The key that signs now: the one that began to sign last.

    If all of them begin later (the clock was set back), the first to begin: verifiers know it already.
    """
    begun = [key for key in keys if key.signs_from <= now]
    if begun:
        return max(begun, key=_order)
    return min(keys, key=_order, default=None)


def plan(keys: Sequence[KeyTimes], *, rules: RotationRules, now: datetime) -> Rotation:
    """What is due now. After it has been done, nothing is due."""
    current = signing_key(keys, now)
    if current is None:
        # No verifier has a copy of the key set yet: the first key may sign at once.
        return Rotation(publish_signing_from=now)
    return Rotation(_next_begins(keys, current, rules, now), _unneeded(keys, rules, now))


def _next_begins(
    keys: Sequence[KeyTimes], current: KeyTimes, rules: RotationRules, now: datetime
) -> datetime | None:
    if any(_order(key) > _order(current) for key in keys):
        return None
    due = current.signs_from + rules.signing_for
    if now < due - rules.announced_for:
        return None
    return max(due, now + rules.announced_for)


def _unneeded(keys: Sequence[KeyTimes], rules: RotationRules, now: datetime) -> tuple[str, ...]:
    ordered = sorted(keys, key=_order)
    kept_for = rules.token_lifetime + rules.grace
    return tuple(key.key_id for key, successor in pairwise(ordered) if successor.signs_from + kept_for <= now)


def _order(key: KeyTimes) -> tuple[datetime, str]:
    return key.signs_from, key.key_id
