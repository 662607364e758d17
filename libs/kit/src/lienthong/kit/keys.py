"""What a process follows of identity: the keys that verify access tokens, and the suspended clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import structlog

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.packed import PackedMap
from lienthong.kit.replica import Replica
from lienthong.kit.stream import Stream
from lienthong.kit.tokens import KeySet

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import grpc.aio

    from lienthong.kit.clock import Clock
    from lienthong.kit.replica_copy import DiskCopy, Maps

_MESSAGE = b"message"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """The state of identity at one version."""

    version: int
    issuer: str
    """The `iss` of every token."""
    jwks: str
    """The JWK set as it came; the same text means the same `key_set`."""
    key_set: KeySet
    suspended: frozenset[str]
    """Clients whose tokens are refused although they have not expired."""


KeysReplica: TypeAlias = "Replica[IdentityKeys, keys_pb2.WatchResponse]"
"""The live copy of identity's keys in a process."""


def fold_keys(state: IdentityKeys | None, update: keys_pb2.WatchResponse) -> IdentityKeys:
    """The state that an update holds; each update holds the whole state.

    Raises:
        ValueError: its JWK set cannot be read.
    """
    known = state is not None and state.jwks == update.jwks
    following = IdentityKeys(
        version=update.version,
        issuer=update.issuer,
        jwks=update.jwks,
        key_set=state.key_set if state is not None and known else KeySet.from_jwks(update.jwks),
        suspended=frozenset(update.suspended_client_ids),
    )
    return state if state is not None and state == following else following


def pack_keys(state: IdentityKeys) -> Maps:
    """The state as it is kept on disk: the message that holds it."""
    message = keys_pb2.WatchResponse(
        version=state.version,
        issuer=state.issuer,
        jwks=state.jwks,
        suspended_client_ids=sorted(state.suspended),
    )
    return (PackedMap.of({_MESSAGE: message.SerializeToString()}),)


def unpack_keys(maps: Maps) -> IdentityKeys:
    """The state that was packed.

    Raises:
        ValueError: the maps are no packed state.
    """
    (packed,) = maps
    message = packed.get(_MESSAGE)
    if message is None:
        raise ValueError("there is no message of identity")
    return fold_keys(None, keys_pb2.WatchResponse.FromString(message))


def keys_replica(
    channel: grpc.aio.Channel,
    copy: DiskCopy,
    clock: Clock,
    *,
    node: str,
    issuer: str,
    max_age: timedelta,
    on_change: Callable[[IdentityKeys | None], None] = lambda _keys: None,
) -> KeysReplica:
    """Follow identity over `channel` under the name `node`; see `Replica` for the rest.

    An identity that issues tokens for another address than `issuer` is logged: no token will be valid.
    """
    stub = keys_pb2_grpc.KeysStub(channel)
    request = keys_pb2.WatchRequest(node=node)

    def changed(keys: IdentityKeys | None) -> None:
        if keys is not None:
            if keys.issuer != issuer:
                _log.error("identity issues for another address", identity=keys.issuer, here=issuer)
            _log.info("keys", version=keys.version, keys=len(keys.key_set), suspended=len(keys.suspended))
        on_change(keys)

    stream = Stream("keys", lambda _state: stub.Watch(request), fold_keys, pack_keys, unpack_keys)
    return Replica(stream, copy, clock, max_age=max_age, on_change=changed)
