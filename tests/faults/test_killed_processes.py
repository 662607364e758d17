"""What was answered is in the ledger once, whatever process is killed on the way."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lienthong.client import Client, ForbiddenError, LienthongError, UnavailableError, UnreachableError
from lienthong.client.operations import decide_agreement
from tests.faults.checker import assert_each_recorded_once
from tests.faults.conftest import kill
from tests.support.platform import AGREEMENT, PURPOSE, SERVICE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import random

    from lienthong.client import Answer
    from tests.faults.calls import Calls
    from tests.support.platform import Platform

pytestmark = pytest.mark.faults


@dataclass(frozen=True, slots=True)
class Course:
    """How many calls are made, and after how many of them something dies."""

    calls: int
    moments: tuple[int, ...]

    @classmethod
    def at_random(cls, chance: random.Random, calls: int, moments: int) -> Course:
        """So many moments, each somewhere in a part of the calls of its own, with calls before and after."""
        part = calls // (moments + 1)
        middles = (part * (number + 1) for number in range(moments))
        return cls(calls, tuple(middle + chance.randint(-part // 3, part // 3) for middle in middles))


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.long)])
def course(request: pytest.FixtureRequest, chance: random.Random) -> Course:
    """One fault among a few calls in every run; six among many in `make faults`."""
    return (
        Course.at_random(chance, 300, 1) if request.param == "short" else Course.at_random(chance, 4_000, 6)
    )


@pytest.fixture(params=["short", pytest.param("long", marks=pytest.mark.long)])
def absence(request: pytest.FixtureRequest, chance: random.Random) -> Course:
    """When something goes away, something else dies meanwhile, and the first comes back."""
    return Course.at_random(chance, 300 if request.param == "short" else 4_000, 3)


async def test_a_killed_gateway_loses_and_doubles_no_record(
    platform: Platform, calls: Calls, course: Course
) -> None:
    """The gateway dies by SIGKILL while calls are made at concurrency 32."""
    await calls.make(course.calls, {moment: lambda: kill(platform, "gateway") for moment in course.moments})

    assert len(calls.answered) == course.calls
    assert_each_recorded_once(calls)


async def test_a_killed_bus_loses_and_doubles_no_record(
    platform: Platform, calls: Calls, course: Course
) -> None:
    """NATS dies by SIGKILL; calls go on and their records reach the ledger once."""
    await calls.make(course.calls, {moment: lambda: kill(platform, "nats") for moment in course.moments})

    assert len(calls.answered) == course.calls
    assert_each_recorded_once(calls)


async def test_calls_go_on_without_the_bus_even_when_the_gateway_dies_too(
    platform: Platform, calls: Calls, absence: Course
) -> None:
    """NATS is stopped, the gateway killed while it is away: what lay in the spool is shipped later, once."""
    supervisor = platform.installation.supervisor
    gone, killed, back = absence.moments
    faults = {
        gone: lambda: supervisor.stop("nats"),
        killed: lambda: kill(platform, "gateway"),
        back: lambda: supervisor.start("nats"),
    }

    await calls.make(absence.calls, faults)

    assert len(calls.answered) == absence.calls
    assert_each_recorded_once(calls)


async def test_a_killed_ledger_takes_every_record_once(
    platform: Platform, calls: Calls, course: Course
) -> None:
    """The ledger dies while it takes in records."""
    await calls.make(course.calls, {moment: lambda: kill(platform, "ledger") for moment in course.moments})

    assert_each_recorded_once(calls)


def test_calls_go_on_without_catalog_and_identity_and_a_revoked_agreement_ends_them(
    platform: Platform,
) -> None:
    """A valid token works while both are away, even at a gateway that starts meanwhile."""
    supervisor = platform.installation.supervisor
    with Client(platform.consumer) as client, platform.operator() as operator:
        client.token()
        # Killed within a second of a change, it may start without it: see durability.md.
        wait_until(lambda: on_disk(platform, AGREEMENT), "the gateway does not save its routes")
        supervisor.stop("catalog")
        supervisor.stop("identity")
        assert client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE).ok

        kill(platform, "gateway")
        assert _call_once_the_gateway_is_back(client).ok

        supervisor.start("catalog")
        supervisor.start("identity")
        _wait_until_catalog_answers(operator)
        operator.perform(decide_agreement(AGREEMENT, "revoke", legal_ground=None, reason="hết thời hạn"))
        wait_until(lambda: _is_revoked(client), "the revocation is not in force")


def test_a_revocation_is_in_force_although_the_catalog_dies_right_after_its_answer(
    platform: Platform,
) -> None:
    """It stays away: what the gateway knows, it was told before the answer."""
    supervisor = platform.installation.supervisor
    with Client(platform.consumer) as client, platform.operator() as operator:
        assert client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE).ok
        operator.token()
        operator.perform(decide_agreement(AGREEMENT, "revoke", legal_ground=None, reason="hết thời hạn"))
        kill(platform, "catalog")
        supervisor.stop("catalog")
        wait_until(lambda: _is_revoked(client), "the revocation is not in force")


def _is_revoked(client: Client) -> bool:
    """Whether a call is refused as one under an agreement that was revoked."""
    try:
        client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE)
    except ForbiddenError as refused:
        return refused.code == "agreement-revoked"
    return False


def on_disk(platform: Platform, agreement: str) -> bool:
    """Whether the copy of the routes from which the gateway starts has an agreement."""
    with closing(sqlite3.connect(f"file:{platform.home}/gateway/routes.copy?mode=ro", uri=True)) as copy:
        blocks = copy.execute("SELECT content FROM blocks").fetchall()
    return any(agreement.encode() in content for (content,) in blocks)


def _call_once_the_gateway_is_back(client: Client) -> Answer:
    for _ in range(200):
        try:
            return client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE)
        except (UnreachableError, UnavailableError):
            time.sleep(0.1)
    pytest.fail("the gateway did not come back")


def _wait_until_catalog_answers(operator: Client) -> None:
    for _ in range(200):
        try:
            next(iter(operator.manifests("agreements")))
        except LienthongError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the catalog did not come back")
