"""The values and errors of the bus. Errors:

BusError
├── BusUnavailableError   not acknowledged, perhaps stored: try again with the same message id
│   └── BusFullError           not stored: the stream, or the server, holds as much as it may
├── BusRefusedError       the server will never accept this: do not try again
├── BusConflictError      not stored: the subject has another message than was expected
└── BusNotTogetherError   not stored, none of them: publish them one by one
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime


class BusError(Exception):
    """A request to the bus failed."""


class BusUnavailableError(BusError):
    """No acknowledgement came: the message may or may not be stored. Publish it again under the same id."""


class BusFullError(BusUnavailableError):
    """The stream or the server holds as many bytes as it may. Publish again once there is room."""


class BusRefusedError(BusError):
    """The server refused for good: too large, a bad subject, an impossible configuration."""


class BusConflictError(BusError):
    """The newest message under the subject is another one than was expected. Nothing is stored."""


class BusNotTogetherError(BusError):
    """The stream does not take these messages together: it has one of them, cannot store one, or takes none
    so. None of them is stored."""


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """The wanted configuration of a stream. Ages and windows in seconds; `None` means without limit.

    A full stream (`max_bytes`) refuses new messages and never drops those that it has acknowledged, not even
    when its limit is lowered. A stream without limit can take the disk from all others, whatever theirs are.
    `max_message_bytes` counts payload and headers. Of a protected stream no message can be deleted or purged,
    by anybody (`deny_delete` and `deny_purge` are for good), and no process changes its configuration: that
    is the operator's. One that is `pruned` can be purged all the same, by whoever has that right. One that is
    `atomic` takes several messages together, all or none. Of a stream that keeps so many `per_subject` a new
    message takes the place of the oldest one under its subject.
    """

    name: str
    subjects: Sequence[str]
    max_age: float | None = None
    max_bytes: int | None = None
    max_message_bytes: int | None = None
    duplicate_window: float = 120.0
    replicas: int = 1
    protected: bool = False
    pruned: bool = False
    atomic: bool = False
    per_subject: int | None = None


@dataclass(frozen=True, slots=True)
class StreamState:
    """When a stream was created, the sequences of its newest message (0 before the first) and of its oldest
    (without any: of the next one), how many bytes it has, and how many it may have (None: any number); how
    many messages are missing between the oldest and the newest one.

    `created` distinguishes a stream from an earlier or later one of the same name.
    """

    created: str
    last_sequence: int
    bytes: int
    max_bytes: int | None
    first_sequence: int = 1
    missing: int = 0


@dataclass(frozen=True, slots=True)
class PublishAck:
    """The server has the message on disk, under `sequence`; `duplicate` when it had it before."""

    stream: str
    sequence: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message to be published from an outbox; without a `message_id` it gets a new one."""

    subject: str
    payload: bytes
    message_id: str | None = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it lies in a stream, under `sequence` where it was read from one."""

    payload: bytes
    headers: Mapping[str, str]
    sequence: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message taken from a stream, to be settled by exactly one of `ack`, `nak`, `term`."""

    subject: str
    payload: bytes
    headers: Mapping[str, str]
    sequence: int
    stored_at: datetime
    """When the stream took it, by the server's clock; in UTC."""
    delivered_count: int
    reply: str
    _acknowledge: Callable[[str, bytes], Awaitable[None]] = field(repr=False, compare=False)

    async def ack(self) -> None:
        """Acknowledge: the message is processed. Returns when the server has confirmed it.

        Raises:
            BusUnavailableError: it has not; the message may be delivered again.
        """
        await self._acknowledge(self.reply, b"+ACK")

    async def nak(self, delay: float | None = None) -> None:
        """Ask for redelivery, after `delay` seconds, at once without it."""
        wait = f' {{"delay": {int(delay * 1e9)}}}' if delay else ""
        await self._acknowledge(self.reply, f"-NAK{wait}".encode())

    async def term(self) -> None:
        """Ask the server not to deliver the message again: it cannot be processed."""
        await self._acknowledge(self.reply, b"+TERM")


def headers_size(headers: Mapping[str, str] | None) -> int:
    """How many bytes NATS headers take on the wire (ADR-4 of NATS); they count towards `max_payload`."""
    if headers is None:
        return 0
    lines = sum(len(f"{name.strip()}: {value.strip()}\r\n".encode()) for name, value in headers.items())
    return len(b"NATS/1.0\r\n") + lines + len(b"\r\n")
