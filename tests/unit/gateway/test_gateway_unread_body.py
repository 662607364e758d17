"""Whoever may not call is refused before the gateway takes a byte of the body, or looks at a long path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lienthong.gateway.match import MAX_SEGMENT, ServiceTarget, match_operation, match_service
from lienthong.kit.problems import ProblemError
from tests.unit.gateway.test_gateway_whole_way import API, opened
from tests.unit.gateway.way import OTHER, SUSPENDED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.gateway.way import Way


async def status(way: Way, path: str, token: str | None) -> int:
    """What a call is answered that has announced a large body; fails where the body is asked for."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        pytest.fail("the body was read")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    fields = [(b"host", b"gateway.example"), (b"content-length", b"300")]
    if token is not None:
        fields.append((b"authorization", f"Bearer {token}".encode()))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": fields,
        "client": ("10.0.0.7", 40_000),
    }
    await way.gateway(scope, receive, send)
    found: int = sent[0]["status"]
    return found


async def test_no_body_of_a_caller_who_may_not_call_is_read(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        path = f"{API}/p/made"
        assert await status(way, path, None) == 401
        assert await status(way, path, "a.b.c") == 401
        assert await status(way, path, way.token(SUSPENDED)) == 403
        assert await status(way, path, way.token(OTHER)) == 403
        assert await status(way, f"{API}/nothing/here", way.token()) == 404


async def test_a_part_of_the_path_has_a_length(tmp_path: Path) -> None:
    async with opened(tmp_path) as way:
        table = way.live.table

        def refusal(segment: str) -> str:
            target = match_service(f"{API}/p/{segment}".encode(), b"", table, {})
            assert isinstance(target, ServiceTarget)
            with pytest.raises(ProblemError) as refused:
                match_operation(target, "TRACE")
            return refused.value.code

        assert refusal("a" * MAX_SEGMENT) != "malformed-request"
        assert refusal("a" * (MAX_SEGMENT + 1)) == "malformed-request"
