"""Calls without a token: what is made ready for them is what would have been formed, and all are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lienthong.gateway import problems
from lienthong.gateway.call import Answered, Call
from lienthong.gateway.context import CallContext
from lienthong.gateway.figures import CallFigures
from lienthong.gateway.platform_routes import DocumentRoute
from lienthong.gateway.response import ReadyProblem, problem_response
from lienthong.kit.clock import ManualClock
from lienthong.kit.ids import uuid7
from tests.unit.gateway.test_gateway_whole_way import API, opened

if TYPE_CHECKING:
    from pathlib import Path

NO_TOKEN = problems.no_token()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("tx", ["019ab000-0000-7000-8000-000000000000", "1"])
def test_a_ready_problem_is_answered_to_the_byte_as_one_that_is_formed(method: str, tx: str) -> None:
    call = Call(tx, ManualClock().now(), method, b"/api/x", b"", "10.0.0.7")
    call.context = CallContext("hồ sơ 1", "079090000001")
    call.trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ready = ReadyProblem(NO_TOKEN)
    for _ in range(2):
        one, other = ready.response(call), problem_response(call, NO_TOKEN)
        assert (one.status, one.fields, one.body, one.error, one.dated) == (
            other.status,
            other.fields,
            other.body,
            other.error,
            other.dated,
        )


async def test_every_call_without_a_token_is_counted_in_figures_and_journal(tmp_path: Path) -> None:
    async with opened(tmp_path, budget=1) as way:
        [first] = (await way.call("GET", f"{API}/p/1"))["records"]
        assert '"kind":"call"' in first
        wire = way.wire()
        for _ in range(3):
            wire.send(f"GET {API}/p/1 HTTP/1.1\r\nhost: gateway.example\r\n\r\n".encode())
            await wire.settle()
        way.bus.records.clear()
        await way.recorder.samples()
        [sample] = way.bus.records
        assert '"error":"no-token","count":3,' in sample
        assert '"service"' not in sample, "of strangers the services that they name are not told apart"
        assert way.figures.refused["no-token"] == 4
        text = way.figures.durations.durations.text({})
        assert 'error_type="no-token"} 4\n' in text


def test_strangers_at_different_places_are_told_apart_in_figures() -> None:
    figures = CallFigures()
    for name, times in (("a", 2), ("b", 3)):
        for _ in range(times):
            call = Call(uuid7(), ManualClock().now(), "GET", b"/", b"", None)
            call.route = DocumentRoute(name, lambda: b"", 0)
            figures.end(call, Answered(401, ManualClock().now(), 0, None, "no-token"), 0.001)
    text = figures.durations.durations.text({})
    assert figures.refused["no-token"] == 5
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "_count{" in line] == ["2", "3"]


def test_the_digest_of_an_answer_is_that_of_its_body() -> None:
    now = ManualClock().now()
    whole, empty = Answered(401, now, 1, None, body=b"a"), Answered(401, now, 0, None)
    assert whole.body_sha256 == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert empty.body_sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
