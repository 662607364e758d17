"""Resources built of what manifests say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.agreements.domain.agreement import AgreementResource
from lienthong.catalog.domain.resources import Resource, ResourceKind
from lienthong.catalog.services.domain.service import ServiceResource
from lienthong.catalog.systems.domain.system import SystemResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.catalog.domain.resources import ServiceOperation
    from lienthong.kit.json_text import JsonObject

_APART: Final = frozenset(("openapi", "wsdl", "status"))
"""Members of a spec that are kept in columns of their own."""


def built(
    kind: ResourceKind,
    spec: JsonObject,
    operations: Sequence[ServiceOperation],
    members: Mapping[str, Any],
) -> Resource:
    """Build a resource of its spec in canonical form; `members` are those that no spec has."""
    kept = {name: value for name, value in spec.items() if name not in _APART}
    match kind:
        case ResourceKind.AGENCY:
            return AgencyResource(spec=kept, **members)
        case ResourceKind.SYSTEM:
            return SystemResource(spec=kept, **members)
        case ResourceKind.SERVICE:
            return ServiceResource(
                spec=kept,
                openapi=spec.get("openapi"),
                wsdl=spec.get("wsdl"),
                operations=tuple(operations),
                **members,
            )
        case ResourceKind.EVENT_TYPE:
            return Resource(kind=kind, spec=kept, **members)
        case ResourceKind.AGREEMENT:
            return AgreementResource(spec=kept, **members)
