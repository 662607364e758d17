"""Issuing access tokens by client credentials (RFC 6749 §4.4): the client signs an assertion (RFC 7523 §2.2)
or shows a certificate (RFC 8705 §2)."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity import repository
from lienthong.identity.domain.access_tokens import IssuedToken, TokenRules, mint
from lienthong.identity.domain.assertions import (
    MAX_CLIENT_ID,
    Assertion,
    AssertionRefusedError,
    AssertionRules,
    read_assertion,
)
from lienthong.identity.domain.client_keys import client_keys_of_text, decoy_keys
from lienthong.identity.domain.clients import ClientStatus, RegisteredClient
from lienthong.identity.domain.scopes import granted_scopes
from lienthong.identity.domain.token_request import check_parameters
from lienthong.identity.errors import (
    TokenError,
    refused_assertion,
    replayed,
    suspended_client,
    too_many_requests,
    unavailable,
    unknown_certificate,
    unknown_client,
)
from lienthong.identity.service.client_cache import ClientCache
from lienthong.identity.service.keyring import Keyring, NoSigningKeyError
from lienthong.identity.service.used_assertions import UsedAssertions
from lienthong.kit.clock import Clock, SteadyTime
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.json_text import is_portable_text
from lienthong.kit.rates import TokenBuckets
from lienthong.kit.tokens import Confirmation

_REPLAY_MARGIN: Final = timedelta(minutes=1)
_CLOCK_BELIEVED_AFTER: Final = timedelta(days=1)
"""Assertions live for an hour at most."""
_FORGET_AT_ONCE: Final = 2_000

_log = structlog.get_logger(__name__)


def _database_failed(error: Exception) -> TokenError:
    _log.error("token not issued: the database failed", error=repr(error))
    return unavailable()


class TokenService:
    """Issues access tokens: everything behind the token endpoint but HTTP."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        new_id: NewId,
        *,
        assertion_rules: AssertionRules,
        token_rules: TokenRules,
        requests: TokenBuckets,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clients = ClientCache(database, keyring)
        self._used = UsedAssertions(database, clock)
        self._clock = clock
        self._steady = SteadyTime(clock, believed_after=_CLOCK_BELIEVED_AFTER)
        self._new_id = new_id
        self._requests = requests
        self._assertion_rules = assertion_rules
        self._token_rules = token_rules

    async def issue(self, form: Mapping[str, str], certificate: str | None = None) -> IssuedToken:
        """Issue a token for the parameters of a request. A genuine assertion is used up by this.

        `certificate` is the SHA-256, in hex, of the one that the client showed; the token is bound to it.

        Raises:
            TokenError: the request is refused.
        """
        check_parameters(form, certificate=certificate is not None)
        assertion = self._read(form) if "client_assertion" in form else None
        try:
            if assertion is not None:
                client = await self._prove(assertion)
            else:
                client = await self._find_by_certificate(form["client_id"], certificate)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _database_failed(error) from error
        confirmation = Confirmation(certificate) if certificate is not None else None
        try:
            return await self._issue_to(client, assertion, form.get("scope"), confirmation)
        except TokenError as refusal:
            refusal.client_id = client.client_id
            raise

    async def _issue_to(
        self,
        client: RegisteredClient,
        assertion: Assertion | None,
        scope: str | None,
        confirmation: Confirmation | None,
    ) -> IssuedToken:
        """Issue a token to a client that has proved itself.

        Only a new assertion counts towards what the client may ask for: whoever finds one that was used
        cannot use up the client's share with it.
        """
        if (wait := self._requests.due(client.client_id)) > 0:
            raise too_many_requests(self._requests.limit, wait)
        try:
            if assertion is not None:
                await self._use_up(assertion)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise _database_failed(error) from error
        self._requests.spend(client.client_id)
        if client.status is not ClientStatus.ACTIVE:
            _log.info("token refused", client=client.client_id, status=client.status.value)
            raise suspended_client()
        return self._mint(client, granted_scopes(scope, client.scopes), confirmation)

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

    def _read(self, form: Mapping[str, str]) -> Assertion:
        try:
            assertion = read_assertion(
                form["client_assertion"], rules=self._assertion_rules, now=self._clock.now()
            )
        except AssertionRefusedError as refusal:
            raise refused_assertion(refusal.reason) from refusal
        if form.get("client_id", assertion.client_id) != assertion.client_id:
            raise refused_assertion("client_id")
        return assertion

    async def _prove(self, assertion: Assertion) -> RegisteredClient:
        client = await self._clients.find(assertion.client_id)
        keys = () if client is None else assertion.candidates(client_keys_of_text(client.jwks))
        if not keys:
            # A signature check that cannot succeed: the duration must not reveal more than the answer.
            replace(assertion, key_id=None).signed_by(decoy_keys())
        if client is None or assertion.signed_by(keys) is None:
            raise unknown_client()
        return client

    async def _find_by_certificate(self, client_id: str, certificate: str | None) -> RegisteredClient:
        is_id = len(client_id) <= MAX_CLIENT_ID and is_portable_text(client_id)
        client = await self._clients.find(client_id) if is_id else None
        if client is None or certificate not in client.certificates:
            raise unknown_certificate()
        return client

    async def _use_up(self, assertion: Assertion) -> None:
        # Another replica's clock may be behind: the assertion must be known until it has expired there too.
        margin = self._assertion_rules.leeway + _REPLAY_MARGIN
        forget_at = math.ceil(assertion.expires_at + margin.total_seconds())
        if not await self._used.use(assertion.client_id, assertion.assertion_id, forget_at=forget_at):
            _log.warning("assertion used twice", client=assertion.client_id)
            raise replayed()

    def _mint(
        self, client: RegisteredClient, scopes: tuple[str, ...], confirmation: Confirmation | None
    ) -> IssuedToken:
        try:
            key = self._keyring.signing()
        except NoSigningKeyError as error:
            raise unavailable() from error
        token = mint(
            key,
            self._token_rules,
            client_id=client.client_id,
            scopes=scopes,
            now=self._clock.now(),
            token_id=self._new_id(),
            confirmation=confirmation,
        )
        lifetime = int(self._token_rules.lifetime.total_seconds())
        return IssuedToken(client.client_id, token, lifetime, " ".join(scopes))
