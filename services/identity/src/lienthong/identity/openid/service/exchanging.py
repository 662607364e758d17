"""The grant by which a system acts for a person: token exchange (RFC 8693).

Nothing is stored of an exchange. What it gives names the sign-on of the exchanged token, as that did,
so that it ends with it.
"""

from collections.abc import Mapping

from lienthong.identity.domain.access_tokens import IssuedToken
from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.domain.token_request import TOKEN_EXCHANGE
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.exchanges import (
    Targets,
    actors,
    check_holder,
    exchanged_scopes,
    origin,
    subject_token,
)
from lienthong.identity.openid.repository import applications
from lienthong.identity.openid.service.issuing import Issuing
from lienthong.identity.openid.service.standing import Standing
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.tokens import Grant
from lienthong.kit.database import Database
from lienthong.kit.tokens import Confirmation


class TokenExchange:
    """Gives systems tokens by which they act for people."""

    def __init__(
        self,
        database: Database,
        clients: ClientAuthentication,
        standing: Standing,
        issuing: Issuing,
        targets: Targets,
    ) -> None:
        self._database = database
        self._clients = clients
        self._standing = standing
        self._issuing = issuing
        self._targets = targets

    @property
    def by_type(self) -> Mapping[str, Grant]:
        """The grant by its `grant_type`."""
        return {TOKEN_EXCHANGE: self.exchange}

    async def exchange(
        self, client: RegisteredClient, form: Mapping[str, str], confirmation: Confirmation | None
    ) -> IssuedToken:
        """Exchange a person's token for one by which the client acts for the person.

        Raises:
            TokenError: `unauthorized_client`, `invalid_request`, `invalid_target`, `invalid_scope`.
        """
        if not await self._may_act([client.client_id]):
            raise errors.may_not_act()
        text = subject_token(form)
        self._targets.check(form)
        subject = self._standing.verified(text)
        if subject is None:
            raise errors.subject_refused()
        if subject.person is None:
            raise errors.no_persons_token()
        check_holder(subject, confirmation)
        found = actors(subject, client.client_id)
        # All through whose hands it has come must still be allowed to, and to have tokens.
        for one in origin(subject):
            if await self._clients.active(one) is None:
                raise errors.subject_refused()
        signed_in = await self._standing.whose(subject)
        if signed_in is None or not await self._may_act(origin(subject)):
            raise errors.subject_refused()
        scopes = exchanged_scopes(form, subject, client.scopes)
        return await self._issuing.exchanged(
            subject, signed_in, client.client_id, found, scopes, confirmation
        )

    async def _may_act(self, client_ids: list[str] | tuple[str, ...]) -> bool:
        async with self._database.reading() as session:
            for one in client_ids:
                found = await applications.find(session, one)
                if found is None or not found.acts_for_people:
                    return False
        return True
