"""Requests over HTTP/3, by aioquic: a client that shares no code with the edge."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PATIENCE_S: Final = 120.0


@dataclass
class Http3Answer:
    """An answer, and what was seen of the connection that it came on."""

    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    tickets: int = 0
    """How many tickets the server gave, with which a later connection could be shorter."""

    @property
    def status(self) -> int:
        return int(self.fields[":status"])


def call_http3(
    url: str,
    *,
    authority: Path,
    shown: tuple[Path, Path] | None = None,
    fields: Iterable[tuple[str, str]] = (),
    method: str = "GET",
    body: bytes = b"",
) -> Http3Answer:
    """The answer to one request on a connection of its own.

    Whatever host `url` names, the server is one of this machine; its certificate has to be for that host.
    `authority` signs for the server; `shown` is the caller's own certificate and its key.

    Raises:
        ConnectionError: there is no connection, or the server ended it; says why.
    """
    target = urlsplit(url)
    request = [
        (":method", method),
        (":scheme", target.scheme),
        (":authority", target.netloc),
        (":path", target.path + (f"?{target.query}" if target.query else "")),
        *fields,
    ]
    encoded = [(name.encode(), value.encode()) for name, value in request]
    return asyncio.run(_asked(target.hostname or "", target.port or 443, authority, shown, encoded, body))


async def _asked(
    host: str,
    port: int,
    authority: Path,
    shown: tuple[Path, Path] | None,
    fields: list[tuple[bytes, bytes]],
    body: bytes,
) -> Http3Answer:
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_REQUIRED, server_name=host)
    configuration.load_verify_locations(str(authority))
    if shown is not None:
        certificate, key = shown
        configuration.load_cert_chain(certificate, key)
    tickets: list[object] = []
    async with (
        asyncio.timeout(_PATIENCE_S),
        connect(
            "127.0.0.1",
            port,
            configuration=configuration,
            create_protocol=_Caller,
            session_ticket_handler=tickets.append,
        ) as caller,
    ):
        if not isinstance(caller, _Caller):
            raise TypeError("aioquic made another protocol")
        answer = await caller.ask(fields, body)
    answer.tickets = len(tickets)
    return answer


class _Caller(QuicConnectionProtocol):
    """A connection that carries one request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - what aioquic gives it
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._answer = Http3Answer()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ask(self, fields: list[tuple[bytes, bytes]], body: bytes) -> Http3Answer:
        """Send a request, and return its answer when it is there as a whole."""
        stream = self._quic.get_next_available_stream_id()
        self._http.send_headers(stream, fields, end_stream=not body)
        if body:
            self._http.send_data(stream, body, end_stream=True)
        self.transmit()
        await self._ended
        return self._answer

    def quic_event_received(self, event: QuicEvent) -> None:
        """Take what has come."""
        if isinstance(event, ConnectionTerminated) and not self._ended.done():
            self._ended.set_exception(ConnectionError(event.reason_phrase))
        for seen in self._http.handle_event(event):
            self._take(seen)

    def _take(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            self._answer.fields |= {name.decode(): value.decode() for name, value in event.headers}
        elif isinstance(event, DataReceived):
            self._answer.body += event.data
        if isinstance(event, HeadersReceived | DataReceived) and event.stream_ended:
            self._ended.set_result(None)
