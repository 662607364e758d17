"""What a pod may do (Pod Security `restricted`, and less), and that no manifest holds a secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.manifests.cluster import Workload
    from tests.manifests.rendering import Manifest

VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
"""Of those that `restricted` allows, the ones in use."""
POD = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "fsGroup": 65532,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_SECRET_NAME = re.compile(r"(DATABASE_URL|SECRET|PASSWORD|TOKEN|_KEY)$", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"://[^/\s:@\"]*:(?!\$\()[^/\s@\"]+@|PRIVATE KEY|\"d\\?\": ?\\?\"")


def rights(workload: Workload) -> Iterator[str]:
    """Where a pod may do more than the standard `restricted` allows, or than it needs."""
    pod, containers = workload.pod, [workload.container, *workload.sidecars]
    if pod.get("securityContext") != POD:
        yield "the pod's securityContext is too wide"
    for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(shared):
            yield f"it has {shared}"
    for sidecar in workload.sidecars:
        if sidecar.get("restartPolicy") != "Always":
            yield f"{sidecar['name']} runs before it, not beside it"
    for container in containers:
        yield from _container_rights(container)
    for volume in pod.get("volumes", []):
        if kinds := volume.keys() - VOLUMES - {"name"}:
            yield f"volume {volume['name']} is of kind {', '.join(kinds)}"
    if pod.get("enableServiceLinks") is not False or pod.get("automountServiceAccountToken") is not False:
        yield "it is given service links or a token of the cluster"


def _container_rights(container: Mapping[str, Any]) -> Iterator[str]:
    if container.get("securityContext") != CONTAINER:
        yield f"{container['name']}: its securityContext is too wide"
    if any("hostPort" in port for port in container["ports"]):
        yield f"{container['name']} takes a port of its machine"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get(
        "limits", {}
    ):
        yield f"{container['name']} has no resource requests or no memory limit"


def open_secrets(manifests: Sequence[Manifest]) -> list[str]:
    """Secrets that stand in a manifest, where everyone who reads it reads them."""
    found = []
    for manifest in manifests:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["kind"] == "Secret":
            found.append(f"{name}: Secrets are made outside the manifests")
        if _SECRET_TEXT.search(json.dumps(manifest)):
            found.append(f"{name}: a password or a private key stands in it")
        values = dict(manifest.get("data", {})) if manifest["kind"] == "ConfigMap" else {}
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        for container in [*pod.get("containers", []), *pod.get("initContainers", [])]:
            values |= {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
        found += [f"{name}: {key} stands in it" for key in values if _SECRET_NAME.search(key)]
    return found
