"""Which pods may talk to which, as the network policies say: both ends have to allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.manifests.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.manifests.cluster import Workload
    from tests.manifests.rendering import Manifest

ANYWHERE = "anywhere"
EDGE = "edge"
NAMES = "names"
Arrow = tuple[str, str, str]
Policy = dict[str, Any]
Rule = dict[str, Any]

_OUTSIDERS: tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...] = (
    (EDGE, {"lienthong/edge": "true"}, {}),
    (NAMES, {"kubernetes.io/metadata.name": "kube-system"}, {"k8s-app": "kube-dns"}),
)


def arrows(manifests: Sequence[Manifest]) -> set[Arrow]:
    """All allowed (from, to, port): between workloads by the port's name, to the outside by its number.

    A block of addresses is taken to cover every pod too, as some network plugins have it.
    """
    cluster = Cluster(manifests)
    policies: list[Policy] = [policy["spec"] for policy in cluster.of_kind("NetworkPolicy")]
    workloads = list(cluster.workloads().values())
    found: set[Arrow] = set()
    for target in workloads:
        arriving = _rules(policies, target, "ingress")
        for port, number in target.ports.items():
            rules = [rule for rule in arriving if _port(rule, number)]
            found |= {(who, target.name, port) for rule in rules for who in _outsiders(rule.get("from"))}
            found |= {
                (source.name, target.name, port)
                for source in workloads
                if any(_names(rule.get("from"), source) for rule in rules)
                and any(
                    _names(rule.get("to"), target) and _port(rule, number)
                    for rule in _rules(policies, source, "egress")
                )
            }
    for source in workloads:
        for rule in _rules(policies, source, "egress"):
            found |= {
                (source.name, who, port) for who in _outsiders(rule.get("to")) for port in _numbers(rule)
            }
    return found


def named_ports(manifests: Sequence[Manifest]) -> set[str]:
    """Ports of policies that are names, which not every network plugin resolves."""
    return {
        port["port"]
        for policy in Cluster(manifests).of_kind("NetworkPolicy")
        for way in ("ingress", "egress")
        for rule in policy["spec"].get(way, [])
        for port in rule.get("ports", [])
        if not isinstance(port["port"], int)
    }


def _rules(policies: Sequence[Policy], workload: Workload, way: str) -> list[Rule]:
    """The rules that hold for a workload; where no policy of that way selects it, all is allowed."""
    mine = [
        policy
        for policy in policies
        if way.capitalize() in policy["policyTypes"] and _selects(policy["podSelector"], workload)
    ]
    return [rule for policy in mine for rule in policy.get(way, [])] if mine else [{}]


def _names(peers: Sequence[Mapping[str, Any]] | None, workload: Workload) -> bool:
    """Whether the peers of a rule cover a pod of ours."""
    return not peers or any(
        "ipBlock" in peer or ("namespaceSelector" not in peer and _selects(peer["podSelector"], workload))
        for peer in peers
    )


def _outsiders(peers: Sequence[Mapping[str, Any]] | None) -> Iterator[str]:
    """Whom outside the namespace the peers of a rule cover."""
    if not peers:
        yield ANYWHERE
    for peer in peers or ():
        if "ipBlock" in peer:
            yield ANYWHERE
        elif "namespaceSelector" in peer:
            space = peer["namespaceSelector"].get("matchLabels", {})
            pods = peer.get("podSelector", {}).get("matchLabels", {})
            known = [who for who, *labels in _OUTSIDERS if labels == [space, pods]]
            yield known[0] if known else f"namespaces {space} pods {pods}"


def _port(rule: Rule, number: int) -> bool:
    return "ports" not in rule or any(
        one["port"] == number and one["protocol"] == "TCP" for one in rule["ports"]
    )


def _numbers(rule: Rule) -> set[str]:
    return {str(port["port"]) for port in rule["ports"]} if "ports" in rule else {"any"}


def _selects(selector: Mapping[str, Any], workload: Workload) -> bool:
    wanted: Mapping[str, str] = selector.get("matchLabels", {})
    if not wanted.items() <= workload.labels.items():
        return False
    return all(
        expression["operator"] == "In" and workload.labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )
