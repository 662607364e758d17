"""Where entries lie: a message for each key in a stream of the bus, changed by whoever has seen the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from lienthong.gateway.idempotency.entry import SUBJECTS
from lienthong.kit.messages import BusUnavailableError, StreamSpec

if TYPE_CHECKING:
    from lienthong.gateway.idempotency.entry import Entry, Seal
    from lienthong.kit.ids import NewId
    from lienthong.kit.messages import PublishAck, StoredMessage
    from lienthong.kit.settings import Settings

STREAM: Final = "IDEMPOTENCY"
LONGEST_S: Final = 86_400.0
"""How long an entry is kept at most."""
_PATIENCE_S: Final = 2.0


def idempotency_stream(settings: Settings) -> StreamSpec:
    """The stream of entries: of each key the newest one."""
    return StreamSpec(
        STREAM,
        (SUBJECTS,),
        max_age=LONGEST_S,
        max_bytes=settings.idempotency_max_bytes,
        replicas=settings.nats_replicas,
        per_subject=1,
    )


class Messages(Protocol):
    """Keeps a message for each subject; `Bus` does."""

    @property
    def connected(self) -> bool:
        """Whether a server answers now."""
        ...

    @property
    def connection_number(self) -> int:
        """How many connections there have been."""
        ...

    async def ensure_stream(self, spec: StreamSpec) -> None:
        """Create the stream where it is missing."""
        ...

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        """The newest message under a subject."""
        ...

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        expected: int | None,
        timeout: float,  # noqa: ASYNC109 - as the bus has it
    ) -> PublishAck:
        """Put a message in the place of the one with the number `expected`."""
        ...


class Store:
    """Reads and writes entries; the stream is made when the first one is written."""

    def __init__(self, bus: Messages, spec: StreamSpec, seal: Seal, new_id: NewId) -> None:
        self._bus = bus
        self._spec = spec
        self._seal = seal
        self._new_id = new_id
        self._connection = 0

    async def read(self, subject: str) -> tuple[int, Entry] | None:
        """The entry under a subject, and its number; None where there is none.

        Raises:
            BusError: the bus does not say.
            ValueError: it cannot be opened.
        """
        found = await self._bus.last_message(STREAM, subject)
        return None if found is None else (found.sequence, self._seal.opened(subject, found.payload))

    async def write(self, subject: str, entry: Entry, expected: int) -> int:
        """Put an entry in the place of the one of number `expected`, 0 for none; returns its own number.

        Raises:
            BusConflictError: another one is there.
            BusError: it may be stored or not.
        """
        if self._connection != self._bus.connection_number:
            if not self._bus.connected:
                raise BusUnavailableError("not connected")
            await self._bus.ensure_stream(self._spec)
            self._connection = self._bus.connection_number
        ack = await self._bus.publish(
            subject,
            self._seal.sealed(subject, entry),
            message_id=self._new_id(),
            expected=expected,
            timeout=_PATIENCE_S,
        )
        return ack.sequence
