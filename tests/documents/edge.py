"""`deploy/edge/http3/envoy.yaml`: the edge's configuration with HTTP/3, as kustomize takes it."""

from __future__ import annotations

from pathlib import Path

import yaml

from lienthong.edge import cluster_config_with_http3

PAGE = Path("deploy/edge/http3/envoy.yaml")

_HEAD = """\
# Written by `make reference` from deploy/edge/src/lienthong/edge/envoy.yaml, which says why it is as it is,
# and http3.yaml beside it, which says what differs for HTTP/3.
"""


def page() -> str:
    """The file as it has to be."""
    content = yaml.safe_dump(cluster_config_with_http3(), sort_keys=False, allow_unicode=True, width=110)
    return f"{_HEAD}{content}"
