"""The gateway's routing table as plain values, for golden files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.problems.not_in_force import Pending

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lienthong.gateway.table import RoutingTable, ServiceRoute
    from lienthong.kit.field_paths import FieldTree


def leaving(part: FieldTree) -> str | dict[str, Any]:
    """What leaves of a value, as plain values."""
    if part.whole:
        return "whole"
    wild = {"*": part.every, "[*]": part.elements}
    parts = part.members | {name: each for name, each in wild.items() if each is not None}
    return {name: leaving(each) for name, each in parts.items()}


# By their names: compiled, the class has no list of its slots.
_TIME_LIMITS = ("connect_s", "first_byte_s", "idle_s", "total_s")
_CIRCUIT = (
    "failures", "unreachable", "percent", "minimum", "window_s", "rest_s", "trials", "statuses", "refuses",
)  # fmt: skip
_CHECKS = ("path", "interval_s", "timeout_s", "statuses", "healthy_after", "unhealthy_after")
_BULKHEAD = ("calls", "waiting", "wait_s")


def _resilience(route: ServiceRoute) -> dict[str, Any]:
    """What a service declares of weights, breaker, bulkhead and health checks."""
    upstreams = route.upstreams
    weights = [address.weight for address in upstreams.addresses]
    found: dict[str, Any] = {"weights": weights} if set(weights) > {1} else {}
    parts = (
        ("circuit", upstreams.circuit if upstreams.circuit.refuses else None, _CIRCUIT),
        ("checks", upstreams.checks, _CHECKS),
        ("bulkhead", route.bulkhead, _BULKHEAD),
    )
    for part, terms, names in parts:
        if terms is not None:
            found[part] = {name: _plain(getattr(terms, name)) for name in names}
    if (repeatable := route.repeatable) is not None:
        found["idempotency"] = {"required": repeatable.required, "retain_s": repeatable.retain_s}
    return found


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.decode() if isinstance(value, bytes) else value


def described(table: RoutingTable, probes: Iterable[str]) -> dict[str, Any]:
    """A table, with the operation that each probe such as `GET /parcels/1` finds in each service."""

    def operation(route: ServiceRoute, probe: str) -> str | None:
        method, path = probe.split(" ")
        methods = route.operations.find([segment.encode() for segment in path[1:].split("/")])
        if methods is None:
            return None
        return methods[method].id if method in methods else f"405 {sorted(methods)}"

    state = table.state
    systems = state.ids(routes_pb2.RESOURCE_KIND_SYSTEM)
    services = {
        name: route
        for name in state.ids(routes_pb2.RESOURCE_KIND_SERVICE)
        if (route := table.service(name.encode())) is not None
    }
    pairs = sorted(key.decode().split("\0") for key, _ in state.agreements.items())
    agreements = {(consumer, target): table.agreements(consumer, target) for consumer, target in pairs}
    return {
        "version": state.version,
        "active_systems": [system for system in systems if table.is_active(system)],
        "suspended_systems": [system for system in systems if not table.is_active(system)],
        "services": {
            name: {
                "system": route.system_id,
                "active": route.active,
                "upstreams": [address.text for address in route.upstreams.addresses],
                **_resilience(route),
                "timeouts_s": {name: getattr(route.limits, name) for name in _TIME_LIMITS},
                "max_request_bytes": route.max_request_bytes,
                "write_ahead": route.write_ahead,
                "assertion": route.assertion,
                "requires": sorted(statement.value for statement in route.requires),
                **({"limits": asdict(route.agreement_limits)} if route.agreement_limits is not None else {}),
                "operations": {probe: operation(route, probe) for probe in probes},
            }
            for name, route in services.items()
        },
        "agreements": {
            f"{consumer} -> {service}": [
                {
                    "id": rule.id,
                    "operations": sorted(rule.operations) if rule.operations is not None else None,
                    "purposes": list(rule.purposes),
                    "valid_from": rule.valid_from.isoformat(),
                    "valid_to": rule.valid_to.isoformat(),
                    "requires": sorted(statement.value for statement in rule.requires),
                    **({"limits": asdict(rule.limits)} if rule.limits is not None else {}),
                    **({"hours": str(rule.hours)} if rule.hours is not None else {}),
                    **(
                        {"fields": {n: leaving(part) for n, part in rule.fields.items()}}
                        if rule.fields
                        else {}
                    ),
                }
                for rule in found.rules
            ]
            for (consumer, service), found in agreements.items()
            if found.rules
        },
        "unapproved": {
            f"{consumer} -> {service}": {
                one.id: "requested" if isinstance(one.reason, Pending) else type(one.reason).__name__.lower()
                for one in found.unapproved
            }
            for (consumer, service), found in agreements.items()
            if found.unapproved
        },
    }
