"""Merkle tree hashes and the verification of proofs: RFC 6962 section 2.1, RFC 9162 section 2.1.

A hash is 32 bytes. Hashes of neighbouring nodes are kept as one byte string, 32 bytes each, as tiles keep
them.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

from lienthong.tlog.errors import ProofRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: bytes) -> bytes:
    """The root over neighbouring hashes of one height, any number of them.

    Pairing level by level and carrying an odd last node upwards gives the tree of RFC 6962 section 2.1.
    """
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > HASH_SIZE:
        paired = len(hashes) // (2 * HASH_SIZE) * (2 * HASH_SIZE)
        above = [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, paired, 64)]
        above.append(hashes[paired:])
        hashes = b"".join(above)
    return hashes


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash `leaf` is at `index` of the tree of `size` leaves under `root`.

    The algorithm of RFC 9162 section 2.1.3.2.

    Raises:
        ProofRefusedError: it does not, or the proof has too few or too many hashes.
    """
    if not 0 <= index < size:
        raise ProofRefusedError(f"entry {index} cannot be in a tree of {size} entries")
    _hashes_only(leaf, root, *proof)
    node, last = index, size - 1
    running = leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefusedError("the inclusion proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            running = node_hash(sibling, running)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            running = node_hash(running, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefusedError("the inclusion proof ends below the root")
    if not hmac.compare_digest(running, root):
        raise ProofRefusedError(f"the inclusion proof of entry {index} does not lead to the root of the tree")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves starts with all leaves of the tree of `old_size`.

    The algorithm of RFC 9162 section 2.1.4.2; two trees of the same size are consistent when their roots are
    equal, and every tree grows out of the empty one (both with an empty proof).

    Raises:
        ProofRefusedError: it does not.
    """
    if not 0 <= old_size <= new_size:
        raise ProofRefusedError(f"a tree of {new_size} entries cannot have grown from one of {old_size}")
    _hashes_only(old_root, new_root, *proof)
    if old_size in {0, new_size}:
        _trivially_consistent(old_size, old_root, new_size, new_root, proof)
        return
    if not proof:
        raise ProofRefusedError("the consistency proof is empty")
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_running = new_running = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofRefusedError("the consistency proof has more hashes than the tree has levels")
        if node & 1 or node == last:
            old_running = node_hash(sibling, old_running)
            new_running = node_hash(sibling, new_running)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new_running = node_hash(new_running, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofRefusedError("the consistency proof ends below the root")
    if not hmac.compare_digest(old_running, old_root):
        raise ProofRefusedError(f"the consistency proof does not lead to the root at size {old_size}")
    if not hmac.compare_digest(new_running, new_root):
        raise ProofRefusedError(f"the consistency proof does not lead to the root at size {new_size}")


def _trivially_consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise ProofRefusedError(f"nothing is to be proved between the sizes {old_size} and {new_size}")
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofRefusedError("the root of the empty tree is wrong")
    if old_size == new_size and old_root != new_root:
        raise ProofRefusedError(f"two different roots at the same size {new_size}: the log has forked")


def _hashes_only(*hashes: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofRefusedError("a hash of the proof is not 32 bytes long")
