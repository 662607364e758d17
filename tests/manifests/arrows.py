"""Which pods may talk to which, as the network policies say: both ends have to allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.manifests.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.manifests.cluster import Workload
    from tests.manifests.rendering import Manifest

OUTSIDE = "outside"
Arrow = tuple[str, str, str]


def arrows(manifests: Sequence[Manifest]) -> set[Arrow]:
    """All allowed (from, to, port name) between workloads, and from and to the outside."""
    cluster = Cluster(manifests)
    policies = [policy["spec"] for policy in cluster.of_kind("NetworkPolicy")]
    workloads = list(cluster.workloads().values())
    found: set[Arrow] = set()
    for target in workloads:
        for port in target.ports:
            if _arrives(policies, target, port, None):
                found.add((OUTSIDE, target.name, port))
            found |= {
                (source.name, target.name, port)
                for source in workloads
                if _arrives(policies, target, port, source) and _leaves(policies, source, target, port)
            }
    for source in workloads:
        found |= {(source.name, OUTSIDE, port) for port in _outwards(policies, source)}
    return found


def _arrives(
    policies: Iterable[Mapping[str, Any]], target: Workload, port: str, source: Workload | None
) -> bool:
    mine = [policy for policy in _applying(policies, target) if "Ingress" in policy["policyTypes"]]
    if not mine:
        return True
    rules = [rule for policy in mine for rule in policy.get("ingress", [])]
    return any(_peer(rule.get("from"), source) and _port(rule, target, port) for rule in rules)


def _leaves(policies: Iterable[Mapping[str, Any]], source: Workload, target: Workload, port: str) -> bool:
    mine = [policy for policy in _applying(policies, source) if "Egress" in policy["policyTypes"]]
    if not mine:
        return True
    rules = [rule for policy in mine for rule in policy.get("egress", [])]
    return any(
        (_peer(rule.get("to"), target) or _blocks(rule)) and _port(rule, target, port) for rule in rules
    )


def _outwards(policies: Iterable[Mapping[str, Any]], source: Workload) -> Iterator[str]:
    """Ports, or `any`, at which a workload may reach addresses outside."""
    mine = [policy for policy in _applying(policies, source) if "Egress" in policy["policyTypes"]]
    if not mine:
        yield "any"
    for policy in mine:
        for rule in policy.get("egress", []):
            if _blocks(rule) or not rule.get("to"):
                yield from (str(port["port"]) for port in rule["ports"]) if "ports" in rule else ("any",)


def _applying(policies: Iterable[Mapping[str, Any]], workload: Workload) -> Iterator[Mapping[str, Any]]:
    return (policy for policy in policies if _selects(policy["podSelector"], workload))


def _peer(peers: Sequence[Mapping[str, Any]] | None, workload: Workload | None) -> bool:
    if not peers:
        return True
    return workload is not None and any(
        "podSelector" in peer and "namespaceSelector" not in peer and _selects(peer["podSelector"], workload)
        for peer in peers
    )


def _blocks(rule: Mapping[str, Any]) -> bool:
    return any("ipBlock" in peer for peer in rule.get("to", []))


def _port(rule: Mapping[str, Any], target: Workload, port: str) -> bool:
    return "ports" not in rule or any(one["port"] in {port, target.ports[port]} for one in rule["ports"])


def _selects(selector: Mapping[str, Any], workload: Workload) -> bool:
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    if not wanted.items() <= workload.labels.items():
        return False
    return all(
        expression["operator"] == "In" and workload.labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )
