"""`Keys/Watch` over real gRPC: whoever verifies tokens knows in time what it must."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text

from lienthong.identity.bootstrap import open_core
from lienthong.identity.rpc import REPEAT_AFTER
from lienthong.identity.service.keyring import CERTAIN_SECONDS
from lienthong.kit.bus import Bus
from lienthong.kit.tokens import KeySet, TokenVerifier
from tests.integration.identity.harness import (
    ISSUER,
    NOWHERE,
    SYSTEM,
    key_file,
    running,
    settings_for,
    watching,
)
from tests.support.databases import give_back, take_away
from tests.support.promises import allowed_s, promptly
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.identity.settings import IdentitySettings
    from lienthong.kit.clock import ManualClock

EC = ECKey.generate_key("P-256")
HOUR = timedelta(hours=1)


def key_ids(jwks: str) -> list[str]:
    return [key["kid"] for key in json.loads(jwks)["keys"]]


def quick(tmp_path: Path, database_url: str) -> IdentitySettings:
    """An hour of announcement, ten of signing; the loops look several times a second."""
    return settings_for(
        tmp_path,
        database_url,
        identity_key_announced_for=HOUR,
        identity_key_signing_for=10 * HOUR,
        identity_token_lifetime=timedelta(seconds=1),
        identity_key_grace=timedelta(0),
    )


async def test_a_watcher_gets_the_whole_state_at_once_and_again_and_again(
    tmp_path: Path, database_url: str
) -> None:
    assert REPEAT_AFTER == 2.0
    async with running(settings_for(tmp_path, database_url)) as process, watching(process) as states:
        await eventually(lambda: len(states) >= 3)
        assert states[0].issuer == ISSUER
        assert states[0].jwks == (await process.http.get("/oauth2/jwks")).text
        assert list(states[0].suspended_client_ids) == []
        assert len({state.SerializeToString() for state in states}) == 1


async def test_suspending_and_resuming_reach_watchers_within_a_second(
    tmp_path: Path, database_url: str
) -> None:
    async with running(settings_for(tmp_path, database_url)) as process, watching(process) as states:
        for number, status in enumerate(("active", "suspended", "active", "suspended"), 1):
            await process.register(EC, version=number, status=status)
            expected = [SYSTEM] if status == "suspended" else []
            await promptly(lambda: list(states[-1].suspended_client_ids) == expected, within=1)  # noqa: B023
        versions = [state.version for state in states]
        assert versions == sorted(versions)
        assert len(set(versions)) == 5


async def test_every_token_verifies_with_the_keys_that_were_sent_before_it_was_issued(
    tmp_path: Path, database_url: str, clock: ManualClock
) -> None:
    async with running(quick(tmp_path, database_url), clock=clock) as process, watching(process) as states:
        await process.register(EC)
        verifier = TokenVerifier(ISSUER, "urn:lgsp:VN-BTN", clock)
        signed_by: set[str] = set()
        for _ in range(60):
            held = KeySet.from_jwks(states[-1].jwks)
            clock.advance(timedelta(minutes=30))
            token = (await process.ask(process.assertion(EC))).json()["access_token"]
            assert verifier.verify(token, held).client_id == SYSTEM
            signed_by.add(process.core.keyring.signing().key_id)
            while await process.core.keyring.rotate():
                await eventually(lambda: states[-1].jwks == process.core.keyring.published.jwks)
            assert verifier.verify(token, KeySet.from_jwks(states[-1].jwks)).client_id == SYSTEM
            await eventually(lambda: states[-1].jwks == process.core.keyring.published.jwks)
        assert len(signed_by) >= 3
        assert len(key_ids(states[-1].jwks)) <= 2


async def test_the_loop_rotates_by_itself(tmp_path: Path, database_url: str, clock: ManualClock) -> None:
    async with running(quick(tmp_path, database_url), clock=clock) as process, watching(process) as states:
        first = key_ids(states[-1].jwks)
        clock.advance(9 * HOUR)
        await promptly(lambda: len(key_ids(states[-1].jwks)) == 2, within=3)
        assert process.core.keyring.signing().key_id == first[0]
        clock.advance(HOUR)
        following = process.core.keyring.signing().key_id
        assert following != first[0]
        clock.advance(timedelta(seconds=1))
        await promptly(lambda: key_ids(states[-1].jwks) == [following], within=3)


async def test_after_a_theft_no_old_token_verifies(tmp_path: Path, database_url: str) -> None:
    async with running(settings_for(tmp_path, database_url)) as process, watching(process) as states:
        old = key_ids(states[-1].jwks)
        new = await process.core.keyring.replace_now()
        await promptly(lambda: key_ids(states[-1].jwks) == [new], within=1)
        assert new not in old


async def test_replicas_share_keys_changes_and_used_assertions(
    tmp_path: Path, postgres_database: str
) -> None:
    settings = settings_for(tmp_path, postgres_database)
    async with (
        running(settings) as one,
        running(settings) as other,
        watching(other) as states,
    ):
        assert one.core.keyring.published == other.core.keyring.published
        await one.register(EC, status="suspended")
        await promptly(lambda: list(states[-1].suspended_client_ids) == [SYSTEM], within=1)
        await one.register(EC, version=2)
        await promptly(lambda: not states[-1].suspended_client_ids, within=1)
        assertion = one.assertion(EC)
        answers = await asyncio.gather(
            *(process.ask(assertion) for _ in range(10) for process in (one, other))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_an_identity_without_its_database_repeats_nothing(
    tmp_path: Path, postgres_database: str
) -> None:
    settings = settings_for(tmp_path, postgres_database)
    async with running(settings, certain_s=CERTAIN_SECONDS) as process:
        states = process.watch()
        await anext(states)
        await asyncio.to_thread(take_away, postgres_database)
        lost = last = time.monotonic()

        async def follow() -> None:
            nonlocal last
            async for _ in states:
                last = time.monotonic()

        with pytest.raises(grpc.aio.AioRpcError, match="cannot read its database") as ended:
            await follow()
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        assert last - lost < CERTAIN_SECONDS + allowed_s(0.5)
        with pytest.raises(grpc.aio.AioRpcError, match="cannot read its database"):
            await anext(process.watch())
        await asyncio.to_thread(give_back, postgres_database)
        await eventually(lambda: process.core.keyring.certain)
        assert (await anext(process.watch())).version == process.core.keyring.published.version


async def test_of_replicas_that_rotate_together_one_publishes(
    tmp_path: Path, postgres_database: str, clock: ManualClock
) -> None:
    settings = quick(tmp_path, postgres_database)
    async with running(settings, clock=clock) as one, running(settings, clock=clock) as other:
        clock.advance(9 * HOUR)
        await asyncio.gather(*(process.core.keyring.rotate() for _ in range(5) for process in (one, other)))
        await one.core.keyring.refresh()
        await other.core.keyring.refresh()
        assert len(key_ids(one.core.keyring.published.jwks)) == 2
        assert one.core.keyring.published == other.core.keyring.published


async def test_replicas_that_start_together_agree_on_one_key(tmp_path: Path, postgres_database: str) -> None:
    settings = settings_for(tmp_path, postgres_database)
    key_file(tmp_path)
    cores = await asyncio.gather(*(open_core(settings, Bus(NOWHERE, "identity")) for _ in range(4)))
    for core in cores:
        await core.keyring.refresh()
    assert len({core.keyring.published for core in cores}) == 1
    assert len(key_ids(cores[0].keyring.published.jwks)) == 1
    await asyncio.gather(*(core.database.close() for core in cores))


async def test_a_key_of_another_replica_is_forgotten_in_time(tmp_path: Path, postgres_database: str) -> None:
    settings = settings_for(tmp_path, postgres_database)
    replaced = ECKey.generate_key("P-256")
    async with running(settings) as one, running(settings) as other:
        await one.register(EC)
        assert (await other.ask(other.assertion(EC))).status_code == 200
        await one.register(replaced, version=2)

        async def refused() -> bool:
            return (await other.ask(other.assertion(EC))).status_code == 401

        await promptly(refused, within=1, every=0.1)
        assert (await other.ask(other.assertion(replaced))).status_code == 200


async def test_private_keys_are_nowhere_in_the_database(tmp_path: Path, database_url: str) -> None:
    secrets: list[str] = []

    async with running(settings_for(tmp_path, database_url)) as process:
        secrets.append(process.core.keyring.signing().private_jwk()["d"])
        async with process.core.database.reading() as session:
            stored = (await session.execute(text("SELECT * FROM signing_key"))).all()
            left = (await session.execute(text("SELECT payload FROM outbox"))).all()
    assert len(stored) == 1
    assert left
    for secret in secrets:
        assert secret not in repr(stored)
        assert secret.encode() not in b"".join(bytes(row.payload) for row in left)
