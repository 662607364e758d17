"""Whether a request comes from the holder of the key that its access token is bound to (RFC 9449 §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import problems
from lienthong.kit.dpop import ProofRefusedError

if TYPE_CHECKING:
    from lienthong.gateway.proofs.seen import SeenProofs
    from lienthong.kit.dpop import Proof, ProofReader


class ProofJudge:
    """Judges the proof of each request; one that has passed is used up."""

    def __init__(self, reader: ProofReader, seen: SeenProofs) -> None:
        self._reader = reader
        self._seen = seen

    def check(self, stated: bytes | None, method: str, path: bytes, token: str, key: str) -> None:
        """Check the proof that came with `token`, which is bound to the key of this thumbprint.

        Raises:
            ProblemError: dpop-proof-refused, dpop-nonce-required.
        """
        if stated is None:
            raise problems.proof_refused("missing", fresh_nonce=self._reader.fresh_nonce())
        try:
            proof = self._reader.read(
                stated.decode("latin-1"), method=method, path=path.decode("latin-1"), token=token
            )
            self._check_sender(proof, key)
        except ProofRefusedError as refusal:
            nonce = self._reader.fresh_nonce()
            raise problems.proof_refused(refusal.fault, refusal.about, fresh_nonce=nonce) from None

    def _check_sender(self, proof: Proof, key: str) -> None:
        if proof.key.thumbprint != key:
            raise ProofRefusedError("key")
        if not proof.is_signed():
            raise ProofRefusedError("signature")
        self._reader.keep_key(proof)
        if not self._seen.knows_all_since(proof.nonce_from):
            raise ProofRefusedError("nonce")
        if not self._seen.use(proof.nonce_from, proof.digest):
            raise ProofRefusedError("used")
