"""Whether the data that an agreement is about are personal, so that two people approve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.services.domain.service import ServiceResource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lienthong.catalog.domain.resources import Resource, ServiceOperation
    from lienthong.kit.json_text import JsonObject


def is_personal(target: Resource, operations: Collection[str] | None) -> bool:
    """Tell whether some operations of a service are about people, or an event type is.

    `operations` are those of the agreement, None for all. What the provider says with `personalData` counts;
    where it says nothing, an operation is that names a person (`x-lgsp-person`).
    """
    offered = target.operations if isinstance(target, ServiceResource) else ()
    return declared_personal(target.spec, offered, operations)


def declared_personal(
    spec: JsonObject, offered: Iterable[ServiceOperation], operations: Collection[str] | None
) -> bool:
    """Tell the same of the spec of what is provided, and the operations that its document offers."""
    stated = spec.get("personalData")
    if stated is not None:
        return bool(stated)
    return any(one.persons is not None for one in offered if operations is None or one.id in operations)
