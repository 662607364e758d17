"""Where manifests and processes disagree: variables, ports, commands, files, time to end."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lienthong.gateway.background import DRAIN_S as GATEWAY_DRAIN_S
from lienthong.kit.process import _GRACE as SERVICE_DRAIN_S
from lienthong.kit.settings import Settings
from tests.manifests.cluster import NAME, PROCESSES, Cluster
from tests.manifests.restriction import open_secrets, rights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.manifests.cluster import Workload
    from tests.manifests.rendering import Manifest

PREFIX = "LIENTHONG_"
NEVER_IN_A_SERVICE = {"health", "monitor", "edge-health"}
HEALTH_PATHS = {"/health/live", "/health/ready"}
# Who serves gRPC: whose bootstrap registers a service.
SERVES_RPC = {"catalog", "identity", "ledger"}
# Who knows neither the bus nor the others' gRPC, and has no key to either.
ASKS_THE_GATEWAY_ALONE = {"console"}
# Which setting is reached how: the address must lead to that process, on that port.
ADDRESSES = {
    "catalog_rpc": ("catalog", "rpc"),
    "identity_rpc": ("identity", "rpc"),
    "ledger_rpc": ("ledger", "rpc"),
    "catalog_url": ("catalog", "http"),
    "identity_url": ("identity", "http"),
    "exchange_url": ("exchange", "http"),
    "ledger_url": ("ledger", "http"),
}
OWN_ADDRESSES = {"console": {"console_gateway_url": ("gateway", "http")}}


def mistakes_between(manifests: Sequence[Manifest]) -> list[str]:
    """Every disagreement between rendered manifests and the processes that they start."""
    cluster = Cluster(manifests)
    workloads = cluster.workloads()
    mistakes = open_secrets(manifests)
    mistakes += [f"there is no workload {name}" for name in {*PROCESSES, "nats"} - workloads.keys()]
    for workload in workloads.values():
        if workload.name in PROCESSES:
            found = [*_command(workload), *_variables(cluster, workload), *_health(workload), *_end(workload)]
        else:
            found = []
        found += [*rights(workload), *_services(cluster, workload), *_budget(cluster, workload)]
        mistakes += [f"{workload.name}: {mistake}" for mistake in found]
    return mistakes


def settings_class(process: str) -> type[Settings]:
    """The settings class that a process reads."""
    module = importlib.import_module(f"lienthong.{process}.settings")
    found: type[Settings] = getattr(module, f"{process.capitalize()}Settings")
    return found


def settings_of(cluster: Cluster, workload: Workload) -> Settings:
    """The settings as the process in that pod would read them."""
    variables = cluster.shared_variables(workload) | workload.own_variables
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): "sqlite:///stand-in" if value.startswith("secret:") else value
        for name, value in variables.items()
        if name.startswith(PREFIX)
    }
    return settings_class(workload.name)(**values)


def _command(workload: Workload) -> Iterator[str]:
    command: list[str] = workload.container["command"]
    if command[:2] != ["python", "-m"] or len(command) != 3:
        yield f"the command {command} does not start a module"
        return
    try:
        found = importlib.util.find_spec(f"{command[2]}.__main__")
    except ModuleNotFoundError:
        found = None
    if found is None:
        yield f"there is no module {command[2]} to start"
    elif command[2] != f"lienthong.{workload.name}":
        yield f"it starts {command[2]}"


def _variables(cluster: Cluster, workload: Workload) -> Iterator[str]:
    known = {f"{PREFIX}{field.upper()}" for field in settings_class(workload.name).model_fields}
    common = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    shared = cluster.shared_variables(workload)
    for name in shared.keys() - common:
        yield f"{name} is for all processes, but not all know it"
    for name in workload.own_variables.keys() - known:
        yield f"{name} is a variable that the process does not read"
    try:
        settings = settings_of(cluster, workload)
    except ValidationError as error:
        yield f"the process would refuse its variables: {error}"
        return
    yield from _ports(workload, settings)
    yield from _targets(cluster, settings, ADDRESSES | OWN_ADDRESSES.get(workload.name, {}))
    yield from _files(workload, settings)


def _ports(workload: Workload, settings: Settings) -> Iterator[str]:
    expected = {"http": settings.port(workload.name), "health": settings.health_port(workload.name)}
    if workload.name in SERVES_RPC:
        expected["rpc"] = settings.rpc_port(workload.name)
    if workload.name == "identity":
        expected["people"] = settings.people_port
    if workload.ports != expected:
        yield f"ports {workload.ports}, but the process listens on {expected}"
    if settings.host != "0.0.0.0":  # noqa: S104 - a pod that listens on its loopback alone answers nobody
        yield f"it listens on {settings.host} only"


def _targets(cluster: Cluster, settings: Settings, addresses: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    answering = cluster.addresses()
    workloads = cluster.workloads()
    for field, (process, port) in addresses.items():
        address = str(getattr(settings, field)).removeprefix("http://")
        number = address.rpartition(":")[2]
        if answering.get(address) != process or workloads[process].ports.get(port) != int(number):
            yield f"{field} is {address}, where {process} does not answer"
    for server in settings.nats_url.split(","):
        if answering.get(server.removeprefix("nats://")) != "nats":
            yield f"nats_url names {server}, where NATS does not answer"
    if settings.nats_replicas > workloads["nats"].replicas:
        yield f"streams want {settings.nats_replicas} servers, there are {workloads['nats'].replicas}"


def _files(workload: Workload, settings: Settings) -> Iterator[str]:
    fields: Mapping[str, Any] = settings.model_dump()
    secret = workload.secret_files()
    for name, value in fields.items():
        if workload.name in ASKS_THE_GATEWAY_ALONE and name in {"nats_key_file", "rpc_dir"}:
            continue
        if name.endswith("_key_file") and str(value).rpartition("/")[0] not in secret:
            yield f"{name} is {value}, which no Secret brings"
        if name in {"rpc_dir", "console_credentials_dir"} and str(value) not in secret:
            yield f"{name} is {value}, which no Secret brings"
        if name.endswith(("state_dir", "home")) and not _below(str(value), workload.writable()):
            yield f"{name} is {value}, which cannot be written"
        if name.endswith("_bootstrap_dir") and value is not None:
            needed = {
                f"{value}/{who}/{what}"
                for who in ("operator", "auditor", "console")
                for what in ("client.json", "key.jwk")
            }
            for path in sorted(needed - set(secret)):
                yield f"{path} is missing: identity would try to write it"
    yield from _database(workload, str(fields.get(f"{workload.name}_database_url", "")))


def _database(workload: Workload, url: str) -> Iterator[str]:
    """An address comes from the Secret, under its own name; without one there is SQLite, and one process."""
    variable = f"{PREFIX}{workload.name.upper()}_DATABASE_URL"
    given = workload.own_variables.get(variable)
    if given is not None and given != f"secret:lienthong-database/{variable}":
        yield f"{variable} does not come from its Secret"
    if given is not None or not url:
        return
    if not _below(url.removeprefix("sqlite+aiosqlite:///"), workload.lasting()):
        yield f"its database {url} does not outlive the pod"
    if workload.replicas != 1 or workload.manifest["spec"].get("strategy") != {"type": "Recreate"}:
        yield "two processes would share one SQLite file"


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _health(workload: Workload) -> Iterator[str]:
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = workload.container.get(probe, {}).get("httpGet")
        if asked is None:
            yield f"it has no {probe}"
        elif asked["port"] != "health" or asked["path"] not in HEALTH_PATHS:
            yield f"{probe} asks {asked['path']} on port {asked['port']}"
    ready = workload.container.get("readinessProbe", {}).get("httpGet", {}).get("path")
    live = workload.container.get("livenessProbe", {}).get("httpGet", {}).get("path")
    if (ready, live) != ("/health/ready", "/health/live"):
        yield f"readiness asks {ready} and liveness {live}"


def _end(workload: Workload) -> Iterator[str]:
    """A pod is not killed while it finishes calls, cancels its work and closes what it has open."""
    pause = workload.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    needed = pause + max(2 * SERVICE_DRAIN_S, 2 * GATEWAY_DRAIN_S)
    allowed = workload.pod["terminationGracePeriodSeconds"]
    if allowed < needed:
        yield f"it is killed after {allowed} s, but may need {needed:g} s"


def _services(cluster: Cluster, workload: Workload) -> Iterator[str]:
    for service in cluster.of_kind("Service"):
        if service["spec"]["selector"].get(NAME) != workload.name:
            continue
        for port in service["spec"]["ports"]:
            name, target = service["metadata"]["name"], port["targetPort"]
            if target in NEVER_IN_A_SERVICE:
                yield f"service {name} offers the port for {target}"
            beside = {one["name"]: one for sidecar in workload.sidecars for one in sidecar["ports"]}
            if target in beside:
                if _protocol(port) != _protocol(beside[target]):
                    yield f"service {name} sends {_protocol(port)} to {target}, which takes another protocol"
                continue
            if workload.ports.get(target) != port["port"]:
                yield f"service {name} sends {port['port']} to {target}"


def _protocol(port: Mapping[str, Any]) -> str:
    return str(port.get("protocol", "TCP"))


def _budget(cluster: Cluster, workload: Workload) -> Iterator[str]:
    selectors = [one["spec"]["selector"]["matchLabels"] for one in cluster.of_kind("PodDisruptionBudget")]
    covered = any(labels.items() <= workload.labels.items() for labels in selectors)
    if covered != (workload.replicas > 1):
        yield f"with {workload.replicas} replicas it has {'a' if covered else 'no'} disruption budget"
