"""Applying the province's manifests to the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from binh_thuan.province import MANIFESTS
from lienthong.client import Client, Credentials, ManifestError
from lienthong.client.errors import Text
from lienthong.client.manifests.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lienthong.client import ApplyResult

WAITING_AGREEMENT: Final = "company-parcels"
"""The one agreement that is left for whoever tries the province to decide on."""
_ENDED = frozenset({"rejected", "revoked"})


def apply(operator: Path, gateway: str) -> ApplyResult:
    """Apply every manifest of the province as the operator.

    Agreements that somebody has rejected or revoked since stay as they are: that decision is final.

    Raises:
        LienthongError: a manifest is wrong, or the catalog refuses.
    """
    manifests = load([MANIFESTS])
    if manifests.mistakes:
        raise ManifestError(
            Text("Tệp kê khai có lỗi", "The manifests are wrong"), mistakes=manifests.mistakes
        )
    with Client(Credentials.load(operator), gateway=gateway) as client:
        ended = {_id(item) for item in client.manifests("agreements") if _status(item) in _ENDED}
        return client.apply(
            [one for one in manifests.values if one["kind"] != "Agreement" or _id(one) not in ended]
        )


def status_of(agreement_id: str, operator: Path, gateway: str) -> str | None:
    """The status of an agreement; None where there is none.

    Raises:
        LienthongError: the catalog does not answer, or refuses.
    """
    with Client(Credentials.load(operator), gateway=gateway) as client:
        found = (_status(item) for item in client.manifests("agreements") if _id(item) == agreement_id)
        return next(found, None)


def _id(manifest: Mapping[str, Any]) -> str:
    return str(manifest["metadata"]["id"])


def _status(manifest: Mapping[str, Any]) -> str:
    status = manifest.get("status", manifest["spec"].get("status"))
    return str(status.get("state") if isinstance(status, dict) else status)
