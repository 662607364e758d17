"""Rendered manifests as a cluster would see them: pods with their variables, services, config maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.manifests.rendering import Manifest

NAME = "app.kubernetes.io/name"
PROCESSES = ("gateway", "catalog", "identity", "exchange", "ledger", "console")


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment or StatefulSet, its container, and what runs beside that."""

    manifest: Manifest

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def replicas(self) -> int:
        return int(self.manifest["spec"]["replicas"])

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.manifest["spec"]["template"]["metadata"]["labels"]
        return labels

    @property
    def pod(self) -> Mapping[str, Any]:
        pod: Mapping[str, Any] = self.manifest["spec"]["template"]["spec"]
        return pod

    @property
    def container(self) -> Mapping[str, Any]:
        (container,) = self.pod["containers"]
        found: Mapping[str, Any] = container
        return found

    @property
    def sidecars(self) -> Sequence[Mapping[str, Any]]:
        """Containers that run as long as the pod: init containers that are always restarted."""
        found: Sequence[Mapping[str, Any]] = self.pod.get("initContainers", ())
        return found

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: int(port["containerPort"]) for port in self.container["ports"]}

    @property
    def own_variables(self) -> dict[str, str]:
        """Variables set for this workload alone; what comes from elsewhere stands as its reference."""
        found = {}
        for variable in self.container.get("env", []):
            source = variable.get("valueFrom", {})
            secret = source.get("secretKeyRef")
            if secret:
                found[variable["name"]] = f"secret:{secret['name']}/{secret['key']}"
            elif "fieldRef" in source:
                found[variable["name"]] = f"{self.name}-0"
            else:
                found[variable["name"]] = str(variable["value"])
        return found

    def writable(self) -> list[str]:
        """Paths that the process may write below."""
        kept = {volume["name"] for volume in self.pod.get("volumes", []) if "emptyDir" in volume}
        return [*self._mounted(kept), *self.lasting()]

    def lasting(self) -> list[str]:
        """Paths below which files outlive the pod."""
        claims = self.manifest["spec"].get("volumeClaimTemplates", [])
        kept = {claim["metadata"]["name"] for claim in claims}
        kept |= {one["name"] for one in self.pod.get("volumes", []) if "persistentVolumeClaim" in one}
        return self._mounted(kept)

    def _mounted(self, volumes: set[str]) -> list[str]:
        mounts = self.container.get("volumeMounts", [])
        return [one["mountPath"] for one in mounts if one["name"] in volumes and not one.get("readOnly")]

    def secret_files(self) -> list[str]:
        """Paths of single files that Secrets bring, and folders of Secrets that bring all their keys."""
        volumes = {
            volume["name"]: volume["secret"] for volume in self.pod.get("volumes", []) if "secret" in volume
        }
        found = []
        for mount in self.container.get("volumeMounts", []):
            secret = volumes.get(mount["name"])
            if secret is None:
                continue
            found.append(mount["mountPath"])
            found += [f"{mount['mountPath']}/{item['path']}" for item in secret.get("items", [])]
        return found


@dataclass(frozen=True, slots=True)
class Cluster:
    """All objects of one rendering."""

    manifests: Sequence[Manifest]

    def of_kind(self, kind: str) -> list[Manifest]:
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def workloads(self) -> dict[str, Workload]:
        found = [Workload(one) for kind in ("Deployment", "StatefulSet") for one in self.of_kind(kind)]
        return {workload.name: workload for workload in found}

    def shared_variables(self, workload: Workload) -> dict[str, str]:
        """Variables that come from config maps as a whole."""
        maps = {one["metadata"]["name"]: one["data"] for one in self.of_kind("ConfigMap")}
        found: dict[str, str] = {}
        for source in workload.container.get("envFrom", []):
            found |= maps[source["configMapRef"]["name"]]
        return found

    def addresses(self) -> dict[str, str]:
        """`service:port` to the name of the workload that answers there (`pod.service:port` too)."""
        found: dict[str, str] = {}
        for service in self.of_kind("Service"):
            selected = service["spec"]["selector"]
            for workload in self.workloads().values():
                if not selected.items() <= workload.labels.items():
                    continue
                hosts = [service["metadata"]["name"]]
                hosts += [f"{workload.name}-{n}.{hosts[0]}" for n in range(workload.replicas)]
                for port in service["spec"]["ports"]:
                    if port["targetPort"] in workload.ports:
                        found |= {f"{host}:{port['port']}": workload.name for host in hosts}
        return found
