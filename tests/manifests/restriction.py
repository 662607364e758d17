"""What a pod may do (Pod Security `restricted`, and less), and that no manifest holds a secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    pod, container = workload.pod, workload.container
    if pod.get("securityContext") != POD:
        yield "the pod's securityContext is too wide"
    if container.get("securityContext") != CONTAINER:
        yield "the container's securityContext is too wide"
    for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "initContainers"):
        if pod.get(shared):
            yield f"it has {shared}"
    if any("hostPort" in port for port in container["ports"]):
        yield "it takes a port of its machine"
    for volume in pod.get("volumes", []):
        if kinds := volume.keys() - VOLUMES - {"name"}:
            yield f"volume {volume['name']} is of kind {', '.join(kinds)}"
    if pod.get("enableServiceLinks") is not False or pod.get("automountServiceAccountToken") is not False:
        yield "it is given service links or a token of the cluster"
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get(
        "limits", {}
    ):
        yield "it has no resource requests or no memory limit"


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
        for container in pod.get("containers", []):
            values |= {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
        found += [f"{name}: {key} stands in it" for key in values if _SECRET_NAME.search(key)]
    return found
