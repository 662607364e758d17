"""The gateway's routing table as plain values, for golden files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.table import RoutingTable, ServiceRoute


def described(table: RoutingTable, probes: Iterable[str]) -> dict[str, Any]:
    """A table, with the operation that each probe such as `GET /parcels/1` finds in each service."""

    def operation(route: ServiceRoute, probe: str) -> str | None:
        method, path = probe.split(" ")
        methods = route.operations.find([segment.encode() for segment in path[1:].split("/")])
        if methods is None:
            return None
        return methods[method].id if method in methods else f"405 {sorted(methods)}"

    return {
        "version": table.version,
        "active_systems": sorted(table.active_systems),
        "suspended_systems": sorted(table.suspended_systems),
        "services": {
            name.decode(): {
                "system": route.system_id,
                "active": route.active,
                "upstreams": [address.text for address in route.upstreams.addresses],
                "timeout_s": route.timeout_s,
                "max_request_bytes": route.max_request_bytes,
                "write_ahead": route.write_ahead,
                "operations": {probe: operation(route, probe) for probe in probes},
            }
            for name, route in sorted(table.services.items())
        },
        "agreements": {
            f"{consumer} -> {service}": [
                {
                    "id": rule.id,
                    "operations": sorted(rule.operations) if rule.operations is not None else None,
                    "purposes": list(rule.purposes),
                    "valid_from": rule.valid_from.isoformat(),
                    "valid_to": rule.valid_to.isoformat(),
                }
                for rule in rules
            ]
            for (consumer, service), rules in sorted(table.agreements.items())
        },
        "unapproved": {
            f"{consumer} -> {service}": {one.id: "revoked" if one.revoked else "requested" for one in some}
            for (consumer, service), some in sorted(table.unapproved.items())
        },
    }
