"""gRPC between processes: servers that stop gracefully, channels with keepalive, streams that reopen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from lienthong.kit.backoff import Backoff
from lienthong.kit.cancellation import cancelled_first
from lienthong.kit.ports import listen
from lienthong.kit.rpc_errors import Deadline, ProblemsToStatus
from lienthong.kit.rpc_trust import SERVER_NAME, OnlyInside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable

    from lienthong.kit.rpc_trust import RpcTrust

T = TypeVar("T")

_LARGEST_MESSAGE = 64 * 1024 * 1024
_KEEPALIVE = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
]
_SERVER = [
    *_KEEPALIVE,
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    # A port in use must be an error; by default gRPC shares it with the other process.
    ("grpc.so_reuseport", 0),
]
_CHANNEL = [
    *_KEEPALIVE,
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Despite its name: how long one attempt may take at least, TLS included, also on a busy machine.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    # A revocation must reach a gateway within a second, also right after the catalog was away.
    ("grpc.max_reconnect_backoff_ms", 250),
    ("grpc.ssl_target_name_override", SERVER_NAME),
]

STEADY_AFTER_S = 1.0
"""A stream that holds for this long is steady; one that does not is opened again after ever longer pauses."""

_log = structlog.get_logger(__name__)


class RpcServer:
    """A running gRPC server."""

    def __init__(
        self, server: grpc.aio.Server, port: int, status: health.aio.HealthServicer, errors: ProblemsToStatus
    ) -> None:
        self.port = port
        self._server = server
        self._status = status
        self._errors = errors

    async def stop(self, grace: float = 5.0) -> None:
        """Refuse new calls, end the streams, give unary calls `grace` seconds to finish."""
        await self._status.enter_graceful_shutdown()
        self._errors.stop()
        await self._server.stop(grace)


async def serve_rpc(address: str, register: Callable[[grpc.aio.Server], None], trust: RpcTrust) -> RpcServer:
    """Serve what `register` adds to the server, and the standard health service, on `host:port`.

    Over TLS, and but for health checks to callers who send the token of `trust`; others are UNAUTHENTICATED.
    A `ProblemError` raised by a handler becomes the nearest gRPC status, with its code in the trailing
    metadata `lgsp-error`; anything else becomes INTERNAL and is logged.

    Raises:
        OSError: the address cannot be listened on.
        RpcTrustError: the key of the certificate is missing.
    """
    errors = ProblemsToStatus()
    server = grpc.aio.server(interceptors=[OnlyInside(trust.token), errors], options=_SERVER)
    credentials = trust.server_credentials()
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    register(server)
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        # gRPC does not say why; binding a socket to the same port does.
        host, _, number = address.rpartition(":")
        listen(host.strip("[]"), int(number)).close()
        raise OSError(f"cannot listen on {address}: {error}") from error
    await server.start()
    await status.set("", health_pb2.HealthCheckResponse.SERVING)
    return RpcServer(server, port, status, errors)


def open_channel(address: str, trust: RpcTrust) -> grpc.aio.Channel:
    """A channel to `host:port`; connects when first used and again whenever the peer comes back.

    Only to a server that shows the certificate of `trust`. A unary call without a `timeout` gets ten seconds.
    """
    return grpc.aio.secure_channel(
        address, trust.channel_credentials(), options=_CHANNEL, interceptors=[Deadline(10.0)]
    )


async def follow(
    open_stream: Callable[[], AsyncIterable[T]],
    *,
    silence: float,
    name: str = "stream",
    first_pause: float = 0.05,
    longest_pause: float = 0.2,
    steady_after: float = STEADY_AFTER_S,
    on_lost: Callable[[str], None] = lambda _reason: None,
) -> AsyncGenerator[T, None]:
    """The messages of a stream that is opened again, for ever, whenever it ends, fails or falls silent.

    `silence` is how many seconds without a message mean that the peer is gone. A stream that brought messages
    and held for `steady_after` seconds is opened again at once: another replica of the peer may be there, or
    the same one again. Pauses between further attempts grow from `first_pause` to `longest_pause` seconds,
    with jitter, and start anew after a message; while the peer is away an attempt costs no network, for the
    channel knows. `on_lost` is told why, each time.
    """
    backoff = Backoff(first_pause, longest_pause)
    connected = True
    time = asyncio.get_running_loop().time
    while True:
        began, brought = time(), False
        stream = open_stream()
        iterator = aiter(stream)
        reason = "the peer ended the stream"
        try:
            while True:
                async with asyncio.timeout(silence):
                    message = await anext(iterator)
                if message is None:
                    # So says grpc.aio 1.85.1 of a message that it cannot parse; its log has the reason.
                    reason = "a message cannot be read"
                    break
                if not connected:
                    _log.info("stream is back", stream=name)
                connected = brought = True
                backoff.reset()
                yield message
        except StopAsyncIteration:
            pass
        except TimeoutError:
            reason = f"nothing came for {silence:g} s"
        except grpc.aio.AioRpcError as error:
            reason = f"{error.code().name}: {error.details()}"
        finally:
            await _cancel(stream, iterator)
        on_lost(reason)
        if connected:
            _log.warning("stream lost", stream=name, reason=reason)
        connected = False
        if not (brought and time() - began >= steady_after):
            await backoff.pause()


async def _cancel(stream: Any, iterator: Any) -> None:  # noqa: ANN401 - a gRPC call or a generator
    if hasattr(stream, "cancel"):
        stream.cancel()
    if hasattr(iterator, "aclose"):
        # A call that was cancelled ends with CancelledError too: that is not this task's own cancellation.
        with cancelled_first(), contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
            await iterator.aclose()
