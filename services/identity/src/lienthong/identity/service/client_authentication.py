"""Authenticating clients: an assertion that the client signed (RFC 7523 §2.2) or the token of its Kubernetes
service account, or its certificate at the edge (RFC 8705 §2).

All endpoints that clients call do so in the same way; an assertion or a proof is good once at all of them.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity import repository
from lienthong.identity.domain.assertions import (
    MAX_CLIENT_ID,
    Assertion,
    AssertionRefusedError,
    AssertionRules,
    read_assertion,
)
from lienthong.identity.domain.client_keys import client_keys_of_text, decoy_keys
from lienthong.identity.domain.clients import ClientStatus, RegisteredClient
from lienthong.identity.domain.service_accounts import refused as refused_account
from lienthong.identity.domain.token_request import check_authentication
from lienthong.identity.errors import (
    TokenError,
    ended_key,
    refused_assertion,
    refused_proof,
    replayed,
    suspended_client,
    too_many_requests,
    unavailable,
    unknown_certificate,
    unknown_client,
)
from lienthong.identity.service.client_cache import ClientCache
from lienthong.identity.service.keyring import Keyring
from lienthong.identity.service.service_accounts import ServiceAccounts
from lienthong.identity.service.used_assertions import UsedAssertions
from lienthong.kit.clock import Clock, SteadyTime
from lienthong.kit.database import Database
from lienthong.kit.dpop import Proof
from lienthong.kit.dpop_nonces import GOOD_FOR_S
from lienthong.kit.json_text import is_portable_text
from lienthong.kit.rates import TokenBuckets

_REPLAY_MARGIN: Final = timedelta(minutes=1)
_CLOCK_BELIEVED_AFTER: Final = timedelta(days=1)
"""Assertions live for an hour at most."""
_FORGET_AT_ONCE: Final = 2_000

_log = structlog.get_logger(__name__)


def database_failed(error: Exception) -> TokenError:
    """The answer where the database failed."""
    _log.error("client not served: the database failed", error=repr(error))
    return unavailable()


class ClientAuthentication:
    """Finds out which client sent a request."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        rules: AssertionRules,
        accounts: ServiceAccounts,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._clients = ClientCache(database, keyring)
        self._used = UsedAssertions(database, clock)
        self._clock = clock
        self._steady = SteadyTime(clock, believed_after=_CLOCK_BELIEVED_AFTER)
        self._rules = rules

    async def authenticate(
        self,
        form: Mapping[str, str],
        certificate: str | None,
        proof: Proof | None,
        requests: TokenBuckets,
    ) -> RegisteredClient:
        """The client that sent the parameters of a request. A genuine assertion is used up by this, and so is
        a proof.

        `certificate` is the SHA-256, in hex, of the one that the client showed, and `proof` its DPoP proof.
        Only a new assertion counts towards `requests`: whoever finds one that was used cannot use up the
        client's share with it.

        Raises:
            TokenError: the request is refused; it names the client where that has proved itself.
        """
        check_authentication(form, certificate=certificate is not None)
        issuer = self._accounts.issued(form.get("client_assertion", ""))
        assertion = self._read(form) if issuer is None and "client_assertion" in form else None
        try:
            if issuer is not None:
                client = await self._find_by_account(issuer, form)
            elif assertion is not None:
                client = await self._prove(assertion)
            else:
                client = await self._find_by_certificate(form.get("client_id", ""), certificate)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise database_failed(error) from error
        try:
            await self._admit(client, assertion, proof, requests)
        except TokenError as refusal:
            refusal.client_id = client.client_id
            raise
        return client

    async def active(self, client_id: str) -> RegisteredClient | None:
        """A client that may have tokens now; None where there is none of this id.

        Raises:
            SQLAlchemyError, OSError, TimeoutError: the database failed.
        """
        client = await self._clients.find(client_id)
        return client if client is not None and client.status is ClientStatus.ACTIVE else None

    async def use_up_proof(self, proof: Proof) -> bool:
        """Mark a DPoP proof as used (RFC 9449 §11.1); False where it was before."""
        return await self._used.use(
            repository.proof_digest(proof.digest),
            forget_at=math.ceil(proof.nonce_from + GOOD_FOR_S + self._margin),
        )

    async def close(self) -> None:
        """Give back what is held."""
        await self._accounts.close()

    async def forget(self) -> int:
        """Delete used assertions that have expired, a limited number per transaction; returns how many."""
        # Forgotten by a clock that was set forward, an assertion could be used again once that is mended.
        before = math.floor(self._steady.now().timestamp())
        forgotten = 0
        while True:
            async with self._database.transaction() as session:
                gone = await repository.forget_assertions(session, before=before, limit=_FORGET_AT_ONCE)
            forgotten += gone
            if gone < _FORGET_AT_ONCE:
                return forgotten

    @property
    def _margin(self) -> float:
        # Another replica's clock may be behind: each must be known until it has expired there too.
        return (self._rules.leeway + _REPLAY_MARGIN).total_seconds()

    async def _admit(
        self,
        client: RegisteredClient,
        assertion: Assertion | None,
        proof: Proof | None,
        requests: TokenBuckets,
    ) -> None:
        if proof is not None and not proof.is_signed():
            raise refused_proof("signature")
        if (wait := requests.due(client.client_id)) > 0:
            raise too_many_requests(requests.limit, wait)
        try:
            await self._use_up(client, assertion, proof)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise database_failed(error) from error
        requests.spend(client.client_id)
        if client.status is not ClientStatus.ACTIVE:
            _log.info("client refused", client=client.client_id, status=client.status.value)
            raise suspended_client()

    def _read(self, form: Mapping[str, str]) -> Assertion:
        try:
            assertion = read_assertion(form["client_assertion"], rules=self._rules, now=self._clock.now())
        except AssertionRefusedError as refusal:
            raise refused_assertion(refusal.reason, refusal.seconds) from refusal
        if form.get("client_id", assertion.client_id) != assertion.client_id:
            raise refused_assertion("client_id")
        return assertion

    async def _prove(self, assertion: Assertion) -> RegisteredClient:
        client = await self._clients.find(assertion.client_id)
        keys = () if client is None else assertion.candidates(client_keys_of_text(client.jwks))
        if not keys:
            # A signature check that cannot succeed: the duration must not reveal more than the answer.
            replace(assertion, key_id=None).signed_by(decoy_keys())
        signer = None if client is None else assertion.signed_by(keys)
        if client is None or signer is None:
            raise unknown_client()
        if signer.has_ended(self._clock.now().timestamp()):
            # Only who has the key is told.
            refusal = ended_key(signer.thumbprint, signer.ends_at or 0)
            refusal.client_id = client.client_id
            raise refusal
        return client

    async def _find_by_account(self, issuer: str, form: Mapping[str, str]) -> RegisteredClient:
        """The client of a token of a Kubernetes service account. It may be used again until it expires."""
        client_id = form.get("client_id", "")
        if not client_id:
            raise refused_account("client_id")
        account = await self._accounts.verify(issuer, form["client_assertion"])
        client = await self._clients.find(client_id) if _is_id(client_id) else None
        if client is None or account not in client.service_accounts:
            raise refused_account("client")
        return client

    async def _find_by_certificate(self, client_id: str, certificate: str | None) -> RegisteredClient:
        client = await self._clients.find(client_id) if _is_id(client_id) else None
        if client is None or certificate not in client.certificates:
            raise unknown_certificate()
        return client

    async def _use_up(
        self, client: RegisteredClient, assertion: Assertion | None, proof: Proof | None
    ) -> None:
        """Mark what may be used once as used: both together, so that one transaction writes them."""
        uses = []
        if assertion is not None:
            digest = repository.assertion_digest(client.client_id, assertion.assertion_id)
            uses.append(self._used.use(digest, forget_at=math.ceil(assertion.expires_at + self._margin)))
        if proof is not None:
            uses.append(self.use_up_proof(proof))
        new = await asyncio.gather(*uses) if len(uses) > 1 else [await use for use in uses]
        if all(new):
            return
        if assertion is not None and not new[0]:
            _log.warning("assertion used twice", client=client.client_id)
            raise replayed()
        _log.warning("DPoP proof used twice", client=client.client_id)
        raise refused_proof("used")


def _is_id(client_id: str) -> bool:
    """Whether it can be looked up in the database, which takes no other text."""
    return len(client_id) <= MAX_CLIENT_ID and is_portable_text(client_id)
