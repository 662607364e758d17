"""Who calls a service's REST endpoints, and what they may do: bearer tokens after RFC 6750."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation when the application starts

from lienthong.contracts.identity.v1 import keys_pb2, keys_pb2_grpc
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems.callers import client_suspended, insufficient_scope, no_token, token_refused
from lienthong.kit.rpc import follow
from lienthong.kit.text import BilingualText
from lienthong.kit.tokens import KeySet, TokenRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import grpc.aio

    from lienthong.kit.tokens import AccessToken, TokenVerifier

_SILENCE = 15.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """The client whose valid token came with a request."""

    client_id: str
    scopes: frozenset[str]

    @property
    def agency(self) -> str:
        """The agency of a system (`H11.05` of `H11.05/land`); empty for clients that are no systems."""
        agency, slash, _ = self.client_id.partition("/")
        return agency if slash else ""


class KeysReplica:
    """A live copy of what identity says about keys and suspended clients; `run` it in the background."""

    def __init__(self, channel: grpc.aio.Channel, verifier: TokenVerifier, *, node: str) -> None:
        self._stub = keys_pb2_grpc.KeysStub(channel)
        self._verifier = verifier
        self._node = node
        self.keys = KeySet({})
        self.suspended: frozenset[str] = frozenset()
        self.ready = False
        self.version = 0

    async def run(self) -> None:
        """Follow identity for ever; while it is away the last copy stands."""
        request = keys_pb2.WatchRequest(node=self._node)
        async for state in follow(lambda: self._stub.Watch(request), silence=_SILENCE, name="keys"):
            self.take(state)

    def take(self, state: keys_pb2.WatchResponse) -> None:
        """Replace the copy; a state that cannot be read is logged and the last one stands."""
        try:
            self.keys = KeySet.from_jwks(state.jwks)
        except ValueError as error:
            _log.error("keys cannot be read", error=str(error), version=state.version)
            return
        self.suspended = frozenset(state.suspended_client_ids)
        self.version = state.version
        self.ready = True

    def authenticate(self, token: str) -> AccessToken:
        """The verified token.

        Raises:
            ProblemError: 401 `token-refused`, 403 `client-suspended`, 503 `not-ready` before
                the first copy came.
        """
        if not self.ready:
            raise _no_keys()
        try:
            access = self._verifier.verify(token, self.keys)
        except TokenRefusedError as refusal:
            raise token_refused(refusal.reason) from None
        if access.client_id in self.suspended:
            raise client_suspended(access.client_id)
        return access


def require(scope: str | None = None) -> Callable[[Request], Awaitable[Caller]]:
    """A FastAPI dependency: the caller, who must hold `scope` when one is named.

    It uses `app.state.keys`, a `KeysReplica`.
    """

    async def caller(request: Request) -> Caller:
        replica: KeysReplica = request.app.state.keys
        access = replica.authenticate(bearer_token(request.headers.get("authorization")))
        found = Caller(access.client_id, access.scopes)
        if scope is not None:
            demand(found, scope)
        return found

    return caller


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header (RFC 6750 §2.1).

    Raises:
        ProblemError: 401 `no-token`.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise no_token()
    return token.strip()


def demand(caller: Caller, scope: str) -> None:
    """Refuse a caller whose token does not carry `scope`.

    Raises:
        ProblemError: 403 `insufficient-scope` (RFC 6750 §3.1).
    """
    if scope not in caller.scopes:
        raise insufficient_scope(scope)


def _no_keys() -> ProblemError:
    detail = BilingualText(
        "The keys that verify access tokens have not arrived yet.",
        "Chưa nhận được khoá để xác minh mã truy cập.",
    )
    return ProblemError(general.NOT_READY, detail, {"Retry-After": "1"})
