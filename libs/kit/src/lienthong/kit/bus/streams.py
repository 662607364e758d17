"""The streams of the server: created, changed, and looked into."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from lienthong.kit.bus.faults import message_or_none, reading, translated
from lienthong.kit.messages import (
    BusRefusedError,
    BusUnavailableError,
    StoredMessage,
    StreamSpec,
    StreamState,
)

if TYPE_CHECKING:
    from lienthong.kit.bus.connection import Connection

_CONFIGURED = (
    "subjects", "max_age", "max_bytes", "max_msg_size", "max_msgs", "discard", "storage", "num_replicas",
    "duplicate_window", "deny_delete", "deny_purge", "allow_atomic", "max_msgs_per_subject",
)  # fmt: skip

_PATIENCE_S = 5.0


class Streams:
    """The streams, as they are seen over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ensure(self, spec: StreamSpec) -> None:
        """Create the stream, or change it to what `spec` says; a protected one is never changed.

        Raises:
            BusUnavailableError: the server did not answer.
            BusRefusedError: the stream exists and cannot be changed to this.
        """
        config = _configuration(spec)
        with translated(f"stream {spec.name}"):
            # Looked for first: nats-server 2.15 refuses to create a stream that is there already, just as it
            # is to be, when the room for another one of its size is missing.
            present = await self._present(spec.name)
            if present is None:
                try:
                    await self._connection.jetstream().add_stream(config)
                except APIError:
                    # Another process may have created it at this moment.
                    present = await self._present(spec.name)
                    if present is None:
                        raise
                else:
                    return
            other = [name for name in _CONFIGURED if _plain(present, name) != _plain(config, name)]
            if other and spec.protected:
                raise BusRefusedError(f"stream {spec.name} has another {', '.join(other)}: left as it is")
            if other:
                await self._connection.jetstream().update_stream(config)

    async def state(self, stream: str) -> StreamState:
        """When the stream was created, the sequence of its newest message, and its size.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        found = await self.find(stream)
        if found is None:
            raise BusUnavailableError(f"stream {stream}: stream not found")
        return found

    async def find(self, stream: str) -> StreamState | None:
        """As `state`; None when there is no stream.

        Raises:
            BusUnavailableError: the server did not answer.
        """
        with reading(stream):
            try:
                info = await self._connection.jetstream().stream_info(stream)
            except NotFoundError:
                return None
        first, last = max(1, info.state.first_seq), info.state.last_seq
        return StreamState(
            str(info.created),
            last,
            info.state.bytes,
            _limit(info.config.max_bytes),
            first,
            max(0, last - first + 1 - info.state.messages),
        )

    async def gaps(self, stream: str) -> list[tuple[int, int]]:
        """The first and last sequences of messages that are missing between others, in order.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        request = json.dumps({"deleted_details": True}).encode()
        answer = await self._connection.request(f"$JS.API.STREAM.INFO.{stream}", request, None, _PATIENCE_S)
        document = json.loads(answer.data or b"{}")
        if "state" not in document:
            raise BusUnavailableError(f"stream {stream}: {document.get('error')}")
        found: list[tuple[int, int]] = []
        for sequence in document["state"].get("deleted") or ():
            if found and found[-1][1] == sequence - 1:
                found[-1] = (found[-1][0], sequence)
            else:
                found.append((sequence, sequence))
        return found

    async def last_sequence(self, stream: str) -> int:
        """The sequence of the newest message that the stream ever stored; 0 before the first.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        return (await self.state(stream)).last_sequence

    async def next_sequence(self, stream: str, sequence: int) -> int | None:
        """The sequence of the first message that the stream has at `sequence` or after it; None without one.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        with reading(stream):
            found = await message_or_none(
                self._connection.jetstream().get_msg(stream, sequence, subject=">", next=True)
            )
        return None if found is None else found.seq

    async def message(self, stream: str, sequence: int) -> StoredMessage | None:
        """The message that the stream has under `sequence`; None when it has none there.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        with reading(stream):
            found = await message_or_none(self._connection.jetstream().get_msg(stream, sequence))
        return (
            None if found is None else StoredMessage(found.data or b"", found.headers or {}, found.seq or 0)
        )

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """The newest message that the stream has under a subject; None when it has none.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        with reading(stream):
            found = await message_or_none(self._connection.jetstream().get_last_msg(stream, subject))
        return (
            None if found is None else StoredMessage(found.data or b"", found.headers or {}, found.seq or 0)
        )

    async def purge_before(self, stream: str, sequence: int) -> None:
        """Have the stream let go every message before `sequence`; harmless when they are gone.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
            BusRefusedError: the stream forbids it, for good.
        """
        if sequence < 1:
            # For the server 0 is no limit: it would let everything go.
            raise ValueError(f"message {sequence} is none that could stay")
        with translated(f"stream {stream}"):
            await self._connection.jetstream().purge_stream(stream, seq=sequence)

    async def durables(self, stream: str) -> list[str]:
        """The names of the stream's durable consumers.

        Raises:
            BusUnavailableError: the server did not answer, or there is no stream.
        """
        names: list[str] = []
        with reading(stream):
            while page := await self._connection.jetstream().consumers_info(stream, offset=len(names)):
                names += [info.name for info in page]
        return names

    async def acknowledged_through(self, stream: str, durable: str) -> int:
        """The sequence up to which a durable consumer has acknowledged everything.

        Raises:
            BusUnavailableError: the server did not answer, or does not know the consumer.
        """
        with reading(stream):
            info = await self._connection.jetstream().consumer_info(stream, durable)
        return info.ack_floor.stream_seq if info.ack_floor is not None else 0

    async def unacknowledged(self, stream: str, durable: str) -> int:
        """How many messages a durable consumer delivered that are not acknowledged, overdue ones included.

        Raises:
            BusUnavailableError: the server did not answer, or does not know the consumer.
        """
        with reading(stream):
            info = await self._connection.jetstream().consumer_info(stream, durable)
        return info.num_ack_pending or 0

    async def delete_consumer(self, stream: str, durable: str) -> None:
        """Delete a consumer with its state on the server; does nothing when there is none."""
        with translated(f"consumer {durable}"), contextlib.suppress(NotFoundError):
            await self._connection.jetstream().delete_consumer(stream, durable)

    async def _present(self, stream: str) -> StreamConfig | None:
        try:
            return (await self._connection.jetstream().stream_info(stream)).config
        except NotFoundError:
            return None


def _configuration(spec: StreamSpec) -> StreamConfig:
    return StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        max_age=spec.max_age,
        max_bytes=spec.max_bytes if spec.max_bytes is not None else -1,
        max_msg_size=spec.max_message_bytes if spec.max_message_bytes is not None else -1,
        max_msgs=-1,
        max_msgs_per_subject=spec.per_subject if spec.per_subject is not None else -1,
        discard=DiscardPolicy.NEW,
        storage=StorageType.FILE,
        num_replicas=spec.replicas,
        duplicate_window=spec.duplicate_window,
        deny_delete=spec.protected,
        deny_purge=spec.protected and not spec.pruned,
        allow_atomic=spec.atomic,
    )


def _plain(config: StreamConfig, name: str) -> object:
    """A part of a stream's configuration; what is left out is zero for the server."""
    return getattr(config, name) or 0


def _limit(value: int | None) -> int | None:
    """A limit of a stream; the server says -1 for none."""
    return value if value is not None and value >= 0 else None
