"""The keys of a cluster are loaded when they are needed, seldom, and go on for an hour without it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from lienthong.identity.domain.cluster_keys import (
    LARGEST,
    ClusterKeysUnreadableError,
    read_cluster_keys,
)
from lienthong.identity.errors import TokenError
from lienthong.identity.service.cluster_keys import AGAIN_AFTER_S, FRESH_S, KEPT_S, WAITING, ClusterKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, TWO = ECKey.generate_key("P-256"), ECKey.generate_key("P-384")


def key_set(**keys: Any) -> bytes:  # noqa: ANN401 - keys of any type
    listed = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in keys.items()]
    return json.dumps({"keys": listed}).encode()


class Cluster:
    """Where keys are had; it counts how often."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.answer: bytes | Exception = key_set(one=ONE)
        self.held: asyncio.Event | None = None
        self.keys = ClusterKeys("https://cluster.example", self.load, lambda: self.now)

    async def load(self) -> bytes:
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def knows(self, key_id: str) -> bool:
        return await self.keys.find(key_id) is not None

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_nothing_is_asked_before_a_token_comes_and_then_once() -> None:
    cluster = Cluster()
    assert cluster.asked == 0
    found = await asyncio.gather(*[cluster.knows("one") for _ in range(20)])
    assert (all(found), cluster.asked) == (True, 1)


async def test_made_up_ids_do_not_have_the_cluster_asked_more_often() -> None:
    cluster = Cluster()
    assert await cluster.knows("one")
    for number in range(100):
        assert not await cluster.knows(f"x{number}")
    assert cluster.asked == 1
    cluster.now += AGAIN_AFTER_S
    assert not await cluster.knows("x")
    assert cluster.asked == 2


async def test_a_new_key_is_found_and_an_old_one_forgotten() -> None:
    cluster = Cluster()
    assert await cluster.knows("one")
    cluster.answer = key_set(two=TWO)
    assert not await cluster.knows("two")
    cluster.now += AGAIN_AFTER_S
    assert await cluster.knows("two")
    assert not await cluster.knows("one")


async def test_only_so_many_requests_wait_for_a_slow_cluster() -> None:
    cluster = Cluster()
    assert await cluster.knows("one")
    cluster.now += AGAIN_AFTER_S
    cluster.held = asyncio.Event()
    waiting = [asyncio.create_task(cluster.knows(f"x{number}")) for number in range(WAITING)]
    await cluster.settle()
    async with asyncio.timeout(30):
        with pytest.raises(TokenError, match="temporarily_unavailable"):
            await cluster.knows("two")
    assert await cluster.knows("one"), "who needs not wait is not refused"
    # Who goes away makes room.
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    another = asyncio.create_task(cluster.knows("two"))
    await cluster.settle()
    assert not another.done()
    cluster.answer = key_set(two=TWO)
    cluster.held.set()
    assert await another
    assert not any(await asyncio.gather(*waiting[1:]))
    assert cluster.asked == 2


async def test_what_is_old_is_loaded_beside_the_requests() -> None:
    cluster = Cluster()
    assert await cluster.knows("one")
    cluster.now += FRESH_S
    cluster.answer = key_set(two=TWO)
    cluster.held = asyncio.Event()
    assert await cluster.knows("one")
    cluster.held.set()
    await cluster.settle()
    assert not await cluster.knows("one")


@pytest.mark.parametrize(
    "failure", [OSError("refused"), TimeoutError(), ValueError("no"), b"", b"[]", b'{"keys":[]}']
)
async def test_without_the_cluster_its_keys_go_on_for_an_hour(failure: bytes | Exception) -> None:
    cluster = Cluster()
    assert await cluster.knows("one")
    cluster.answer = failure
    cluster.now += KEPT_S - 1
    assert await cluster.knows("one")
    await cluster.settle()
    cluster.now += AGAIN_AFTER_S
    with pytest.raises(TokenError, match="temporarily_unavailable"):
        await cluster.knows("one")
    cluster.answer = key_set(one=ONE)
    with pytest.raises(TokenError):
        await cluster.knows("one")
    cluster.now += AGAIN_AFTER_S
    assert await cluster.knows("one")


async def test_a_cluster_that_was_never_reached_refuses_nobody_for_good() -> None:
    cluster = Cluster()
    cluster.answer = OSError("no route")
    for _ in range(2):
        with pytest.raises(TokenError) as refusal:
            await cluster.knows("one")
        assert (refusal.value.status, refusal.value.headers["Retry-After"]) == (503, "10")
    assert cluster.asked == 1


async def test_closing_waits_for_nobody() -> None:
    cluster = Cluster()
    cluster.held = asyncio.Event()
    asking = asyncio.create_task(cluster.knows("one"))
    await cluster.settle()
    await cluster.keys.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


def test_keys_of_all_types_that_an_api_server_has() -> None:
    keys = {
        "rsa": RSAKey.generate_key(2048),
        "p256": ONE,
        "p384": TWO,
        "p521": ECKey.generate_key("P-521"),
    }
    found = read_cluster_keys(key_set(**keys))
    assert {kid: key.algorithm for kid, key in found.items()} == {
        "rsa": "RS256", "p256": "ES256", "p384": "ES384", "p521": "ES512",
    }  # fmt: skip


def _refused() -> Sequence[bytes]:
    public = ONE.as_dict(private=False)
    return [
        b"",
        b"x",
        b"[]",
        b'{"keys": 5}',
        b'{"keys": []}',
        b'{"keys": [5]}',
        b" " * (LARGEST + 1),
        json.dumps({"keys": [public]}).encode(),
        json.dumps({"keys": [{**public, "kid": 5}]}).encode(),
        json.dumps({"keys": [{**public, "kid": "x", "use": "enc"}]}).encode(),
        json.dumps({"keys": [{**public, "kid": "x", "y": "AA"}]}).encode(),
        json.dumps({"keys": [{**ONE.as_dict(private=True), "kid": "x"}]}).encode(),
        key_set(x=OKPKey.generate_key("Ed25519")),
        json.dumps({"keys": [{**OctKey.generate_key(256).as_dict(private=True), "kid": "x"}]}).encode(),
        json.dumps({"keys": [{"kty": "RSA", "kid": "x", "n": "w" * 171, "e": "AQAB"}]}).encode(),
        json.dumps({"keys": [{"kty": "RSA", "kid": "x", "n": "w" * 100_000, "e": "AQAB"}]}).encode(),
    ]


def test_what_is_no_key_set_of_a_cluster() -> None:
    for number, text in enumerate(_refused()):
        with pytest.raises(ClusterKeysUnreadableError):
            raise AssertionError((number, read_cluster_keys(text)))
