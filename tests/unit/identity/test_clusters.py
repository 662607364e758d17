"""The file of clusters says where their keys are had, or why it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.identity.domain.clusters import Cluster, ClustersFileError, read_clusters

ISSUER = "https://kubernetes.default.svc.cluster.local"


def written(folder: Path, text: str) -> Path:
    path = folder / "clusters.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_a_file_there_are_none() -> None:
    assert read_clusters(None) == ()


def test_a_cluster_has_its_keys_in_a_file_or_at_its_api_server(tmp_path: Path) -> None:
    text = f"""
[[cluster]]
issuer = "{ISSUER}"
jwks_url = "https://kubernetes.default.svc/openid/v1/jwks"
ca_file = "/var/run/ca.crt"
token_file = "/var/run/token"

[[cluster]]
issuer = "https://oidc.example/id/1"
jwks_file = "jwks.json"
"""
    assert read_clusters(written(tmp_path, text)) == (
        Cluster(
            ISSUER,
            jwks_url="https://kubernetes.default.svc/openid/v1/jwks",
            ca_file=Path("/var/run/ca.crt"),
            token_file=Path("/var/run/token"),
        ),
        Cluster("https://oidc.example/id/1", jwks_file=Path("jwks.json")),
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "cluster = 5",
        "[[cluster]]",
        "[[cluster]]\nissuer = 5\njwks_file = 'x'",
        "[[cluster]]\nissuer = ''\njwks_file = 'x'",
        "[[cluster]]\nissuer = 'a'",
        "[[cluster]]\nissuer = 'a'\njwks_file = 'x'\njwks_url = 'https://x.example'",
        "[[cluster]]\nissuer = 'a'\njwks_url = 'http://x.example'",
        "[[cluster]]\nissuer = 'a'\njwks_url = 'file:///etc/passwd'",
        "[[cluster]]\nissuer = 'a'\njwks_file = 'x'\nca_file = 'y'",
        "[[cluster]]\nissuer = 'a'\njwks_file = 'x'\ntoken_file = 'y'",
        "[[cluster]]\nissuer = 'a'\njwks_file = 'x'\nunknown = 1",
        "[[cluster]]\nissuer = 'a'\njwks_file = 'x'\n[[cluster]]\nissuer = 'a'\njwks_file = 'y'",
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ClustersFileError, match=str(path)):
        read_clusters(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClustersFileError, match=r"none\.toml"):
        read_clusters(tmp_path / "none.toml")
