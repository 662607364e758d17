"""Envoy's configuration for one machine: the files of a cluster, with other ports and paths."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml

from lienthong.edge.http3 import with_http3
from lienthong.kit.files import make_folder, replace_file

_LOOPBACK: Final = "127.0.0.1"
_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class EdgeFiles:
    """What the edge reads: PEM files, and the gateway's socket."""

    certificate: Path
    """Its own, followed by those that lead to an authority."""
    key: Path
    clients: Path
    """The authorities that sign certificates of callers."""
    gateway: Path
    """The Unix socket of the gateway."""


def binary() -> str:
    """The path of Envoy's command; installed beside this Python."""
    return str(Path(sys.executable).with_name("envoy"))


def write_config(
    folder: Path, files: EdgeFiles, *, host: str, port: int, health_port: int, http3: bool = False
) -> Path:
    """Write the configuration into `folder`, and return the file that Envoy is started with.

    Callers come to `host:port`, with `http3` over UDP too; readiness and figures are told on `health_port`
    of this machine alone.
    """
    make_folder(folder)
    server, clients = _read("server.yaml"), _read("clients.yaml")
    certificate = server["resources"][0]["tls_certificate"]
    certificate["certificate_chain"]["filename"] = str(files.certificate)
    certificate["private_key"]["filename"] = str(files.key)
    certificate["watched_directory"]["path"] = str(files.certificate.parent)
    trusted = clients["resources"][0]["validation_context"]
    trusted["trusted_ca"]["filename"] = str(files.clients)
    trusted["watched_directory"]["path"] = str(files.clients.parent)
    envoy = _read("envoy.yaml")
    envoy["admin"]["address"]["socket_address"] = {"address": _LOOPBACK, "port_value": health_port}
    (listener,) = envoy["static_resources"]["listeners"]
    listener["address"]["socket_address"] = {"address": host, "port_value": port}
    (chain,) = listener["filter_chains"]
    tls = chain["transport_socket"]["typed_config"]["common_tls_context"]
    (shown,) = tls["tls_certificate_sds_secret_configs"]
    for secret, name, content in (
        (shown, "server", server),
        (tls["validation_context_sds_secret_config"], "clients", clients),
    ):
        path = folder / f"{name}.json"
        _write(path, content)
        secret["sds_config"]["path_config_source"]["path"] = str(path)
    (cluster,) = envoy["static_resources"]["clusters"]
    (endpoints,) = cluster["load_assignment"]["endpoints"]
    endpoints["lb_endpoints"][0]["endpoint"]["address"]["pipe"]["path"] = str(files.gateway)
    config = folder / "envoy.json"
    _write(config, with_http3(envoy, _read("http3.yaml"), port=port) if http3 else envoy)
    return config


def cluster_config_with_http3() -> dict[str, Any]:
    """The configuration of a cluster whose callers reach HTTP/3 too, at port 443 of the Service."""
    return with_http3(_read("envoy.yaml"), _read("http3.yaml"), port=_HTTPS)


def _read(name: str) -> dict[str, Any]:
    text = resources.files("lienthong.edge").joinpath(name).read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    replace_file(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
