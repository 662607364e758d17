"""The clusters whose service accounts may authenticate: a file of the operator's, in TOML."""

import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

_MOST: Final = 100
_LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))


class ClustersFileError(Exception):
    """The file of clusters cannot be used; the text names it and says why."""


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cluster: what its tokens have as `iss`, and where its keys are had, in one of two ways."""

    issuer: str
    jwks_file: Path | None = None
    jwks_url: str | None = None
    ca_file: Path | None = None
    """The authority of the server of `jwks_url`; without it those of the machine."""
    token_file: Path | None = None
    """What that server is shown, as a bearer token; read for each request, as it is renewed."""


class _Clusters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cluster: list[Cluster]


def read_clusters(path: Path | None) -> tuple[Cluster, ...]:
    """The clusters of a file; none without one.

    Raises:
        ClustersFileError: it cannot be read.
    """
    if path is None:
        return ()
    try:
        clusters = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Clusters, dec_hook=_read).cluster
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise ClustersFileError(f"{path} cannot be read: {error}") from error
    issuers = [one.issuer for one in clusters]
    if len(clusters) > _MOST or len(set(issuers)) < len(issuers):
        raise ClustersFileError(f"{path} names a cluster twice, or more than {_MOST}")
    for cluster in clusters:
        _check(path, cluster)
    return tuple(clusters)


def _read(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str) or not value:
        raise ValueError("a path has to be text")
    return Path(value)


def _check(path: Path, cluster: Cluster) -> None:
    if not cluster.issuer:
        raise ClustersFileError(f"{path}: an issuer is empty")
    if (cluster.jwks_file is None) == (cluster.jwks_url is None):
        raise ClustersFileError(f"{path}: {cluster.issuer} needs jwks_file or jwks_url, one of them")
    if cluster.jwks_url is None:
        if cluster.ca_file is not None or cluster.token_file is not None:
            raise ClustersFileError(f"{path}: ca_file and token_file of {cluster.issuer} go with jwks_url")
        return
    parts = urlsplit(cluster.jwks_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ClustersFileError(f"{path}: the jwks_url of {cluster.issuer} has to be https")
