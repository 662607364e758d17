"""Who stands still for a while holds up nobody for long, loses nothing and doubles nothing.

A process on a machine that is frozen, or whose disk hangs, keeps its connections and answers nobody.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from lienthong.client import Client
from tests.faults.checker import assert_each_recorded_once
from tests.support.promises import allowed_s
from tests.support.stopping import family, standing_still
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.faults.calls import Calls
    from tests.support.platform import Platform
    from tests.support.postgres import PostgresCluster

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

PROCESSES: Final = ("gateway", "catalog", "identity", "exchange", "ledger")
LONGEST_OUTAGE_S: Final = 15.0
"""A worker that stands still is replaced after ten seconds; until then it may hold all callers."""
LONGEST_ANSWER_S: Final = 45.0
"""A request to a service whose process or database stands still is refused before that."""


@dataclass(frozen=True, slots=True)
class Course:
    """Who stands still together, one group after the other, and for how long each time."""

    groups: tuple[tuple[str, ...], ...]
    seconds: float


_ALL: Final = ("nats", "ledger", "postgresql", "worker", "catalog", "identity", "exchange")
_SHORT: Final = Course((("nats", "ledger", "catalog", "identity", "exchange"), ("postgresql", "worker")), 3)
_LONG: Final = Course((*((name,) for name in _ALL), _ALL), 20)


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.long)])
def course(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Some at the same time in every run; each alone for 20 seconds, and then all, in `make faults`."""
    monkeypatch.setenv("LIENTHONG_GATEWAY_WORKERS", "2")
    if request.param == "long":
        return _LONG
    monkeypatch.setenv("LIENTHONG_GATEWAY_WORKER_TIMEOUT_S", "2")
    return _SHORT


async def test_who_stands_still_holds_up_nobody_for_long(
    course: Course, on_postgres: Platform, calls: Calls, postgres_cluster: PostgresCluster
) -> None:
    supervisor = on_postgres.installation.supervisor

    def pid(name: str) -> int:
        if name == "postgresql":
            return postgres_cluster.pid
        return family(supervisor.pid("gateway"))[-1] if name == "worker" else supervisor.pid(name)

    rooms = Rooms(on_postgres)
    # Whoever calls sees no error but the end of a connection to a worker that was replaced.
    async with calls.going_on():
        for names in course.groups:
            async with asyncio.TaskGroup() as tasks:
                with standing_still(*(pid(name) for name in names)):
                    asked = tasks.create_task(rooms.ask())
                    await asyncio.sleep(course.seconds)
            assert max(asked.result().values()) < allowed_s(LONGEST_ANSWER_S), (names, asked.result())
            await eventually(lambda: healthy(on_postgres), f"not healthy after {names}", within=60, every=0.2)
    assert calls.longest_outage_s < allowed_s(LONGEST_OUTAGE_S)
    assert set(calls.errors) <= {"ReadError", "RemoteProtocolError"}, calls.errors
    assert_each_recorded_once(calls)


class Rooms:
    """Requests to the services behind the gateway."""

    def __init__(self, platform: Platform) -> None:
        self._gateway = platform.gateway
        system = Client(platform.consumer)
        with platform.operator() as operator, platform.auditor() as auditor, system:
            tokens = {
                "/catalog/v1/agencies": operator.token().value,
                "/exchange/v1/subscriptions": system.token().value,
                "/audit/v1/entries": auditor.token().value,
                "/oauth2/jwks": "",
            }
        self._headers = {
            path: {"Authorization": f"Bearer {token}"} if token else {} for path, token in tokens.items()
        }

    async def ask(self) -> dict[str, float]:
        """How long each took to be answered, or refused with a problem."""
        async with httpx.AsyncClient(base_url=self._gateway, timeout=8 * LONGEST_ANSWER_S) as http:

            async def one(path: str, headers: dict[str, str]) -> float:
                began = time.monotonic()
                try:
                    answer = await http.get(path, headers=headers)
                except (httpx.ReadError, httpx.RemoteProtocolError):
                    # The worker that had it was replaced.
                    return time.monotonic() - began
                assert answer.is_success or "application/problem+json" in answer.headers["Content-Type"], (
                    answer.status_code,
                    answer.text,
                )
                return time.monotonic() - began

            took = await asyncio.gather(*(one(path, headers) for path, headers in self._headers.items()))
        return dict(zip(self._headers, took, strict=True))


async def healthy(platform: Platform) -> bool:
    """Whether every process says that it is ready, and not degraded."""
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        for name in PROCESSES:
            url = f"http://127.0.0.1:{platform.settings.health_port(name)}/health/ready"
            try:
                if (await http.get(url)).json()["status"] != "ready":
                    return False
            except httpx.TransportError:
                return False
    return True
