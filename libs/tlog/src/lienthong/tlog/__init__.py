"""The mathematics of a tamper-evident log, with no I/O at all.

Trees and proofs of RFC 6962 and RFC 9162 in the tiles, checkpoints, signed notes and receipts of the C2SP
specifications: any verifier of these formats can check the ledger, and this package can check any such log.
"""

from lienthong.tlog.checkpoint import Checkpoint, open_checkpoint
from lienthong.tlog.errors import (
    ForkedLogError,
    MalformedCheckpointError,
    MalformedKeyError,
    MalformedNoteError,
    MalformedReceiptError,
    MalformedTileError,
    ProofRefusedError,
    ShorterLogError,
    SignatureRefusedError,
    TlogError,
    WrongOriginError,
)
from lienthong.tlog.fsck import Finding, Report, check_log
from lienthong.tlog.merkle import (
    EMPTY_ROOT,
    HASH_SIZE,
    leaf_hash,
    node_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)
from lienthong.tlog.note import Note, Signature, SigningKey, VerifierKey, open_note, sign_note
from lienthong.tlog.receipt import Receipt, VerifiedReceipt, verify_receipt
from lienthong.tlog.seen import SeenCheckpoint
from lienthong.tlog.tiles import (
    ENTRIES,
    MAX_ENTRY_SIZE,
    TILE_WIDTH,
    TileAddress,
    decode_bundle,
    encode_bundle,
    levels,
    tiles_of_level,
)
from lienthong.tlog.tree import (
    Growth,
    RightEdge,
    consistency_proof,
    consistency_tiles,
    grow,
    inclusion_proof,
    inclusion_tiles,
    right_edge_of,
    right_edge_tiles,
)

__all__ = [
    "EMPTY_ROOT",
    "ENTRIES",
    "HASH_SIZE",
    "MAX_ENTRY_SIZE",
    "TILE_WIDTH",
    "Checkpoint",
    "Finding",
    "ForkedLogError",
    "Growth",
    "MalformedCheckpointError",
    "MalformedKeyError",
    "MalformedNoteError",
    "MalformedReceiptError",
    "MalformedTileError",
    "Note",
    "ProofRefusedError",
    "Receipt",
    "Report",
    "RightEdge",
    "SeenCheckpoint",
    "ShorterLogError",
    "Signature",
    "SignatureRefusedError",
    "SigningKey",
    "TileAddress",
    "TlogError",
    "VerifiedReceipt",
    "VerifierKey",
    "WrongOriginError",
    "check_log",
    "consistency_proof",
    "consistency_tiles",
    "decode_bundle",
    "encode_bundle",
    "grow",
    "inclusion_proof",
    "inclusion_tiles",
    "leaf_hash",
    "levels",
    "node_hash",
    "open_checkpoint",
    "open_note",
    "right_edge_of",
    "right_edge_tiles",
    "sign_note",
    "subtree_root",
    "tiles_of_level",
    "verify_consistency",
    "verify_inclusion",
    "verify_receipt",
]
