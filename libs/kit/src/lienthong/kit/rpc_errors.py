"""Interceptors: problems become gRPC statuses, calls get deadlines, streams end when the server stops."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio
import structlog

from lienthong.kit.problems import ProblemError, general

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]

_STATUS = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ABORTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_LONGEST_UNARY = 60.0

_log = structlog.get_logger(__name__)


class ProblemsToStatus(grpc.aio.ServerInterceptor):
    """Server side. A unary call without deadline gets one; streams end at once when the server stops."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End all streams."""
        self._stopping.set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the method that was asked for."""
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc.health."):
            return handler  # type: ignore[no-any-return]
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(self._unary(handler.unary_unary, method), **codec)
        if handler.unary_stream is not None and inspect.isasyncgenfunction(handler.unary_stream):
            return grpc.unary_stream_rpc_method_handler(self._stream(handler.unary_stream, method), **codec)
        return handler  # type: ignore[no-any-return]

    def _unary(self, behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: Context) -> Any:  # noqa: ANN401 - any message
            try:
                async with asyncio.timeout(context.time_remaining() or _LONGEST_UNARY):
                    return await behaviour(request, context)
            except TimeoutError:
                await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, f"{method} took too long")
            except Exception as error:  # noqa: BLE001 - each becomes a status
                await _abort(context, method, error)

        return call

    def _stream(
        self, behaviour: Callable[..., AsyncGenerator[Any]], method: str
    ) -> Callable[..., AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:  # noqa: ANN401 - any message
            messages = behaviour(request, context)
            stopping = asyncio.create_task(self._stopping.wait())
            upcoming: asyncio.Future[Any] | None = None
            try:
                while True:
                    upcoming = asyncio.ensure_future(anext(messages))
                    await asyncio.wait({upcoming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                    if not upcoming.done():
                        break
                    yield upcoming.result()
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001 - each becomes a status
                await _abort(context, method, error)
            finally:
                stopping.cancel()
                if upcoming is not None:
                    upcoming.cancel()
                    await asyncio.gather(upcoming, return_exceptions=True)
                await messages.aclose()

        return call


class Deadline(grpc.aio.UnaryUnaryClientInterceptor):
    """Client side: a unary call that sets no deadline gets one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,  # noqa: ANN401 - any message
    ) -> Any:  # noqa: ANN401 - any call
        """Make the call, with a deadline."""
        if client_call_details.timeout is None:
            client_call_details = grpc.aio.ClientCallDetails(
                client_call_details.method,
                self._seconds,
                client_call_details.metadata,
                client_call_details.credentials,
                client_call_details.wait_for_ready,
            )
        return await continuation(client_call_details, request)


async def _abort(context: Context, method: str, error: Exception) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, ProblemError):
        status = _STATUS.get(error.status, grpc.StatusCode.UNKNOWN)
        await context.abort(status, error.detail.en, (("lgsp-error", error.code),))
    _log.error("rpc failed", method=method, exc_info=error)
    await context.abort(
        grpc.StatusCode.INTERNAL, "internal error", (("lgsp-error", general.INTERNAL_ERROR.code),)
    )
