"""May this consumer call this operation for this purpose, now? Everything is denied unless allowed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.table import AgreementRule, RoutingTable, ServiceRoute


@dataclass(frozen=True, slots=True)
class Grant:
    """The agreement that allows a call, and the purpose that it is made for."""

    agreement: str
    purpose: str


class Denial(Enum):
    """Why a call is not allowed, though no agreement has to be named for it."""

    CLIENT_SUSPENDED = auto()
    SERVICE_SUSPENDED = auto()
    NO_AGREEMENT = auto()
    OPERATION = auto()
    PURPOSE = auto()
    PURPOSE_NEEDED = auto()


@dataclass(frozen=True, slots=True)
class NotYetValid:
    """The agreement is approved, for a time that has not begun."""

    agreement: str
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """The agreement was requested and is not decided yet."""

    agreement: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The agreement was approved, for a time that is over."""

    agreement: str
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """The agreement was approved, and is revoked."""

    agreement: str


NotInForce: TypeAlias = NotYetValid | Pending | Expired | Revoked
"""There is an agreement between consumer and service, but it is not in force."""


def decide(
    table: RoutingTable,
    service: ServiceRoute,
    operation: str,
    consumer: str,
    purpose: str | None,
    now: datetime,
) -> Grant | Denial | NotInForce:
    """Decide one call of an authenticated consumer.

    Of several agreements that allow it, the oldest is taken (by `valid_from`, then id). Without a stated
    purpose an agreement is suitable when it allows exactly one. An agreement in force that does not allow the
    call decides the reason; only where none is in force, the consumer is told of one that is not.
    """
    if consumer not in table.active_systems:
        return Denial.CLIENT_SUSPENDED if consumer in table.suspended_systems else Denial.NO_AGREEMENT
    if not service.active or service.system_id not in table.active_systems:
        return Denial.SERVICE_SUSPENDED
    key = consumer, service.id
    rules = table.agreements.get(key, ())
    denial = None
    for rule in rules:
        if not rule.valid_from <= now < rule.valid_to:
            continue
        if rule.operations is not None and operation not in rule.operations:
            denial = denial or Denial.OPERATION
            continue
        stated = purpose if purpose is not None else _only_purpose(rule)
        if stated is not None and stated in rule.purposes:
            return Grant(rule.id, stated)
        denial = Denial.PURPOSE if purpose is not None else Denial.PURPOSE_NEEDED
    return denial or _not_in_force(table, key, now) or Denial.NO_AGREEMENT


def _not_in_force(table: RoutingTable, key: tuple[str, str], now: datetime) -> NotInForce | None:
    """The agreement that is nearest to being in force.

    One that lacks only time comes before one that somebody has to decide on, and that before those that would
    have to be requested again, of which the one that lasted longest comes first.
    """
    rules, unapproved = table.agreements.get(key, ()), table.unapproved.get(key, ())
    future = [rule for rule in rules if now < rule.valid_from]
    if future:
        first = min(future, key=lambda rule: rule.valid_from)
        return NotYetValid(first.id, first.valid_from)
    for agreement in unapproved:
        if not agreement.revoked:
            return Pending(agreement.id)
    if rules:
        last = max(rules, key=lambda rule: rule.valid_to)
        return Expired(last.id, last.valid_to)
    return Revoked(unapproved[0].id) if unapproved else None


def _only_purpose(rule: AgreementRule) -> str | None:
    return rule.purposes[0] if len(rule.purposes) == 1 else None
