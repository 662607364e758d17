"""What the catalog does with systems: it shows them, suspends them and lets them take part again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.service.resources import ResourceService
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.systems.domain.system import SystemResource

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.kit.actors import Actor

    _Changed = Callable[[SystemResource, Actor], SystemResource]

_PROVIDED_KINDS = (ResourceKind.SERVICE, ResourceKind.EVENT_TYPE)


class SystemService(ResourceService[SystemResource]):
    """Shows systems and changes their status."""

    kind: ClassVar = ResourceKind.SYSTEM

    async def suspend(
        self, resource_id: str, actor: Actor, stated_version: int | None = None
    ) -> SystemResource:
        """Suspend a system, with everything that it provides.

        Raises:
            ProblemError: `unknown-resource`, there is no such system; `changed-since`, it has another version
                than was stated.
        """
        return await self._change(
            resource_id, SystemResource.suspended, "system.suspend", actor, stated_version
        )

    async def resume(
        self, resource_id: str, actor: Actor, stated_version: int | None = None
    ) -> SystemResource:
        """Let a suspended system take part again, with everything that it provides.

        Raises:
            ProblemError: `unknown-resource`, there is no such system; `changed-since`;
                `suspended-by-platform`, it is not for the actor to say.
        """
        return await self._change(resource_id, SystemResource.resumed, "system.resume", actor, stated_version)

    async def _change(
        self, resource_id: str, changed: _Changed, action: str, actor: Actor, stated_version: int | None
    ) -> SystemResource:
        async with self._units.begin(actor) as work:
            before: SystemResource = await work.get((self.kind, resource_id))
            after = changed(before, actor)
            if after is before:
                return before
            await work.check_version(before, stated_version)
            version = work.next_version()
            after = replace(after, version=version, updated_at=work.now)
            await work.resources(self.kind).update(after)
            versions = {after.key: version}
            if after.status != before.status:
                for kind in _PROVIDED_KINDS:
                    for provided in await work.resources(kind).find_ids({"system": [resource_id]}):
                        versions[kind, provided] = work.next_version()
            await work.record_changes(versions)
            detail = {"version": version, "suspended_by": after.suspended_by or before.suspended_by}
            await work.audit([AuditEntry(action, after.key, detail)])
            return after
