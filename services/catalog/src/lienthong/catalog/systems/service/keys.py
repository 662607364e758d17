"""The public keys of one system: adding one, and retiring one, so that they overlap in between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lienthong.catalog import errors
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation, raise_for
from lienthong.catalog.schemas.specs import unportable, validate
from lienthong.catalog.service.unit_of_work import AuditEntry
from lienthong.catalog.systems.domain.key_ends import end_of, past_end
from lienthong.catalog.systems.domain.public_keys import thumbprint_of, violations
from lienthong.catalog.systems.domain.shared_factors import rsa_keys
from lienthong.catalog.systems.schemas import NewKey
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from lienthong.catalog.service.unit_of_work import UnitOfWork, UnitsOfWork
    from lienthong.catalog.systems.domain.system import SystemResource
    from lienthong.catalog.systems.service.factors import KeyComparison
    from lienthong.kit.actors import Actor
    from lienthong.kit.json_text import Json

_LONGEST_THUMBPRINT = 100


class SystemKeys:
    """Changes the keys of a system one at a time. Whether the actor may is asked before."""

    def __init__(self, units: UnitsOfWork, comparison: KeyComparison) -> None:
        self._units = units
        self._comparison = comparison

    async def add(
        self, system_id: str, body: Json, actor: Actor, stated_version: int | None = None
    ) -> tuple[SystemResource, bool]:
        """Add a key, beside those that there are; returns the system, and whether the key is new.

        Raises:
            ProblemError: `invalid-manifests`, it is no public key that can be registered; `too-costly`;
                `unknown-resource`; `changed-since`; `conflict`, the system has as many keys as it may, or
                another under this `kid`.
        """
        raise_for(unportable(body))
        wanted, wrong = validate(NewKey, body, ())
        raise_for(wrong)
        assert wanted is not None  # noqa: S101 - it has no violations
        alone = {"keys": [wanted.jwk]}
        raise_for([replace(one, path=("jwk", *one.path[2:])) for one in violations(alone)])
        shared = await self._comparison.violations(list(rsa_keys(alone)), actor.name)
        raise_for([replace(one, path=("jwk",)) for one in shared])
        thumbprint = thumbprint_of(wanted.jwk)
        async with self._units.begin(actor) as work:
            before: SystemResource = await work.get((ResourceKind.SYSTEM, system_id))
            keys = _keys(before)
            raise_for([replace(one, path=("jwk", *one.path)) for one in past_end(wanted.jwk, work.now)])
            for index, key in enumerate(keys):
                if thumbprint_of(key) != thumbprint:
                    continue
                if key.get("exp") == wanted.jwk.get("exp"):
                    return before, False
                await work.check_version(before, stated_version)
                keys[index] = _with_end(key, wanted.jwk)
                return await _save(work, before, {"keys": keys}, "system.change-key-end", thumbprint), False
            await work.check_version(before, stated_version)
            jwks = {"keys": [*keys, wanted.jwk]}
            raise_for(
                [
                    Violation(("jwk", *one.path[2:]), one.text, conflict=True)
                    for one in violations(jwks)
                    # An older key may have been registered under older rules: it is not this request's.
                    if len(one.path) < 2 or one.path[1] == len(keys)
                ]
            )
            return await _save(work, before, jwks, "system.add-key", thumbprint), True

    async def retire(
        self, system_id: str, thumbprint: str, actor: Actor, stated_version: int | None = None
    ) -> SystemResource:
        """Retire a key: identity takes nothing that is signed with it any more.

        Raises:
            ProblemError: `unknown-resource`, there is no such system, or it has no such key;
                `changed-since`; `conflict`, it is the last one.
        """
        async with self._units.begin(actor) as work:
            before: SystemResource = await work.get((ResourceKind.SYSTEM, system_id))
            keys = _keys(before)
            left = [key for key in keys if thumbprint_of(key) != thumbprint]
            if len(left) == len(keys):
                raise errors.unknown_resource("key", "khoá", thumbprint[:_LONGEST_THUMBPRINT])
            await work.check_version(before, stated_version)
            if not left:
                raise errors.conflict([_LAST])
            return await _save(work, before, {"keys": left}, "system.retire-key", thumbprint)


_LAST = Violation(
    (),
    BilingualText(
        "it is the last key: add the new one first, and retire this one when the system uses the new one; "
        "where the key is in wrong hands, suspend the system",
        "đây là khoá cuối cùng: hãy thêm khoá mới trước, rồi bỏ khoá này khi hệ thống đã dùng khoá mới; nếu "
        "khoá đã lọt vào tay người khác, hãy tạm ngừng hệ thống",
    ),
    conflict=True,
)


def _with_end(key: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return a key as it is, with the end of another one."""
    same = {name: value for name, value in key.items() if name != "exp"}
    return same | {name: wanted[name] for name in ("exp",) if name in wanted}


def _keys(system: SystemResource) -> list[dict[str, Any]]:
    return list(system.spec["jwks"]["keys"])


async def _save(
    work: UnitOfWork, before: SystemResource, jwks: dict[str, Any], action: str, thumbprint: str
) -> SystemResource:
    version = work.next_version()
    after = replace(before, spec={**before.spec, "jwks": jwks}, version=version, updated_at=work.now)
    await work.resources(ResourceKind.SYSTEM).update(after)
    await work.record_changes({after.key: version})
    detail: dict[str, Any] = {"version": version, "key": thumbprint}
    ends = {thumbprint_of(key): end_of(key) for key in jwks["keys"]}
    if (end := ends.get(thumbprint)) is not None:
        detail["until"] = validity.write(end)
    await work.audit([AuditEntry(action, after.key, detail)])
    return after
