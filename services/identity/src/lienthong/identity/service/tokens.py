"""Issuing access tokens by client credentials with a signed assertion (RFC 6749 §4.4, RFC 7523 §2.2)."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lienthong.identity import repository
from lienthong.identity.domain.access_tokens import TokenRules, mint
from lienthong.identity.domain.assertions import (
    Assertion,
    AssertionRefusedError,
    AssertionRules,
    read_assertion,
)
from lienthong.identity.domain.client_keys import client_keys_of_text, nobodys_keys
from lienthong.identity.domain.clients import ClientStatus, RegisteredClient
from lienthong.identity.domain.scopes import granted_scopes
from lienthong.identity.errors import (
    ASSERTION_TYPE,
    no_client_authentication,
    no_grant_type,
    refused_assertion,
    replayed,
    several_authentications,
    suspended_client,
    unavailable,
    unknown_client,
    unsupported_grant_type,
)
from lienthong.identity.schemas import IssuedToken
from lienthong.identity.service.client_cache import ClientCache
from lienthong.identity.service.keyring import Keyring, NoSigningKeyError
from lienthong.identity.service.used_assertions import UsedAssertions
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId

_REPLAY_MARGIN: Final = timedelta(minutes=1)
_FORGET_AT_ONCE: Final = 2_000

_log = structlog.get_logger(__name__)


class TokenService:
    """The token endpoint without HTTP."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        clock: Clock,
        new_id: NewId,
        *,
        assertion_rules: AssertionRules,
        token_rules: TokenRules,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._clients = ClientCache(database, keyring)
        self._used = UsedAssertions(database)
        self._clock = clock
        self._new_id = new_id
        self._assertion_rules = assertion_rules
        self._token_rules = token_rules

    async def issue(self, form: Mapping[str, str]) -> IssuedToken:
        """Answer a token request; an assertion is used up as soon as it is found genuine.

        Raises:
            TokenError: the refusal that the caller is to be told.
        """
        assertion = self._read(form)
        try:
            client = await self._prove(assertion)
            await self._use_up(assertion)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            _log.error("token not issued: the database failed", error=repr(error))
            raise unavailable() from error
        if client.status is not ClientStatus.ACTIVE:
            _log.info("token refused", client=client.client_id, status=client.status.value)
            raise suspended_client()
        return self._mint(client, granted_scopes(form.get("scope"), client.scopes))

    async def forget(self) -> int:
        """Drop assertions that have expired, a few at a time; returns how many went."""
        before = math.floor(self._clock.now().timestamp())
        forgotten = 0
        while True:
            async with self._database.transaction() as session:
                gone = await repository.forget_assertions(session, before=before, limit=_FORGET_AT_ONCE)
            forgotten += gone
            if gone < _FORGET_AT_ONCE:
                return forgotten

    def _read(self, form: Mapping[str, str]) -> Assertion:
        _check_request(form)
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
            # The same work in vain, so that the time tells no more than the answer.
            replace(assertion, key_id=None).signed_by(nobodys_keys())
        if client is None or assertion.signed_by(keys) is None:
            raise unknown_client()
        return client

    async def _use_up(self, assertion: Assertion) -> None:
        # Other replicas' clocks may be behind: they must still find it when for them it has not expired.
        margin = self._assertion_rules.leeway + _REPLAY_MARGIN
        forget_at = math.ceil(assertion.expires_at + margin.total_seconds())
        if not await self._used.use(assertion.client_id, assertion.assertion_id, forget_at=forget_at):
            _log.warning("assertion used twice", client=assertion.client_id)
            raise replayed()

    def _mint(self, client: RegisteredClient, scopes: tuple[str, ...]) -> IssuedToken:
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
        )
        return IssuedToken(token, int(self._token_rules.lifetime.total_seconds()), " ".join(scopes))


def _check_request(form: Mapping[str, str]) -> None:
    if "grant_type" not in form:
        raise no_grant_type()
    if form["grant_type"] != "client_credentials":
        raise unsupported_grant_type()
    if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
        raise no_client_authentication()
    if "client_secret" in form:
        raise several_authentications()
