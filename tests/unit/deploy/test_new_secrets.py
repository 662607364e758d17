"""The secrets that an operator makes are those that the manifests refer to and the processes take."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lienthong.exchange.service.ack_secret_file import load_ack_secret
from lienthong.gateway.assertion_keys import AssertionKeys, assertion_secrets
from lienthong.gateway.privacy import Privacy, privacy_keys
from lienthong.identity.bootstrap import open_core
from lienthong.identity.service.key_encryption_file import load_key_encryption
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.bus import Bus
from lienthong.kit.bus_users import USERS
from lienthong.kit.nkeys import read_user_key
from lienthong.kit.rpc_trust import RpcTrust
from lienthong.ledger.service.signing_key_file import load_key
from lienthong.ledger.settings import LedgerSettings
from tests.manifests.agreement import ASKS_THE_GATEWAY_ALONE
from tests.manifests.cluster import Cluster
from tests.manifests.rendering import K8S, render

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.identity.domain.clients import RegisteredClient

DATABASE = "postgresql+asyncpg://u:p@db/lienthong"
PUBLIC_URL = "https://lgsp.example"


def make_secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(K8S / "new_secrets.py")
    command = [sys.executable, script, str(folder), "--public-url", PUBLIC_URL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def new_secrets(tmp_path: Path) -> Path:
    """A folder as an operator of a cluster with PostgreSQL makes it."""
    folder = tmp_path / "secrets"
    done = make_secrets(folder, "--database-url", DATABASE)
    assert done.returncode == 0, done.stderr
    return folder


def wanted_by(target: str) -> dict[str, set[str]]:
    """The Secrets, and the keys in them, that a rendering refers to."""
    wanted: dict[str, set[str]] = {}
    cluster = Cluster(render(target))
    for workload in cluster.workloads().values():
        volumes = {
            one["name"]: one["secret"]
            for one in workload.pod.get("volumes", [])
            if "secret" in one and not one["secret"].get("optional")
        }
        mounted = {
            mount["mountPath"]: volumes[mount["name"]]
            for mount in workload.container.get("volumeMounts", [])
            if mount["name"] in volumes
        }
        for secret in volumes.values():
            wanted.setdefault(secret["secretName"], set()).update(
                item["key"] for item in secret.get("items", [])
            )
        variables = cluster.shared_variables(workload) | workload.own_variables
        if workload.name in ASKS_THE_GATEWAY_ALONE:
            wanted[mounted[variables["LIENTHONG_CONSOLE_CREDENTIALS_DIR"]]["secretName"]].add("key.jwk")
            continue
        for name, value in variables.items():
            if value.startswith("secret:"):
                secret_name, _, key = value.removeprefix("secret:").partition("/")
                wanted.setdefault(secret_name, set()).add(key)
            elif name.endswith("_KEY_FILE"):
                folder, _, file = value.rpartition("/")
                wanted[mounted[folder]["secretName"]].add(file)
        if "LIENTHONG_RPC_DIR" in variables:
            secret_name = mounted[variables["LIENTHONG_RPC_DIR"]]["secretName"]
            wanted[secret_name] |= {"rpc.crt", "rpc.token"} | (
                {"rpc.key"} if "rpc" in workload.ports else set()
            )
    wanted["lienthong-nats"].add("accounts.conf")
    return wanted


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made_in(folder: Path) -> dict[str, set[str]]:
    return {one["metadata"]["name"]: set(one["data"]) for one in render(folder)}


def test_a_cluster_with_postgresql_finds_all_its_secrets(new_secrets: Path) -> None:
    clients = {
        "lienthong-clients": {
            f"{who}-{what}"
            for who in ("operator", "auditor", "console")
            for what in ("client.json", "key.jwk")
        }
    }
    assert made_in(new_secrets) == wanted_by("base") | clients


def test_one_machine_finds_all_its_secrets(tmp_path: Path) -> None:
    assert make_secrets(tmp_path / "secrets").returncode == 0
    assert made_in(tmp_path / "secrets") == wanted_by("overlays/single-node")


def test_secrets_are_never_overwritten_and_only_their_owner_reads_them(new_secrets: Path) -> None:
    before = contents(new_secrets)
    refused = make_secrets(new_secrets)
    assert refused.returncode != 0
    assert "is not empty: keys are never overwritten" in refused.stderr
    assert contents(new_secrets) == before
    assert stat.S_IMODE(new_secrets.stat().st_mode) == 0o700
    private = [*new_secrets.glob("*.key"), *new_secrets.rglob("*.jwk"), new_secrets / "database.env"]
    private += [*(new_secrets / "nats").iterdir(), *(new_secrets / "rpc").iterdir()]
    assert len({*private}) == 21
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_inner_keys_are_replaced_and_nothing_else(new_secrets: Path, tmp_path: Path) -> None:
    before = contents(new_secrets)
    script = [sys.executable, str(K8S / "new_secrets.py")]
    subprocess.run([*script, str(new_secrets), "--renew-inner-keys"], check=True, capture_output=True)
    after = contents(new_secrets)
    assert before.keys() == after.keys()
    replaced = {path.relative_to(new_secrets).parts[0] for path in after if after[path] != before[path]}
    assert replaced == {"nats", "rpc", "accounts.conf"}
    elsewhere = [*script, str(tmp_path / "elsewhere"), "--renew-inner-keys"]
    done = subprocess.run(elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "has no keys to replace" in done.stderr


def test_the_processes_take_the_new_keys(new_secrets: Path) -> None:
    load_key_encryption(new_secrets / "key-encryption.jwk", create=False)
    load_ack_secret(new_secrets / "acknowledgements.key", create=False)
    Privacy(privacy_keys(new_secrets / "privacy.key")[0])
    AssertionKeys(assertion_secrets(new_secrets / "assertion.key"))
    accounts = (new_secrets / "accounts.conf").read_text()
    assert {user.name for user in USERS} == {path.stem for path in (new_secrets / "nats").iterdir()}
    for user in USERS:
        assert read_user_key(new_secrets / "nats" / f"{user.name}.nkey").public in accounts
    RpcTrust.load(new_secrets / "rpc").server_credentials()
    assert load_key(new_secrets / "ledger.key").name == LedgerSettings().ledger_origin


async def test_identity_registers_the_operator_and_the_auditor_and_writes_nothing(
    new_secrets: Path, tmp_path: Path
) -> None:
    settings = IdentitySettings(
        home=tmp_path / "home",
        public_url=PUBLIC_URL,
        identity_key_file=new_secrets / "key-encryption.jwk",
        identity_bootstrap_dir=new_secrets,
    )
    before = contents(new_secrets)
    core = await open_core(settings, Bus(settings.nats_url, "identity"))
    try:
        found: list[RegisteredClient | None] = [
            await core.registry.find(who) for who in ("operator", "auditor", "console")
        ]
    finally:
        await core.database.close()
    for who, client in zip(("operator", "auditor", "console"), found, strict=True):
        private = json.loads((new_secrets / who / "key.jwk").read_text())
        assert client is not None
        (registered,) = json.loads(client.jwks)["keys"]
        assert (registered["x"], registered["y"]) == (private["x"], private["y"])
        described = json.loads((new_secrets / who / "client.json").read_text())
        assert described == {
            "client_id": who,
            "issuer": settings.issuer,
            "token_endpoint": settings.token_endpoint,
        }
    assert contents(new_secrets) == before
