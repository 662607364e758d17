"""The edge of an embedded installation speaks HTTP/3 unless it is told not to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.edge import EdgeSettings, local_edge
from lienthong.local import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def listeners(folder: Path) -> list[tuple[str, int]]:
    """Protocol and port of each."""
    config = json.loads((folder / "edge" / "envoy.json").read_text(encoding="utf-8"))
    addresses = [one["address"]["socket_address"] for one in config["static_resources"]["listeners"]]
    return [(one.get("protocol", "TCP"), one["port_value"]) for one in addresses]


def test_callers_are_told_of_http_3_at_the_same_port(tmp_path: Path) -> None:
    local_edge(EdgeSettings(home=tmp_path, port_offset=7))
    assert listeners(tmp_path) == [("TCP", 8450), ("UDP", 8450)]
    assert 'h3=\\":8450\\"; ma=3600' in (tmp_path / "edge" / "envoy.json").read_text(encoding="utf-8")


def test_without_it_there_is_the_listener_for_tcp_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    monkeypatch.setenv("LIENTHONG_EDGE_HTTP3", "false")
    local_edge(read_settings(EdgeSettings))
    assert listeners(tmp_path) == [("TCP", 8443)]
    assert "alt-svc" not in (tmp_path / "edge" / "envoy.json").read_text(encoding="utf-8")
