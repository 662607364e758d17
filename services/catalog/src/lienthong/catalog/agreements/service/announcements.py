"""Consumers are told when a service that they have agreements on is deprecated, retired or goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.catalog import events
from lienthong.catalog.agreements.repository.agreements import AgreementRepository
from lienthong.catalog.service.unit_of_work import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.catalog.service.unit_of_work import UnitOfWork
    from lienthong.catalog.services.domain.service import ServiceResource

_CONSUMERS_AT_ONCE = 500
_MOST_RECORDED = 50
VERBS: Mapping[str, str] = {
    "draft": "send-back",
    "in-review": "submit",
    "published": "publish",
    "deprecated": "deprecate",
    "retired": "retire",
}
"""What is done with a service that comes into a stage, as audit records name it."""


async def announce_stage(work: UnitOfWork, service: ServiceResource, before: str, version: int) -> None:
    """Write what tells the consumers with open agreements of a service's stage: events, and an audit record.

    `before` is the stage until now, the same where its dates changed; `version` is that of the change.
    """
    consumers = await AgreementRepository(work.session).consumers_of(service.id)
    stated = service.spec.get("lifecycle", {"stage": service.lifecycle.stage.value})
    for start in range(0, len(consumers), _CONSUMERS_AT_ONCE):
        some = consumers[start : start + _CONSUMERS_AT_ONCE]
        await work.publish(
            events.subject(service.kind.value), events.stage_changed(version, service.id, stated, some)
        )
    detail: dict[str, Any] = {"version": version, "before": before, **stated}
    if consumers:
        detail["consumers"] = consumers[:_MOST_RECORDED]
    if len(consumers) > _MOST_RECORDED:
        detail["more_consumers"] = len(consumers) - _MOST_RECORDED
    await work.audit([AuditEntry(f"service.{VERBS[stated['stage']]}", service.key, detail)])
