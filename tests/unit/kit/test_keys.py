"""What identity's messages become in the processes that follow it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from joserfc.jwk import ECKey
from structlog.testing import capture_logs

from lienthong.contracts.identity.v1 import keys_pb2
from lienthong.kit.keys import fold_keys, keys_replica, pack_keys, unpack_keys
from lienthong.kit.packed import PackedMap
from lienthong.kit.replica_copy import DiskCopy

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.kit.clock import ManualClock

JWKS = json.dumps({"keys": [ECKey.generate_key("P-256", {"kid": "k1"}).as_dict(private=False)]})


def message(version: int = 1, *suspended: str, jwks: str = JWKS, issuer: str = "i") -> keys_pb2.WatchResponse:
    return keys_pb2.WatchResponse(version=version, issuer=issuer, jwks=jwks, suspended_client_ids=suspended)


def test_the_same_state_in_any_order_only_confirms() -> None:
    state = fold_keys(None, message(1, "a", "b"))
    assert fold_keys(state, message(1, "b", "a")) is state


def test_the_copy_on_disk_gives_the_same_state() -> None:
    state = fold_keys(None, message(1, "b", "a"))
    again = unpack_keys(pack_keys(state))
    assert (again.version, again.issuer, again.jwks, again.suspended) == (1, "i", JWKS, frozenset("ab"))
    with pytest.raises(ValueError, match="no message"):
        unpack_keys([PackedMap()])


def test_a_suspension_makes_a_new_state_with_the_same_keys() -> None:
    state = fold_keys(None, message(1))
    following = fold_keys(state, message(2, "a"))
    assert (following.version, following.suspended) == (2, frozenset({"a"}))
    assert following.key_set is state.key_set


def test_keys_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ValueError, match="JWK set"):
        fold_keys(None, message(jwks="broken"))


async def test_an_identity_of_another_address_is_told(tmp_path: Path, clock: ManualClock) -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        copy = DiskCopy(tmp_path / "keys.copy")
        replica = keys_replica(
            channel, copy, clock, node="test", issuer="https://right", max_age=timedelta(days=1)
        )
        with capture_logs() as logs:
            replica.take(message(issuer="https://other"))
            replica.take(message(2, issuer="https://right"))
    wrong = [entry for entry in logs if entry["log_level"] == "error"]
    assert [(entry["identity"], entry["here"]) for entry in wrong] == [("https://other", "https://right")]
