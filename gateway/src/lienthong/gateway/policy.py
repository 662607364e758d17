"""May this consumer call this operation for this purpose, now? Deny by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.table import AgreementRule, RoutingTable, ServiceRoute


@dataclass(frozen=True, slots=True)
class Grant:
    """The agreement that lets a call pass, and the purpose it is made for."""

    agreement: str
    purpose: str


class Denial(Enum):
    """Why a call may not pass."""

    CLIENT_SUSPENDED = auto()
    SERVICE_SUSPENDED = auto()
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
    now: datetime,
) -> Grant | Denial:
    """Decide one call.

    Of several agreements that fit, the oldest is taken (by `valid_from`, then id). Without a stated purpose
    an agreement fits when it allows exactly one.
    """
    if consumer not in table.active_systems:
        return Denial.CLIENT_SUSPENDED if consumer in table.suspended_systems else Denial.NO_AGREEMENT
    if not service.active or service.system_id not in table.active_systems:
        return Denial.SERVICE_SUSPENDED
    denial = Denial.NO_AGREEMENT
    for rule in table.agreements.get((consumer, service.id), ()):
        if not rule.valid_from <= now < rule.valid_to:
            continue
        if rule.operations is not None and operation not in rule.operations:
            if denial is Denial.NO_AGREEMENT:
                denial = Denial.OPERATION
            continue
        stated = purpose if purpose is not None else _only_purpose(rule)
        if stated is not None and stated in rule.purposes:
            return Grant(rule.id, stated)
        denial = Denial.PURPOSE if purpose is not None else Denial.PURPOSE_NEEDED
    return denial


def _only_purpose(rule: AgreementRule) -> str | None:
    return rule.purposes[0] if len(rule.purposes) == 1 else None
