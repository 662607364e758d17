"""The manifests say what the processes really read; a manifest that does not is noticed."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lienthong.exchange.secret_file import load_secret
from lienthong.gateway.privacy import Privacy, privacy_key
from lienthong.identity.sealing import load_seal
from lienthong.ledger.keys import load_key
from tests.manifests.agreement import mistakes_between
from tests.manifests.arrows import OUTSIDE, arrows
from tests.manifests.cluster import Cluster
from tests.manifests.rendering import TARGETS, mistake_in, render
from tests.support.nats import nats_binary

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
CONTAINERFILE = ROOT / "deploy" / "images" / "Containerfile"

EXPECTED_ARROWS = {
    (OUTSIDE, "gateway", "http"),
    ("gateway", "catalog", "http"),
    ("gateway", "catalog", "rpc"),
    ("gateway", "identity", "http"),
    ("gateway", "identity", "rpc"),
    ("gateway", "exchange", "http"),
    ("gateway", "ledger", "http"),
    ("gateway", "nats", "client"),
    ("catalog", "identity", "rpc"),
    ("catalog", "nats", "client"),
    ("identity", "nats", "client"),
    ("exchange", "catalog", "rpc"),
    ("exchange", "identity", "rpc"),
    ("exchange", "nats", "client"),
    ("ledger", "identity", "rpc"),
    ("ledger", "nats", "client"),
    ("nats", "nats", "cluster"),
    # Callers come from anywhere and providers stand anywhere, so a gateway may be both.
    ("gateway", "gateway", "http"),
    # To PostgreSQL, and to the providers.
    ("catalog", OUTSIDE, "5432"),
    ("identity", OUTSIDE, "5432"),
    ("exchange", OUTSIDE, "5432"),
    ("ledger", OUTSIDE, "5432"),
    ("gateway", OUTSIDE, "any"),
}


@cache
def rendered(target: str) -> list[dict[str, Any]]:
    return render(target)


def changed(kind: str, name: str, change: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """The base with one object changed."""
    manifests = copy.deepcopy(rendered("base"))
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
    assert [mistake for one in rendered(target) if (mistake := mistake_in(one))] == []


@pytest.mark.parametrize("target", TARGETS)
def test_manifests_and_processes_agree(target: str) -> None:
    assert mistakes_between(rendered(target)) == []


@pytest.mark.parametrize("target", TARGETS)
def test_pods_talk_along_the_arrows_of_the_plan_and_no_others(target: str) -> None:
    assert arrows(rendered(target)) == EXPECTED_ARROWS


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
    manifest["data"]["LIENTHONG_NATS_URL"] += ",nats://nats-3.nats:4222"


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
    container(manifest)["env"] = [
        {"name": "LIENTHONG_EXCHANGE_DATABASE_URL", "value": "postgresql://x:y@z/w"}
    ]


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


@pytest.mark.parametrize(
    ("kind", "name", "change", "told"),
    [
        ("Deployment", "catalog", _unknown_variable, "LIENTHONG_CATALOG_COLOUR is a variable"),
        ("ConfigMap", "lienthong-.*", _variable_of_another, "LIENTHONG_GATEWAY_WORKERS is for all"),
        ("ConfigMap", "lienthong-.*", _impossible_value, "refuse its variables"),
        ("ConfigMap", "lienthong-.*", _too_many_replicas, "streams want 5 servers, there are 3"),
        ("ConfigMap", "lienthong-.*", _shifted_ports, "but the process listens on"),
        ("ConfigMap", "lienthong-.*", _wrong_address, "identity_rpc is identity:8102"),
        ("ConfigMap", "lienthong-.*", _server_that_is_not_there, "nats_url names nats://nats-3.nats:4222"),
        ("ConfigMap", "lienthong-.*", _loopback, "listens on 127.0.0.1 only"),
        ("Deployment", "exchange", _wrong_port, "but the process listens on"),
        ("Deployment", "exchange", _port_nobody_serves, "but the process listens on"),
        ("Deployment", "exchange", _missing_module, "there is no module lienthong.exchanges"),
        ("Deployment", "exchange", _other_module, "it starts lienthong.catalog"),
        ("Service", "exchange", _service_to_the_wrong_port, "service exchange sends 80"),
        ("Deployment", "ledger", _probe_on_the_public_port, "readinessProbe asks"),
        ("Deployment", "ledger", _probe_of_nothing, "livenessProbe asks /healthz"),
        ("Deployment", "exchange", _database_in_the_open, "does not come from a Secret"),
        ("Deployment", "ledger", _key_that_no_secret_brings, "ledger_key_file"),
        ("Deployment", "exchange", _state_on_the_read_only_root, "cannot be written"),
        ("StatefulSet", "gateway", _root, "securityContext is too wide"),
        ("StatefulSet", "nats", _writable_root, "securityContext is too wide"),
        ("Deployment", "identity", _service_links, "service links"),
        ("Deployment", "identity", _auditor_without_credentials, "auditor/key.jwk is missing"),
    ],
)
def test_a_disagreement_is_noticed(
    kind: str, name: str, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    assert told in "\n".join(mistakes_between(changed(kind, name, change)))


def test_a_misspelt_field_is_noticed() -> None:
    def misspell(manifest: dict[str, Any]) -> None:
        manifest["spec"]["replica"] = 2

    mistakes = [mistake_in(one) for one in changed("Deployment", "catalog", misspell)]
    assert "replica" in next(mistake for mistake in mistakes if mistake)


def _open_to_all(policy: dict[str, Any]) -> None:
    policy["spec"]["ingress"] = [{}]


def _no_default(policy: dict[str, Any]) -> None:
    policy["spec"]["podSelector"] = {"matchLabels": {"nobody": "here"}}


def _closed(policy: dict[str, Any]) -> None:
    policy["spec"]["egress"] = []


@pytest.mark.parametrize(
    ("name", "change", "arrow"),
    [
        ("ledger", _open_to_all, (OUTSIDE, "ledger", "http")),
        ("nats", _open_to_all, (OUTSIDE, "nats", "monitor")),
        ("exchange", _closed, ("exchange", "catalog", "rpc")),
    ],
)
def test_an_arrow_too_many_or_too_few_is_noticed(
    name: str, change: Callable[[dict[str, Any]], None], arrow: tuple[str, str, str]
) -> None:
    assert arrow in arrows(changed("NetworkPolicy", name, change)) ^ EXPECTED_ARROWS


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
    file = tmp_path / "nats.conf"
    file.write_text(config)
    environment = os.environ | {"POD_NAME": "nats-0"}
    subprocess.run([nats_binary(), "-t", "-c", str(file)], env=environment, check=True, capture_output=True)
    ports = Cluster(rendered(target)).workloads()["nats"].ports
    listening = {int(port) for port in re.findall(r'"0\.0\.0\.0:(\d+)"', config)}
    assert listening | {ports["cluster"]} == set(ports.values())


@pytest.mark.parametrize("target", TARGETS)
def test_the_gateway_keeps_its_spool_and_copies_on_a_volume_of_its_own(target: str) -> None:
    gateway = Cluster(rendered(target)).workloads()["gateway"]
    assert gateway.manifest["kind"] == "StatefulSet"
    (claim,) = gateway.manifest["spec"]["volumeClaimTemplates"]
    (mount,) = [one for one in gateway.container["volumeMounts"] if one["name"] == claim["metadata"]["name"]]
    state = gateway.own_variables["LIENTHONG_GATEWAY_STATE_DIR"]
    assert state.startswith(f"{mount['mountPath']}/")


def test_no_budget_keeps_a_single_machine_from_being_drained() -> None:
    assert Cluster(rendered("overlays/single-node")).of_kind("PodDisruptionBudget") == []
    replicas = {one.replicas for one in Cluster(rendered("overlays/single-node")).workloads().values()}
    assert replicas == {1}


@pytest.fixture
def new_secrets(tmp_path: Path) -> Path:
    """A folder as an operator makes it."""
    folder = tmp_path / "secrets"
    assert make_secrets(folder) == 0
    return folder


def make_secrets(folder: Path) -> int:
    script = ROOT / "deploy" / "k8s" / "new_secrets.py"
    database = "postgresql+asyncpg://u:p@db/lienthong"
    arguments = ["--public-url", "https://lgsp.example", "--database-url", database]
    command = [sys.executable, str(script), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_secrets_are_never_overwritten(new_secrets: Path) -> None:
    before = (new_secrets / "privacy.key").read_text()
    assert make_secrets(new_secrets) != 0
    assert (new_secrets / "privacy.key").read_text() == before


def test_new_secrets_are_the_secrets_that_the_manifests_refer_to(new_secrets: Path) -> None:
    made = {one["metadata"]["name"]: set(one["data"]) for one in render(new_secrets)}
    wanted: dict[str, set[str]] = {}
    for workload in Cluster(rendered("base")).workloads().values():
        for name, value in workload.own_variables.items():
            if value.startswith("secret:"):
                secret, _, key = value.removeprefix("secret:").partition("/")
                wanted.setdefault(secret, set()).add(key)
            elif name.endswith("_KEY_FILE"):
                keys = next(one for one in workload.pod["volumes"] if one["name"] == "keys")
                wanted.setdefault(keys["secret"]["secretName"], set()).add(value.rpartition("/")[2])
        for volume in workload.pod.get("volumes", []):
            for item in volume.get("secret", {}).get("items", []):
                wanted.setdefault(volume["secret"]["secretName"], set()).add(item["key"])
    assert made == wanted


def test_the_processes_take_the_new_secrets(new_secrets: Path) -> None:
    load_seal(new_secrets / "key-encryption.jwk", create=False)
    load_secret(new_secrets / "acknowledgements.key", create=False)
    Privacy(privacy_key(new_secrets / "privacy.key"))
    assert load_key(new_secrets / "ledger.key").name == "lgsp/VN-BTN/ledger"


def test_the_image_is_built_from_what_is_there_and_runs_as_a_number() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["65532:65532"]
    assert "--require-hashes --requirement requirements.lock" in text
    assert re.search(r"index-url|extra-index|find-links|pypi", text) is None
    sources = re.findall(r"^COPY (\w\S*)", text, re.MULTILINE)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    ignored = CONTAINERFILE.with_name("Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert [source for source in sources if f"!{source}" not in ignored] == []


def test_the_image_holds_every_component_that_the_manifests_start() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    installed = re.findall(r" \./([a-z/]+)", text)
    packages = {
        package.name
        for path in installed
        for package in (ROOT / path / "src" / "lienthong").glob("*")
        if (package / "__main__.py").exists()
    }
    processes = set(Cluster(rendered("base")).workloads()) - {"nats"}
    assert processes <= packages
