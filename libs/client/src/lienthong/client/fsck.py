"""Downloads a ledger and derives everything again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.client import operations
from lienthong.client.errors import NotFoundError
from lienthong.client.verification import not_proved, root_text
from lienthong.tlog.checkpoint import open_checkpoint
from lienthong.tlog.errors import TlogError
from lienthong.tlog.fsck import check_log
from lienthong.tlog.tiles import TILE_WIDTH, TileAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client.sync_client import Client
    from lienthong.tlog.checkpoint import Checkpoint
    from lienthong.tlog.fsck import Finding, Report
    from lienthong.tlog.note import VerifierKey


@dataclass(frozen=True, slots=True)
class Examination:
    """A checkpoint whose signature holds, and what deriving the ledger again found."""

    checkpoint: Checkpoint
    report: Report

    def document(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {
            "sound": self.report.sound,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": root_text(self.checkpoint),
            "findings": [finding_document(finding) for finding in self.report.findings],
        }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One broken entry or tile as JSON."""
    return {
        "place": finding.place,
        "problem": finding.problem,
        "entry": finding.entry,
        "detail": finding.detail,
    }


def read_checkpoint(text: bytes | str, key: VerifierKey) -> Checkpoint:
    """A checkpoint whose signature holds; raises `VerificationError`."""
    try:
        return open_checkpoint(text, key)
    except TlogError as error:
        raise not_proved(error) from error


def examine(
    client: Client,
    key: VerifierKey,
    *,
    checkpoint: Checkpoint | None = None,
    progress: Callable[[int], None] | None = None,
) -> Examination:
    """Check every entry and tile under the checkpoint: the present one, or an earlier one that was kept.

    An earlier checkpoint proves that the ledger has only grown since. Raises `VerificationError` when the
    present checkpoint is not signed by the key.
    """
    if checkpoint is None:
        checkpoint = read_checkpoint(client.perform(operations.audit_file("checkpoint", public=True)), key)
    report = check_log(checkpoint, lambda address: _fetch(client, address), progress=progress)
    return Examination(checkpoint, report)


def _fetch(client: Client, address: TileAddress) -> bytes:
    try:
        return client.perform(_file(address))
    except NotFoundError as error:
        if address.full:
            raise LookupError(address.path) from error
    # A partial tile may be gone once the log has grown past it: the full one begins with it.
    try:
        return client.perform(_file(TileAddress(address.level, address.index, TILE_WIDTH)))
    except NotFoundError as error:
        raise LookupError(address.path) from error


def _file(address: TileAddress) -> operations.Operation[bytes]:
    return operations.audit_file(address.path, public=not address.path.startswith("tile/entries/"))
