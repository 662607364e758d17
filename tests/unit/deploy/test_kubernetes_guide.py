"""What the guide tells an operator to write and to run is there, in both languages."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from lienthong.identity.domain.clusters import read_clusters
from lienthong.identity.domain.service_accounts import LONGEST_LIFE_S
from tests.manifests.rendering import mistakes_in, render

ROOT = Path(__file__).parents[3]
GUIDES = [ROOT / "docs" / "guide" / name for name in ("kubernetes.md", "kubernetes.vi.md")]


def yaml_of(guide: Path) -> list[str]:
    """What the guide has an operator write: an overlay, what is added to it, and a pod."""
    blocks = re.findall(r"```yaml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 3
    return [dedent(block) for block in blocks]


def overlay_of(guide: Path) -> str:
    return yaml_of(guide)[0]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_overlay_of_the_guide_renders_with_the_operators_image_and_address(
    guide: Path, tmp_path: Path
) -> None:
    k8s = os.path.relpath(ROOT / "deploy" / "k8s", tmp_path)
    text = overlay_of(guide)
    assert text.count("../lienthong/deploy/k8s") == 2
    (tmp_path / "kustomization.yaml").write_text(text.replace("../lienthong/deploy/k8s", k8s))
    manifests = render(tmp_path)
    assert mistakes_in(manifests) == []
    images = {
        container["image"]
        for one in manifests
        if one["kind"] in {"Deployment", "StatefulSet"} and one["metadata"]["name"] != "nats"
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert images == {"registry.example/lienthong:0.1.0"}
    (nats,) = [one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("StatefulSet", "nats")]
    (container,) = nats["spec"]["template"]["spec"]["containers"]
    assert container["image"].startswith("registry.example/nats:")
    (identity,) = [
        one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("Deployment", "identity")
    ]
    names = [one["name"] for one in identity["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert "LIENTHONG_IDENTITY_BOOTSTRAP_DIR" in names


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_clusters_of_the_guide_are_read_where_identity_runs(guide: Path, tmp_path: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    k8s = os.path.relpath(ROOT / "deploy" / "k8s", tmp_path)
    toml, other = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "clusters.toml").write_text(toml)
    (tmp_path / "main.json").write_text("{}")
    (tmp_path / "kustomization.yaml").write_text(
        f"resources: [{k8s}/base]\n" + yaml_of(guide)[1].replace("../lienthong/deploy/k8s", k8s)
    )
    manifests = render(tmp_path)
    assert mistakes_in(manifests) == []
    found = {(one["kind"], one["metadata"]["name"]): one for one in manifests}
    pod = found["Deployment", "identity"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    named = {one["name"]: one.get("value") for one in container["env"]}
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    files = found["ConfigMap", volumes["clusters"]["configMap"]["name"]]["data"]
    assert named["LIENTHONG_IDENTITY_CLUSTERS_FILE"] == f"{mounts['clusters']}/clusters.toml"
    (cluster,) = read_clusters(tmp_path / "clusters.toml")
    assert cluster.jwks_file == Path(mounts["clusters"]) / "main.json"
    assert files.keys() == {"clusters.toml", "main.json"}
    (tmp_path / "other.toml").write_text(other)
    (asked,) = read_clusters(tmp_path / "other.toml")
    projected = {next(iter(source)): source for source in volumes["cluster"]["projected"]["sources"]}
    token = projected["serviceAccountToken"]["serviceAccountToken"]
    assert asked.token_file == Path(mounts["cluster"]) / token["path"]
    assert asked.ca_file == Path(mounts["cluster"]) / projected["configMap"]["configMap"]["items"][0]["path"]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_pod_of_the_guide_has_a_token_that_identity_takes(guide: Path) -> None:
    pod = yaml.safe_load(yaml_of(guide)[2])
    ((source,),) = [one["projected"]["sources"] for one in pod["spec"]["volumes"]]
    token = source["serviceAccountToken"]
    assert (token["audience"], pod["metadata"]["namespace"]) == ("https://lgsp.example", "one-stop")
    assert 600 <= token["expirationSeconds"] <= LONGEST_LIFE_S
    (mount,) = pod["spec"]["containers"][0]["volumeMounts"]
    assert f"client_assertion@{mount['mountPath']}/{token['path']}" in guide.read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_files_and_names_in_the_guide_exist(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    paths = set(re.findall(r"deploy/[\w./-]*\w", text))
    assert paths >= {"deploy/images/Containerfile", "deploy/k8s/new_secrets.py", "deploy/k8s/base"}
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert missing == []
    policies = (ROOT / "deploy" / "k8s" / "base" / "network-policies.yaml").read_text(encoding="utf-8")
    for name in ("providers", "postgresql"):
        assert f"`{name}`" in text
        assert f"name: {name}\n" in policies
    assert 'lienthong/edge: "true"' in policies


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_every_file_of_new_secrets_is_explained(guide: Path, tmp_path: Path) -> None:
    arguments = ["--public-url", "https://lgsp.example", "--database-url", "postgresql+asyncpg://u:p@h/d"]
    script = ROOT / "deploy" / "k8s" / "new_secrets.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "made"), *arguments], check=True)
    text = guide.read_text(encoding="utf-8")
    made = {path.name + "/" * path.is_dir() for path in (tmp_path / "made").iterdir()}
    assert [name for name in made - {"kustomization.yaml"} if f"`{name}`" not in text] == []
    secrets = {one["metadata"]["name"] for one in render(tmp_path / "made")}
    assert [name for name in secrets if f"`{name}`" not in text] == []


def test_both_languages_give_the_same_commands() -> None:
    english, vietnamese = (
        [re.sub(r" +#.*", "", block) for block in re.findall(r"```\w+\n(.*?)```", text, re.DOTALL)]
        for text in (guide.read_text(encoding="utf-8") for guide in GUIDES)
    )
    assert english == vietnamese
    assert len(english) == 15


def test_the_backup_of_the_guide_copies_a_database_in_use(tmp_path: Path) -> None:
    (command,) = re.findall(r'python -c \\\n +"(.*)"\n', GUIDES[0].read_text(encoding="utf-8"))
    (tmp_path / "ledger").mkdir()
    with closing(sqlite3.connect(tmp_path / "ledger" / "ledger.db")) as in_use:
        in_use.executescript("PRAGMA journal_mode=WAL; CREATE TABLE leaf (n); INSERT INTO leaf VALUES (7);")
        in_use.execute("BEGIN IMMEDIATE")
        words = [sys.executable, "-c", command.replace("$name", "ledger")]
        subprocess.run(words, cwd=tmp_path, check=True)
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("SELECT n FROM leaf").fetchall() == [(7,)]
