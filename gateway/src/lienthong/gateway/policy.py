"""May this consumer call this operation for this purpose, now? Everything is denied unless allowed."""

from __future__ import annotations

from enum import Enum, auto
from itertools import chain
from typing import TYPE_CHECKING, Final

from lienthong.gateway.context import unstated
from lienthong.kit.field_paths import EVERY_OPERATION, FieldTree
from lienthong.kit.problems.not_in_force import Expired, NotYetValid, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lienthong.gateway.context import CallContext, Statement
    from lienthong.gateway.limits.terms import Limits
    from lienthong.gateway.table import AgreementRule, Agreements, RoutingTable, ServiceRoute
    from lienthong.kit.problems.not_in_force import NotInForce


_NOTHING: Final = FieldTree()


class Grant:
    """The agreement that allows a call, the purpose that it is made for, and how much may be used."""

    __slots__ = ("agreement", "fields", "limits", "purpose")

    def __init__(
        self, agreement: str, purpose: str, limits: Limits | None = None, fields: FieldTree | None = None
    ) -> None:
        self.agreement = agreement
        self.purpose = purpose
        self.limits = limits
        self.fields = fields
        """What leaves of the answer; None: all of it."""


class Unstated:
    """An agreement would allow the call if it stated what the service or the agreement requires."""

    __slots__ = ("missing",)

    def __init__(self, missing: list[Statement]) -> None:
        self.missing = missing


class Closed:
    """An agreement would allow the call at another hour; `opens` is the next one, in its time zone."""

    __slots__ = ("agreement", "opens")

    def __init__(self, agreement: str, opens: datetime) -> None:
        self.agreement = agreement
        self.opens = opens


class Denial(Enum):
    """Why a call is not allowed, other than for want of a statement, an hour or an agreement in force."""

    CLIENT_SUSPENDED = auto()
    SERVICE_SUSPENDED = auto()
    SERVICE_RETIRED = auto()
    NO_AGREEMENT = auto()
    OPERATION = auto()
    PURPOSE = auto()
    PURPOSE_NEEDED = auto()


def decide(
    table: RoutingTable,
    service: ServiceRoute,
    operation: str,
    consumer: str,
    purpose: str | None,
    context: CallContext,
    now: datetime,
    *,
    bound: bool,
) -> Grant | Denial | Unstated | Closed | NotInForce:
    """Decide one call of an authenticated consumer.

    Of several agreements that allow it, the oldest is taken (by `valid_from`, then id). Without a stated
    purpose an agreement is suitable when it allows exactly one, and neither it nor the service requires that
    the purpose is stated; `context` has what else they may require, and `bound` says whether
    the call's token is bound to the caller. An agreement in force that does not allow
    the call gives the reason, first of all one that only lacks a statement, then one that is closed at this
    hour; one that is not in force is reported only where none is in force.
    """
    active = table.is_active(consumer)
    if not active:
        return Denial.NO_AGREEMENT if active is None else Denial.CLIENT_SUSPENDED
    if not service.active or not table.is_active(service.system_id):
        return Denial.SERVICE_SUSPENDED
    if service.ending is not None and service.ending.is_over(now):
        return Denial.SERVICE_RETIRED
    agreements = table.agreements(consumer, service.id)
    denial: Denial | None = None
    lacking: Unstated | None = None
    closed: Closed | None = None
    for rule in agreements.rules:
        if not rule.valid_from <= now < rule.valid_to:
            continue
        if rule.operations is not None and operation not in rule.operations:
            denial = denial or Denial.OPERATION
            continue
        if purpose is not None and purpose not in rule.purposes:
            denial = Denial.PURPOSE
            continue
        if (service.requires or rule.requires) and (
            missing := unstated(service.requires | rule.requires, purpose, context, bound=bound)
        ):
            lacking = lacking or Unstated(missing)
            continue
        stated = purpose if purpose is not None else _only_purpose(rule)
        if stated is not None:
            if rule.hours is not None and not rule.hours.is_open(now):
                opens = rule.hours.opens(now)
                if closed is None or opens < closed.opens:
                    closed = Closed(rule.id, opens.astimezone(rule.hours.zone))
                continue
            fields = None if rule.fields is None else _fields(rule.fields, operation)
            return Grant(rule.id, stated, rule.limits, fields)
        denial = Denial.PURPOSE_NEEDED
    return lacking or closed or denial or _not_in_force(agreements, now) or Denial.NO_AGREEMENT


def allowed_operations(
    table: RoutingTable, service: ServiceRoute, consumer: str, now: datetime
) -> frozenset[str] | None:
    """The ids of operations that agreements in force allow a consumer, whatever the purpose; None: all."""
    if not table.is_active(consumer) or (service.ending is not None and service.ending.is_over(now)):
        return frozenset()
    found: frozenset[str] = frozenset()
    for rule in table.agreements(consumer, service.id).rules:
        if rule.valid_from <= now < rule.valid_to:
            if rule.operations is None:
                return None
            found |= rule.operations
    return found


def _fields(fields: Mapping[str, FieldTree], operation: str) -> FieldTree:
    """What leaves of the answers of an operation: nothing where the agreement says nothing of it."""
    return fields.get(operation) or fields.get(EVERY_OPERATION) or _NOTHING


def _not_in_force(agreements: Agreements, now: datetime) -> NotInForce | None:
    """The agreement to report where none is in force; None if there is none at all."""
    approved = (
        NotYetValid(rule.id, rule.valid_from) if now < rule.valid_from else Expired(rule.id, rule.valid_to)
        for rule in agreements.rules
    )
    unapproved = (agreement.reason for agreement in agreements.unapproved)
    return nearest(chain(approved, unapproved))


def _only_purpose(rule: AgreementRule) -> str | None:
    return rule.purposes[0] if len(rule.purposes) == 1 else None
