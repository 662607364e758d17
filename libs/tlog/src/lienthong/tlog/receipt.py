"""Receipts: a proof that can be checked off line that an entry is in the log: c2sp.org/tlog-proof."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.tlog.checkpoint import Checkpoint, open_checkpoint
from lienthong.tlog.errors import MalformedReceiptError
from lienthong.tlog.merkle import HASH_SIZE, leaf_hash, verify_inclusion
from lienthong.tlog.note import VerifierKey, decode_base64

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_MAX_PROOF = 64


@dataclass(frozen=True, slots=True)
class Receipt:
    """A parsed receipt, not verified: `verify_receipt` does that.

    In this log's receipts `extra` holds the exact bytes of the entry, so that a receipt needs nothing beside
    it but the log's verifier key.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if self.index < 0:
            raise MalformedReceiptError(f"an entry's index is negative: {self.index}")
        if any(len(sibling) != HASH_SIZE for sibling in self.proof) or len(self.proof) > _MAX_PROOF:
            raise MalformedReceiptError("an inclusion proof is at most 64 hashes of 32 bytes")

    @classmethod
    def parse(cls, raw: str | bytes) -> Receipt:
        """Parse a receipt without verifying it.

        Raises:
            MalformedReceiptError: it breaks a rule of the format.
        """
        try:
            whole = raw.decode() if isinstance(raw, bytes) else raw
        except UnicodeDecodeError as error:
            raise MalformedReceiptError("a receipt is UTF-8 text") from error
        head, blank_line, checkpoint = whole.partition("\n\n")
        lines = head.split("\n")
        if lines.pop(0) != HEADER or not blank_line:
            raise MalformedReceiptError(f"a receipt starts with the line {HEADER} and ends with a checkpoint")
        extra: bytes | None = None
        if lines and lines[0].startswith("extra "):
            extra = _base64(lines.pop(0).removeprefix("extra "), "extra data")
        found = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if found is None:
            raise MalformedReceiptError("the line `index <number>` is missing")
        return cls(int(found[1]), tuple(_base64(line, "proof") for line in lines), checkpoint, extra)

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(sibling).decode() for sibling in self.proof]
        return "\n".join([*lines, "", self.checkpoint])


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a verified receipt proves: these bytes are the entry at this index of the checkpoint's log."""

    entry: bytes
    index: int
    checkpoint: Checkpoint


def verify_receipt(
    raw: str | bytes,
    keys: VerifierKey | Sequence[VerifierKey],
    *,
    entry: bytes | None = None,
    origin: str | None = None,
) -> VerifiedReceipt:
    """Check a receipt with nothing but the log's public key.

    `entry` is the entry's bytes if you have them already; by default the receipt's own `extra`, which the
    proof then authenticates.

    Raises:
        MalformedReceiptError: it is no receipt, or has neither `extra` nor an `entry` beside it.
        MalformedNoteError: its checkpoint is none.
        SignatureRefusedError: none of the keys signed the checkpoint.
        WrongOriginError: it is of another log.
        ProofRefusedError: the entry is not at that index of the log.
    """
    receipt = Receipt.parse(raw)
    leaf = receipt.extra if entry is None else entry
    if leaf is None:
        raise MalformedReceiptError("the receipt does not carry its entry: give the entry's bytes beside it")
    checkpoint = open_checkpoint(receipt.checkpoint, keys, origin=origin)
    verify_inclusion(receipt.index, checkpoint.size, leaf_hash(leaf), receipt.proof, checkpoint.root)
    return VerifiedReceipt(leaf, receipt.index, checkpoint)


def _base64(text: str, what: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise MalformedReceiptError(f"the {what} of the receipt is not in base64") from error
