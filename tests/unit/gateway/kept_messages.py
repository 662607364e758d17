"""The bus as far as the idempotency store uses it, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.messages import BusConflictError, BusUnavailableError, PublishAck, StoredMessage

if TYPE_CHECKING:
    from lienthong.kit.messages import StreamSpec


class MemoryMessages:
    """Keeps the newest message of each subject; away when a test says so."""

    def __init__(self) -> None:
        self.connected = True
        self.connection_number = 1
        self.streams: list[str] = []
        self.kept: dict[str, StoredMessage] = {}
        self._sequence = 0

    async def ensure_stream(self, spec: StreamSpec) -> None:
        self.streams.append(spec.name)

    async def last_message(self, stream: str, subject: str) -> StoredMessage | None:
        self._there()
        assert stream in self.streams
        return self.kept.get(subject)

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        expected: int | None,
        timeout: float,  # noqa: ASYNC109 - as the bus has it
    ) -> PublishAck:
        self._there()
        del timeout
        last = self.kept.get(subject)
        if (last.sequence if last is not None else 0) != expected:
            raise BusConflictError(subject)
        self._sequence += 1
        self.kept[subject] = StoredMessage(payload, {"Nats-Msg-Id": message_id}, self._sequence)
        return PublishAck("IDEMPOTENCY", self._sequence, duplicate=False)

    def _there(self) -> None:
        if not self.connected:
            raise BusUnavailableError("away")
