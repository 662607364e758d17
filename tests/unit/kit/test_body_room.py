"""No caller fills a process's memory with bodies, however many are sent and however slowly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lienthong.kit import bodies
from lienthong.kit.access import Access, Caller, require
from lienthong.kit.bodies import BodyIncompleteError, BodyTooLargeError, read_body
from lienthong.kit.body_room import BodyRoom
from lienthong.kit.clock import ManualClock
from lienthong.kit.keys import IdentityKeys
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.rest import StrictRoute, create_rest_app
from lienthong.kit.shown import Shown
from lienthong.kit.text import BilingualText
from lienthong.kit.tokens import AccessToken, KeySet, TokenVerifier
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fastapi import FastAPI

LIMIT, CALLERS, ALL = 40, 100, 250


class AnyToken(Access):
    """Takes a token for the id of its client."""

    def __init__(self) -> None:
        keys = IdentityKeys(1, "issuer", "", KeySet({}), frozenset())
        super().__init__(
            lambda: keys,
            TokenVerifier("issuer", "audience", ManualClock()),
            Shown(rpc_trust(), ManualClock()),
        )

    def authenticate(self, token: str, *, with_proof: bool = False) -> AccessToken:
        assert not with_proof
        now = datetime.now(UTC)
        return AccessToken(token, frozenset(), "", now, now, now)


class Note(BaseModel):
    """A declared body."""

    text: str


def application(charged: list[int]) -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    def charge(size: int) -> None:
        if size == LIMIT - 1:
            raise ProblemError(general.RATE_LIMITED, BilingualText("en", "vi"))
        charged.append(size)

    @router.post("/bodies")
    async def take_body(request: Request, caller: Annotated[Caller, Depends(require())]) -> str:
        try:
            return f"{caller.client_id} {len(await read_body(request, LIMIT, charge=charge))}"
        except BodyTooLargeError:
            return "too large"
        except BodyIncompleteError:
            return "incomplete"

    @router.post("/notes")
    async def take_note(note: Note, caller: Annotated[Caller, Depends(require())]) -> str:
        return note.text

    @router.post("/open")
    async def take_open(request: Request) -> int:
        return len(await read_body(request, LIMIT))

    room = BodyRoom(all_bytes=ALL, callers_bytes=CALLERS)
    app = create_rest_app("test", summary="A test.", openapi_path="/openapi.json", bodies=room)
    app.state.access = AnyToken()
    app.include_router(router)
    return app


class Upload:
    """A request whose body comes when the test says so."""

    def __init__(self, app: FastAPI, path: str, caller: str, length: int | None) -> None:
        headers = [(b"authorization", f"Bearer {caller}".encode())] if caller else []
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [*headers, (b"content-type", b"application/json")],
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
        }
        self._parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.answer = b""
        self.read = asyncio.Event()
        self._task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        self.read.set()
        return await self._parts.get()

    async def _send(self, message: Any) -> None:  # noqa: ANN401 - ASGI's
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        self.answer += message.get("body", b"")

    def part(self, body: bytes, *, more: bool = True) -> None:
        self._parts.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self._parts.put_nowait({"type": "http.disconnect"})

    async def under_way(self) -> bool:
        """Whether its body is waited for; else it has been answered."""
        waiting = asyncio.create_task(self.read.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return not self._task.done()

    async def outcome(self) -> tuple[int, bytes]:
        await self._task
        return self.status, self.headers.get(b"lgsp-error", self.answer)


@asynccontextmanager
async def uploads(app: FastAPI, *callers: str, length: int | None) -> AsyncIterator[list[Upload]]:
    found = [Upload(app, "/bodies", caller, length) for caller in callers]
    yield found
    for upload in found:
        upload.hang_up()
        await upload.outcome()


@pytest.mark.parametrize("length", [LIMIT, None], ids=["said", "in chunks"])
async def test_a_caller_cannot_have_more_bodies_under_way_than_its_share(length: int | None) -> None:
    app = application([])
    async with uploads(app, "a", "a", "a", length=length) as [first, second, third]:
        assert await first.under_way()
        assert await second.under_way()
        assert await third.outcome() == (429, b"rate-limited")
        assert third.headers[b"retry-after"] == b"1"
        assert not third.read.is_set(), "nothing of it is read"
        async with uploads(app, "b", length=length) as [other]:
            assert await other.under_way(), "others have their own share"
        first.part(b"x" * LIMIT, more=False)
        assert await first.outcome() == (200, f'"a {LIMIT}"'.encode())
        async with uploads(app, "a", length=length) as [again]:
            assert await again.under_way(), "the room is free again"


async def test_all_callers_together_have_no_more_under_way_than_the_process_holds() -> None:
    app = application([])
    async with uploads(app, "a", "a", "b", "b", "c", "c", "d", length=LIMIT) as under_way:
        assert [await upload.under_way() for upload in under_way] == [True] * 6 + [False]
        assert await under_way[-1].outcome() == (503, b"busy")
        assert under_way[-1].headers[b"retry-after"] == b"1"
        stranger = Upload(app, "/open", "", LIMIT)
        assert await stranger.outcome() == (503, b"busy")
        note = Upload(app, "/notes", "d", LIMIT)
        assert await note.outcome() == (503, b"busy"), "declared bodies take room as well"
    async with uploads(app, "d", length=LIMIT) as [upload]:
        assert await upload.under_way()


async def test_a_body_in_chunks_keeps_room_for_what_came() -> None:
    room = BodyRoom(all_bytes=ALL, callers_bytes=CALLERS)
    there, done = asyncio.Event(), asyncio.Event()
    router = APIRouter(route_class=StrictRoute)

    @router.post("/bodies")
    async def take_body(request: Request, caller: Annotated[Caller, Depends(require())]) -> None:
        await read_body(request, CALLERS)
        there.set()
        await done.wait()

    app = create_rest_app("test", summary="A test.", openapi_path="/openapi.json", bodies=room)
    app.state.access = AnyToken()
    app.include_router(router)
    first = Upload(app, "/bodies", "a", None)
    assert await first.under_way()
    assert await Upload(app, "/bodies", "a", 1).outcome() == (429, b"rate-limited")
    first.part(b"x", more=False)
    await there.wait()
    second = Upload(app, "/bodies", "a", CALLERS - 1)
    assert await second.under_way()
    second.part(b"y" * (CALLERS - 1), more=False)
    done.set()
    await asyncio.gather(first.outcome(), second.outcome())
    room.take("a", CALLERS)


async def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    app = application([])
    upload = Upload(app, "/bodies", "a", LIMIT + 1)
    assert await upload.outcome() == (200, b'"too large"')
    assert not upload.read.is_set()


@pytest.mark.parametrize(("length", "before"), [(LIMIT, [LIMIT]), (None, [])])
async def test_bytes_are_charged_before_they_are_read_where_their_number_is_said(
    length: int | None, before: list[int]
) -> None:
    charged: list[int] = []
    app = application(charged)
    upload = Upload(app, "/bodies", "a", length)
    assert await upload.under_way()
    assert charged == before
    upload.part(b"x" * LIMIT, more=False)
    assert (await upload.outcome())[0] == 200
    assert charged == [LIMIT]


async def test_a_body_whose_bytes_are_refused_is_not_read_and_keeps_no_room() -> None:
    app = application([])
    for _ in range(5):
        upload = Upload(app, "/bodies", "a", LIMIT - 1)
        assert await upload.outcome() == (429, b"rate-limited")
        assert not upload.read.is_set()


async def test_a_body_that_does_not_come_in_time_gives_its_room_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    app = application([])
    for _ in range(3):
        slow = [Upload(app, "/bodies", "a", LIMIT) for _ in range(2)]
        for upload in slow:
            upload.part(b"x")
        assert {await upload.outcome() for upload in slow} == {(408, b"request-timeout")}
        assert slow[0].headers[b"connection"] == b"close"


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.integers(0, 60), st.booleans()), max_size=40))
def test_what_is_held_is_what_was_taken_and_not_given_back(wanted: Sequence[tuple[str, int, bool]]) -> None:
    room = BodyRoom(all_bytes=150, callers_bytes=80)
    held: list[tuple[str, int]] = []
    for caller, size, gives_back in wanted:
        try:
            room.take(caller, size)
        except ProblemError:
            mine = sum(taken for name, taken in held if name == caller)
            assert sum(taken for _, taken in held) + size > 150 or (caller and mine + size > 80)
        else:
            held.append((caller, size))
        assert sum(taken for _, taken in held) <= 150
        if held and gives_back:
            room.give_back(*held.pop())
    for one in held:
        room.give_back(*one)
    room.take("", 150)


async def test_the_document_says_that_there_may_be_no_room() -> None:
    transport = httpx.ASGITransport(app=application([]))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        document = (await client.get("/openapi.json")).json()
    answers = document["paths"]["/notes"]["post"]["responses"]
    for status, code in (("408", "request-timeout"), ("429", "rate-limited"), ("503", "busy")):
        assert f"`{code}`" in answers[status]["description"]
