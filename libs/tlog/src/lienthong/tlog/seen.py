"""The newest checkpoint that someone has seen of a log, and whether another one continues it.

A log that is rolled back and goes on from there signs two different trees, and each is whole by itself: only
who remembers a checkpoint of the one can tell it from the other (RFC 9162 section 8.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.tlog.checkpoint import Checkpoint, open_checkpoint
from lienthong.tlog.errors import ForkedLogError, MalformedTileError, ProofRefusedError, ShorterLogError
from lienthong.tlog.merkle import verify_consistency
from lienthong.tlog.note import VerifierKey
from lienthong.tlog.tree import consistency_proof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.tlog.tiles import TileAddress


@dataclass(frozen=True, slots=True)
class SeenCheckpoint:
    """A verified checkpoint: its text, what it states, and the key that verified it.

    As text it is the key, a line, and the signed note: what has to be kept of a log.
    """

    text: str
    checkpoint: Checkpoint
    key: VerifierKey

    @classmethod
    def verified(cls, text: str | bytes, key: VerifierKey) -> SeenCheckpoint:
        """Verify a signed checkpoint; raises what `open_checkpoint` does."""
        checkpoint = open_checkpoint(text, key)
        return cls(text.decode() if isinstance(text, bytes) else text, checkpoint, key)

    @classmethod
    def parse(cls, text: str) -> SeenCheckpoint:
        """Read what was kept, and verify it again; raises any `TlogError`."""
        key, _, note = text.partition("\n")
        return cls.verified(note, VerifierKey.parse(key))

    def __str__(self) -> str:
        return f"{self.key}\n{self.text}"

    @property
    def size(self) -> int:
        """How many entries the log had."""
        return self.checkpoint.size

    def check_continued_by(self, new: SeenCheckpoint, proof: Sequence[bytes]) -> None:
        """Check that the log grew from this checkpoint to the new one (RFC 6962 section 2.1.2).

        Raises:
            ShorterLogError: the new one has fewer entries.
            ForkedLogError: the proof does not hold, or both have one size and not one root.
        """
        if new.size < self.size:
            raise ShorterLogError(self.size, new.size)
        old_root, new_root = self.checkpoint.root, new.checkpoint.root
        try:
            verify_consistency(self.size, old_root, new.size, new_root, proof)
        except ProofRefusedError as error:
            raise ForkedLogError(self.size, new.size, str(error)) from error

    def check_grown_to(self, new: SeenCheckpoint, tiles: Mapping[TileAddress, bytes]) -> None:
        """As `check_continued_by`, with the proof drawn from the tiles that `consistency_tiles` names.

        Raises:
            ShorterLogError, ForkedLogError: as there; forked is also a log that lacks one of the tiles.
        """
        if new.size < self.size:
            raise ShorterLogError(self.size, new.size)
        proof: Sequence[bytes] = ()
        if new.size > self.size:
            try:
                proof = consistency_proof(self.size, new.size, tiles)
            except MalformedTileError as error:
                raise ForkedLogError(self.size, new.size, str(error)) from error
        self.check_continued_by(new, proof)
