"""What processes tell each other of the proofs that they have taken: how it is written, and how large it is.

    [1, seat, [[second of the nonce, digests], …]]

in MessagePack; digests are of 16 bytes each, one behind the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from lienthong.gateway.proofs.seen import DIGEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUBJECT: Final = "gateway.proofs"
"""In the account of the gateways, where nobody else is (ADR 0023)."""
MOST_TOLD: Final = 1_000
"""Proofs in one message: of as many seconds as there may be, they fit into the 64 KiB that one may have."""
MAX_MESSAGE_BYTES: Final = 64 * 1024


class OfSecond(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The proofs whose nonces were given in one second."""

    nonce_from: Annotated[int, msgspec.Meta(ge=0, le=2**40)]
    digests: Annotated[bytes, msgspec.Meta(max_length=MOST_TOLD * DIGEST_BYTES)]

    def each(self) -> Iterator[bytes]:
        """The digests one by one."""
        whole = len(self.digests) - len(self.digests) % DIGEST_BYTES
        return (self.digests[at : at + DIGEST_BYTES] for at in range(0, whole, DIGEST_BYTES))


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one process tells all others."""

    version: Literal[1]
    seat: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    used: Annotated[list[OfSecond], msgspec.Meta(max_length=MOST_TOLD)]


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


def message(seat: str, used: Iterable[tuple[int, bytes]]) -> Message:
    """The message on these proofs: the second of the nonce and the digest of each."""
    by_second: dict[int, bytearray] = {}
    for nonce_from, digest in used:
        by_second.setdefault(nonce_from, bytearray()).extend(digest)
    return Message(1, seat, [OfSecond(second, bytes(digests)) for second, digests in by_second.items()])


def decode(data: bytes) -> Message:
    """Read a message.

    Raises:
        ValueError: it is none, or too large.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(data)} bytes")
    return _decode(data)
