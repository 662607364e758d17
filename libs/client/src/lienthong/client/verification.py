"""Checks of receipts and of whole ledgers, with nothing but the ledger's public key."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lienthong.client.errors import InputError, Text, VerificationError
from lienthong.tlog.errors import (
    MalformedKeyError,
    ProofRefusedError,
    SignatureRefusedError,
    TlogError,
    WrongOriginError,
)
from lienthong.tlog.note import VerifierKey
from lienthong.tlog.receipt import Receipt, verify_receipt
from lienthong.tlog.seen import SeenCheckpoint

if TYPE_CHECKING:
    from lienthong.tlog.checkpoint import Checkpoint

_REASONS: dict[type[TlogError], Text] = {
    SignatureRefusedError: Text(
        "Không có chữ ký hợp lệ của sổ bằng khoá này",
        "The ledger's signature by this key is missing or wrong",
    ),
    WrongOriginError: Text("Biên nhận là của sổ khác", "This belongs to another ledger"),
    ProofRefusedError: Text(
        "Bản ghi không nằm ở vị trí này của sổ: nội dung hoặc đường chứng minh đã bị sửa",
        "The record is not at this index of the ledger: it or its proof was changed",
    ),
}


@dataclass(frozen=True, slots=True)
class VerifiedRecord:
    """What a genuine receipt proves: this record stands at this index of a ledger of this size and root."""

    index: int
    entry: bytes
    origin: str
    size: int
    root: str
    seen: SeenCheckpoint = field(repr=False)
    """The checkpoint of the receipt, with the key that verified it."""

    @property
    def record(self) -> Any:  # noqa: ANN401
        """The record, parsed where it is JSON, else as text."""
        try:
            return json.loads(self.entry)
        except ValueError:
            return self.entry.decode(errors="replace")

    def document(self) -> dict[str, Any]:
        """The proof's outcome as JSON."""
        return {
            "verified": True,
            "index": self.index,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "record": self.record,
        }


def read_key(text: str) -> VerifierKey:
    """A verifier key (vkey, c2sp.org/signed-note); raises `InputError`."""
    try:
        return VerifierKey.parse(text.strip())
    except MalformedKeyError as error:
        raise InputError(
            Text("Khoá công khai của sổ không hợp lệ", "The ledger's public key is not valid"),
            Text(str(error), str(error)),
            Text(
                "Khoá có dạng <tên>+<8 số hex>+<base64>; lấy ở /audit/key của cổng.",
                "A key looks like <name>+<8 hex digits>+<base64>; the gateway gives it at /audit/key.",
            ),
            code="bad-key",
        ) from error


def verify(receipt: str | bytes, key: VerifierKey, *, entry: bytes | None = None) -> VerifiedRecord:
    """Check a receipt off line; raises `VerificationError` that says what does not hold.

    `entry` is the record's exact bytes where they came another way than in the receipt.
    """
    try:
        found = verify_receipt(receipt, key, entry=entry)
        seen = SeenCheckpoint.verified(Receipt.parse(receipt).checkpoint, key)
    except TlogError as error:
        raise not_proved(error) from error
    return VerifiedRecord(
        index=found.index,
        entry=found.entry,
        origin=found.checkpoint.origin,
        size=found.checkpoint.size,
        root=root_text(found.checkpoint),
        seen=seen,
    )


def root_text(checkpoint: Checkpoint) -> str:
    """The root hash in base64, as checkpoints write it."""
    return base64.b64encode(checkpoint.root).decode()


def not_proved(error: TlogError) -> VerificationError:
    """The error to raise for a signature or proof that is not valid."""
    title = _REASONS.get(type(error), Text("Không kiểm chứng được", "It cannot be verified"))
    return VerificationError(
        title,
        Text(str(error), str(error)),
        Text(
            "Kiểm tra khoá của sổ và tệp; nếu cả hai đều đúng, giữ tệp lại và báo bộ phận an toàn thông tin.",
            "Check that key and file are the right ones; if they are, keep the file and tell the "
            "security staff.",
        ),
    )
