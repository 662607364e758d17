"""Checks a whole ledger: downloads it and computes every hash again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.client import operations
from lienthong.client.errors import NotFoundError, Text, VerificationError
from lienthong.client.verification import not_proved, root_text
from lienthong.tlog.checkpoint import open_checkpoint
from lienthong.tlog.errors import TlogError
from lienthong.tlog.fsck import check_log
from lienthong.tlog.tiles import TileAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from lienthong.client.sync_client import Client
    from lienthong.tlog.checkpoint import Checkpoint
    from lienthong.tlog.fsck import Report
    from lienthong.tlog.note import VerifierKey


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """A checkpoint with a valid signature, and what checking the ledger against it found."""

    checkpoint: Checkpoint
    report: Report

    def document(self) -> dict[str, Any]:
        """What was checked, as JSON."""
        return {
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": root_text(self.checkpoint),
        }


def read_checkpoint(text: bytes | str, key: VerifierKey) -> Checkpoint:
    """Parse a checkpoint and verify its signature; raises `VerificationError`."""
    try:
        return open_checkpoint(text, key)
    except TlogError as error:
        raise not_proved(error) from error


def examine(
    client: Client,
    present: Checkpoint,
    *,
    earlier: Checkpoint | None = None,
    progress: Callable[[int], None] | None = None,
) -> LedgerCheck:
    """Check every entry and tile under the present (verified) checkpoint, or under an earlier one.

    An earlier checkpoint that still holds proves that the ledger has only grown since. Raises
    `VerificationError` when the ledger has become shorter.
    """
    if earlier is not None and earlier.size > present.size:
        raise VerificationError(
            Text("Sổ nhật ký đã ngắn đi", "The ledger has become shorter"),
            Text(
                f"Trước có {earlier.size} bản ghi, nay {present.size}.",
                f"It had {earlier.size} records, now {present.size}.",
            ),
            Text(
                "Giữ nguyên hiện trạng, báo bộ phận an toàn thông tin.",
                "Keep everything as it is and tell the security staff.",
            ),
        )
    checkpoint = present if earlier is None else earlier
    report = check_log(checkpoint, lambda address: _fetch(client, address, present.size), progress=progress)
    return LedgerCheck(checkpoint, report)


def _fetch(client: Client, address: TileAddress, size: int) -> bytes:
    # A partial tile may be gone once the log has grown past it: the wider one of today begins with it.
    wider = address if address.full else TileAddress.of_tree(address.level, address.index, size)
    for path in dict.fromkeys((address.path, wider.path)):
        try:
            bundle = path.startswith("tile/entries/")
            return client.perform(operations.audit_file(path, public=not bundle))
        except NotFoundError:
            continue
    raise LookupError(address.path)
