"""gRPC between processes, over real sockets."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.backoff import Backoff
from lienthong.kit.problems import ProblemError, ProblemType
from lienthong.kit.rpc import follow, open_channel, serve_rpc
from lienthong.kit.text import BilingualText
from tests.support.promises import allowed_s
from tests.support.rpc import rpc_trust
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lienthong.kit.rpc import RpcServer
    from lienthong.kit.rpc_trust import RpcTrust

    Context = grpc.aio.ServicerContext[keys_pb2.WatchRequest, AsyncIterator[keys_pb2.WatchResponse]]


class Keys(keys_pb2_grpc.KeysServicer):
    """Two states at once, then as the test wants: silence, an end or a failure."""

    def __init__(self, then: Callable[[], Awaitable[None]]) -> None:
        self.then = then
        self.watchers = 0

    async def Watch(  # noqa: N802 - the contract's name
        self, request: keys_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[keys_pb2.WatchResponse]:
        self.watchers += 1
        try:
            yield keys_pb2.WatchResponse(version=1)
            yield keys_pb2.WatchResponse(version=2)
            await self.then()
        finally:
            self.watchers -= 1


async def for_ever() -> None:
    await asyncio.Event().wait()


async def end() -> None:
    return


async def serve(keys: Keys, port: int = 0, trust: RpcTrust | None = None) -> RpcServer:
    return await serve_rpc(
        f"127.0.0.1:{port}",
        lambda server: keys_pb2_grpc.add_KeysServicer_to_server(keys, server),
        trust or rpc_trust(),
    )


async def watch(port: int, amount: int, *, silence: float = 5.0) -> list[int]:
    channel = open_channel(f"127.0.0.1:{port}", rpc_trust())
    stub = keys_pb2_grpc.KeysStub(channel)
    versions: list[int] = []
    states = follow(lambda: stub.Watch(keys_pb2.WatchRequest()), silence=silence, first_pause=0.01)
    async for state in states:
        versions.append(state.version)
        if len(versions) == amount:
            break
    await states.aclose()
    await channel.close()
    return versions


async def raised_by(error: Exception) -> grpc.aio.AioRpcError:
    async def fail() -> None:
        raise error

    server = await serve(Keys(fail))
    async with open_channel(f"127.0.0.1:{server.port}", rpc_trust()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            async for _ in keys_pb2_grpc.KeysStub(channel).Watch(keys_pb2.WatchRequest()):
                pass
    await server.stop(0)
    return failed.value


async def test_a_problem_becomes_the_nearest_status_and_keeps_its_code() -> None:
    title = BilingualText("No such agency", "Không có cơ quan này")
    kind = ProblemType(code="no-such-agency", status=404, title=title, advice=title)
    error = await raised_by(ProblemError(kind, BilingualText("There is no H99.", "Không có H99.")))
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "There is no H99.")
    assert ("lgsp-error", "no-such-agency") in tuple(error.trailing_metadata())


async def test_an_unexpected_failure_leaks_nothing() -> None:
    error = await raised_by(RuntimeError("the password is hunter2"))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")


async def test_a_followed_stream_that_ends_is_opened_again() -> None:
    server = await serve(Keys(end))
    assert await watch(server.port, 6) == [1, 2, 1, 2, 1, 2]
    await server.stop(0)


@pytest.mark.parametrize(("steady_after", "pauses"), [(0.0, ["first"]), (3600.0, ["first"] * 2)])
async def test_a_stream_that_has_worked_is_opened_again_without_a_pause(
    monkeypatch: pytest.MonkeyPatch, steady_after: float, pauses: list[str]
) -> None:
    """It brings a message and ends, is refused once, and brings another: only the refusal is waited after."""
    taken: list[str] = []
    lost: list[str] = []

    async def note(_pause: float) -> None:
        taken.append("first")

    monkeypatch.setattr("lienthong.kit.rpc.Backoff", partial(Backoff, sleep=note))
    answers = iter([["revoked"], [], ["approved"]])

    async def stream() -> AsyncIterator[str]:
        for answer in next(answers):
            yield answer

    states = follow(stream, silence=5.0, steady_after=steady_after, on_lost=lost.append)
    assert [await anext(states), await anext(states)] == ["revoked", "approved"]
    await states.aclose()
    assert (taken, len(lost)) == (pauses, 2)


async def test_silence_means_that_the_peer_is_gone() -> None:
    server = await serve(Keys(for_ever))
    assert await watch(server.port, 4, silence=1.5) == [1, 2, 1, 2]
    await server.stop(0)


async def test_following_survives_a_peer_that_comes_late_and_restarts(free_port: int) -> None:
    following = asyncio.create_task(watch(free_port, 4))
    await asyncio.sleep(0.2)
    first = await serve(Keys(for_ever), free_port)
    await asyncio.sleep(0.5)
    await first.stop(0)
    second = await serve(Keys(for_ever), free_port)
    async with asyncio.timeout(30):
        assert await following == [1, 2, 1, 2]
    await second.stop(0)


async def test_a_message_that_cannot_be_read_does_not_end_following(free_port: int) -> None:
    messages = iter([b"\xff", keys_pb2.WatchResponse(version=7).SerializeToString()])

    async def answer(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        yield next(messages)
        await for_ever()

    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Watch": grpc.unary_stream_rpc_method_handler(answer)
    }
    name = keys_pb2.DESCRIPTOR.services_by_name["Keys"].full_name
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))
    server.add_secure_port(f"127.0.0.1:{free_port}", rpc_trust().server_credentials())
    await server.start()
    try:
        assert await watch(free_port, 1) == [7]
    finally:
        await server.stop(0)


async def test_a_stopping_server_ends_its_streams_at_once() -> None:
    keys = Keys(for_ever)
    server = await serve(keys)
    async with open_channel(f"127.0.0.1:{server.port}", rpc_trust()) as channel:
        stream = keys_pb2_grpc.KeysStub(channel).Watch(keys_pb2.WatchRequest())
        seen = [await stream.read() for _ in range(2)]
        assert seen == [keys_pb2.WatchResponse(version=1), keys_pb2.WatchResponse(version=2)]
        begun = time.monotonic()
        await server.stop(30.0)
        assert time.monotonic() - begun < allowed_s(5)
        assert await stream.read() is grpc.aio.EOF
    assert keys.watchers == 0


async def test_a_watcher_that_leaves_is_forgotten() -> None:
    keys = Keys(for_ever)
    server = await serve(keys)
    await watch(server.port, 2)
    await eventually(lambda: keys.watchers == 0)
    await server.stop(0)


async def test_the_standard_health_service_answers() -> None:
    server = await serve(Keys(end))
    async with open_channel(f"127.0.0.1:{server.port}", rpc_trust()) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    await server.stop(0)


async def test_a_port_in_use_is_told_not_shared() -> None:
    server = await serve(Keys(end))
    with pytest.raises(OSError, match="cannot listen on"):
        await serve(Keys(end), server.port)
    await server.stop(0)
