"""What processes tell each other of their use: how it is written, and how large it may be.

    [1, seat, number, asks, hurries, leaves, [[agreement, day, calls, bytes, recent, in flight], …],
     [[seat, agreement, day, calls, bytes], …], [[seat, number], …]]

in MessagePack. Counts are those of a whole day, never differences: a message that is lost, comes twice or
late does no harm, as the next one says all of it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

SUBJECT: Final = "gateway.use"
"""In the account of the gateways, where nobody else is (ADR 0023)."""
MOST_USED: Final = 200
MOST_HEARD: Final = 50
MOST_ANSWERS: Final = 50
"""In one message: those of the longest names fit into the 64 KiB that one may have."""
MAX_MESSAGE_BYTES: Final = 64 * 1024

_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**60)]
_Day: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=4_000_000)]


class Used(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the sender has used under an agreement."""

    agreement: _Name
    day: _Day
    calls: _Count
    """In this day."""
    size: _Count
    """Bytes of bodies, in this day."""
    recent: _Count
    """Of the calls, those that began within the last minute, about."""
    in_flight: _Count


class Heard(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a seat that is gone had used, as the sender has heard."""

    seat: _Name
    agreement: _Name
    day: _Day
    calls: _Count
    size: _Count


class Answer(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """That the sender has heard what a seat told, up to the message of this number."""

    seat: _Name
    number: _Count


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one process tells all others."""

    version: Literal[1]
    seat: _Name
    number: _Count
    """A later message has a higher one."""
    asks: bool
    """Whether the sender wants to hear all that was used."""
    hurries: bool
    """Whether the others should answer at once."""
    leaves: bool
    """Whether it is the sender's last."""
    used: Annotated[list[Used], msgspec.Meta(max_length=MOST_USED)]
    heard: Annotated[list[Heard], msgspec.Meta(max_length=MOST_HEARD)]
    answers: Annotated[list[Answer], msgspec.Meta(max_length=MOST_ANSWERS)]


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


def decode(data: bytes) -> Message:
    """Read a message.

    Raises:
        ValueError: it is none, or too large.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(data)} bytes")
    return _decode(data)
