"""Rendering with the kubectl of the wheel, and validation against Kubernetes' own schemas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

K8S = Path(__file__).parents[2] / "deploy" / "k8s"
TARGETS = ("base", "overlays/single-node")
KUBERNETES_VERSION = "1.34"

Manifest = dict[str, Any]


def render(target: str | Path) -> list[Manifest]:
    """The objects of a kustomization, as `kubectl kustomize` writes them.

    Raises:
        RuntimeError: it cannot be built; says why.
    """
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run(
        [str(kubectl), "kustomize", str(K8S / target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{target}: {done.stderr.strip()}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def mistake_in(manifest: Manifest) -> str | None:
    """What Kubernetes would refuse in an object; unknown fields too."""
    name = f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}"
    try:
        kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{name}: {'.'.join(str(part) for part in error.path)}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return f"{name}: {error.message}"
    return None
