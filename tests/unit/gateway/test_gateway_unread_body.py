"""Whoever may not call is refused before the gateway takes a byte of the body, or looks at a long path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.match import MAX_SEGMENT, match_methods, match_operation, match_service
from lienthong.gateway.targets import ServiceTarget
from lienthong.kit.problems import ProblemError
from tests.support.waiting import eventually
from tests.unit.gateway.test_gateway_whole_way import API, opened
from tests.unit.gateway.way import OTHER, SUSPENDED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.gateway.way import Way


async def statuses(way: Way, path: str, token: str | None) -> list[int]:
    """What a caller is told that has announced a body and waits to be asked for it."""
    fields = ["Host: gateway.example", "Content-Length: 300", "Expect: 100-continue"]
    if token is not None:
        fields.append(f"Authorization: Bearer {token}")
    wire = way.wire()
    wire.send("\r\n".join([f"POST {path} HTTP/1.1", *fields, "", ""]).encode())
    await eventually(lambda: wire.transport.written)
    wire.leave()
    await wire.settle()
    return [answer.status for answer in wire.answers()]


async def status(way: Way, path: str, token: str | None) -> int:
    """The same, where the body is not asked for."""
    [found] = await statuses(way, path, token)
    return found


async def test_no_body_of_a_caller_who_may_not_call_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        path = f"{API}/p/made"
        assert await status(way, path, None) == 401
        assert await status(way, path, "a.b.c") == 401
        assert await status(way, path, way.token(SUSPENDED)) == 403
        assert await status(way, path, way.token(OTHER)) == 403
        assert await status(way, f"{API}/nothing/here", way.token()) == 404
        assert await statuses(way, path, way.token()) == [100], "who may call is asked for it"


async def test_a_part_of_the_path_has_a_length(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        table = way.live.table

        def refusal(segment: str) -> str:
            target = match_service(f"{API}/p/{segment}".encode(), b"", table, {})
            assert isinstance(target, ServiceTarget)
            with pytest.raises(ProblemError) as refused:
                match_operation(match_methods(target), "TRACE")
            return refused.value.code

        assert refusal("a" * MAX_SEGMENT) != "malformed-request"
        assert refusal("a" * (MAX_SEGMENT + 1)) == "malformed-request"
