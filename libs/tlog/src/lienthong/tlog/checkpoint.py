"""Checkpoints, the signed heads of a log: c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.tlog.errors import MalformedCheckpointError, WrongOriginError
from lienthong.tlog.merkle import HASH_SIZE
from lienthong.tlog.note import SigningKey, VerifierKey, decode_base64, open_note, sign_note

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log states about itself: its name (origin), its size in entries, the root hash of its tree.

    `extension` holds further lines, which are signed too but not interpreted here.
    """

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise MalformedCheckpointError("a log's origin is one line that is not empty")
        if self.size < 0:
            raise MalformedCheckpointError(f"a log's size is negative: {self.size}")
        if len(self.root) != HASH_SIZE:
            raise MalformedCheckpointError(f"a root hash has {len(self.root)} bytes instead of {HASH_SIZE}")
        if any(not line or "\n" in line for line in self.extension):
            raise MalformedCheckpointError("an extension of a checkpoint is lines that are not empty")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note (without its signatures).

        Raises:
            MalformedCheckpointError: it is no checkpoint.
        """
        origin, size, root, *extension = (*text.removesuffix("\n").split("\n"), "", "")
        extension = extension[:-2]
        if not text.endswith("\n") or not _SIZE.fullmatch(size):
            raise MalformedCheckpointError("a checkpoint is an origin, a size and a root hash, a line each")
        try:
            return cls(origin, int(size), decode_base64(root), tuple(extension))
        except ValueError as error:
            raise MalformedCheckpointError("the root hash of the checkpoint is not in base64") from error

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extension)
        return "".join(f"{line}\n" for line in lines)

    def signed(self, key: SigningKey) -> str:
        """The checkpoint as a signed note."""
        return sign_note(self.text, [key])


def open_checkpoint(
    raw: str | bytes, keys: VerifierKey | Sequence[VerifierKey], *, origin: str | None = None
) -> Checkpoint:
    """Parse a signed checkpoint and verify it: one of the keys must have signed it.

    `origin` is the expected log; by default the name of the first key, as the specification recommends.

    Raises:
        MalformedNoteError: it is no signed checkpoint.
        SignatureRefusedError: no known key signed it, or a known key's signature is wrong.
        WrongOriginError: it is of another log.
    """
    known = [keys] if isinstance(keys, VerifierKey) else list(keys)
    checkpoint = Checkpoint.parse(open_note(raw, known).text)
    expected = known[0].name if origin is None else origin
    if checkpoint.origin != expected:
        raise WrongOriginError(f"this is a checkpoint of {checkpoint.origin!r}, not of {expected!r}")
    return checkpoint
