"""What the guide tells an operator to write and to run is there, in both languages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.manifests.rendering import mistakes_in, render

ROOT = Path(__file__).parents[3]
GUIDES = [ROOT / "docs" / "guide" / name for name in ("kubernetes.md", "kubernetes.vi.md")]


def overlay_of(guide: Path) -> str:
    (block,) = re.findall(r"```yaml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(line.removeprefix("   ") for line in str(block).splitlines())


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
    (identity,) = [
        one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("Deployment", "identity")
    ]
    names = [one["name"] for one in identity["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert "LIENTHONG_IDENTITY_BOOTSTRAP_DIR" in names


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
