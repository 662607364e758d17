"""From a pushed request to a code: what the application asked, and what becomes of the browser that it sends.

A request is answered once, and its code is stored, in one transaction: killed in between, the browser has got
nothing and comes again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from lienthong.identity.domain.clients import RegisteredClient
from lienthong.identity.errors import unavailable
from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.id_tokens import HintRefusedError, read_hint
from lienthong.identity.openid.domain.requests import (
    CODE_LIFETIME,
    REFERENCE,
    REQUEST_LIFETIME,
    AuthorizationRequest,
    PushedRequest,
    read_request,
    sent_back,
)
from lienthong.identity.openid.domain.sign_ons import MOST_OF_ONE, SignOn
from lienthong.identity.openid.repository import applications, sign_ons
from lienthong.identity.people.domain.secrets import digest, new_token
from lienthong.identity.people.service.recording import itself
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.identity.service.client_authentication import ClientAuthentication
from lienthong.identity.service.own_keys import OwnKeys
from lienthong.kit.clock import Clock
from lienthong.kit.database import Database
from lienthong.kit.ids import NewId
from lienthong.kit.journal import AdminAct, AdminJournal
from lienthong.kit.text import BilingualText


@dataclass(frozen=True, slots=True)
class SignInFirst:
    """The person has to sign in, and comes back to `next`, a path."""

    next: str
    anew: bool
    """Although the browser has a session."""
    request: AuthorizationRequest
    """What the application asked; it may say whom it expects, and in which language."""


@dataclass(frozen=True, slots=True)
class SentBack:
    """The browser goes to this address of the application."""

    address: str


Outcome: TypeAlias = SignInFirst | SentBack


class Authorizations:
    """Pushed requests, and the codes that come of them."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        clients: ClientAuthentication,
        keys: OwnKeys,
        journal: AdminJournal,
        clock: Clock,
        new_id: NewId,
        *,
        issuer: str,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._clients = clients
        self._keys = keys
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._issuer = issuer

    async def push(self, client: RegisteredClient, form: Mapping[str, str], key: str | None) -> str:
        """Store a request (RFC 9126 §2.1); gives its `request_uri`, good for `REQUEST_LIFETIME`.

        `key` is the thumbprint of the key of the DPoP proof that came with it (RFC 9449 §10.1).

        Raises:
            TokenError: the client is no application, or the request asks for what is not offered.
        """
        async with self._database.reading() as session:
            application = await applications.find(session, client.client_id)
        if application is None:
            raise errors.no_application()
        request = read_request(form, application, self._hinted(form.get("id_token_hint"), client.client_id))
        if key is not None:
            if request.key not in (None, key):
                raise errors.unfit(
                    "dpop_jkt",
                    "the thumbprint of the key of the DPoP proof",
                    "dấu vân tay của khoá đã ký DPoP proof",
                )
            request = _with_key(request, key)
        token, now = new_token(), self._clock.now()
        async with self._database.transaction() as session:
            pushed = PushedRequest(client.client_id, request, now, now + REQUEST_LIFETIME)
            await sign_ons.add_request(session, digest(token), pushed)
        return f"{REFERENCE}{token}"

    async def asking(self, path: str) -> BilingualText | None:
        """The name of the application that waits for a sign-in which leads on to this path; None where none
        does."""
        parts = urlsplit(path)
        asked = dict(parse_qsl(parts.query))
        reference = asked.get("request_uri", "")
        if parts.path != "/authorize" or not reference.startswith(REFERENCE):
            return None
        known = digest(reference.removeprefix(REFERENCE))
        async with self._database.reading() as session:
            pushed = await sign_ons.find_request(session, known, self._clock.now())
            if pushed is None or pushed.client_id != asked.get("client_id"):
                return None
            application = await applications.find(session, pushed.client_id)
        return None if application is None else application.name

    async def answer(self, client_id: str, reference: str, signed_in: SignedIn | None) -> Outcome:
        """What becomes of a browser that an application has sent, in which someone has `signed_in` or not.

        Raises:
            ProblemError: 400 `application-request-refused`, no application stands behind this.
        """
        if not reference.startswith(REFERENCE):
            raise errors.unknown_reference()
        known, now = digest(reference.removeprefix(REFERENCE)), self._clock.now()
        async with self._database.reading() as session:
            pushed = await sign_ons.find_request(session, known, now)
            application = await applications.find(session, client_id) if pushed else None
        if pushed is None or pushed.client_id != client_id:
            raise errors.unknown_reference()
        request = pushed.request
        is_open = application is not None and application.takes(request.redirect_uri)
        if not is_open or await self._clients.active(client_id) is None:
            raise errors.closed_application()
        signed_in_at = None if signed_in is None else signed_in.session.proved_at
        if signed_in is None or request.needs_sign_in(signed_in_at, pushed.asked_at, now):
            if request.prompt == "none":
                return await self._refuse(known, request, "login_required")
            return _sign_in_first(client_id, reference, request, anew=signed_in is not None)
        if request.subject not in (None, signed_in.account.id):
            return await self._refuse(known, request, "login_required")
        given = await self._give_code(known, pushed, signed_in)
        return given or _sign_in_first(client_id, reference, request, anew=False)

    async def _give_code(self, known: bytes, pushed: PushedRequest, signed_in: SignedIn) -> SentBack | None:
        """Answer with a code; None where the session has ended meanwhile."""
        request, code, now = pushed.request, new_token(), self._clock.now()
        async with self._database.transaction() as session:
            standing = await self._sessions.standing_in(
                session, signed_in.account.id, signed_in.session.id, locked=True
            )
            if standing is None:
                return None
            if not await sign_ons.take_request(session, known):
                raise errors.unknown_reference()
            sign_on = _begun(self._new_id(), pushed, standing, digest(code), now)
            older = await sign_ons.ids_of(session, sign_on.session_id, sign_on.client_id)
            await sign_ons.end(session, older[: max(0, len(older) - MOST_OF_ONE + 1)])
            await sign_ons.add(session, sign_on)
            await self._record(session, sign_on, standing)
        answer = {"code": code, "state": request.state, "iss": self._issuer}
        return SentBack(sent_back(request.redirect_uri, answer))

    async def _refuse(self, known: bytes, request: AuthorizationRequest, error: str) -> SentBack:
        async with self._database.transaction() as session:
            if not await sign_ons.take_request(session, known):
                raise errors.unknown_reference()
        answer = {"error": error, "state": request.state, "iss": self._issuer}
        return SentBack(sent_back(request.redirect_uri, answer))

    async def _record(self, session: AsyncSession, sign_on: SignOn, standing: SignedIn) -> None:
        detail = {"session": sign_on.session_id, "sign_on": sign_on.id, "scopes": list(sign_on.scopes)}
        actor = itself(standing.account)
        object_ = f"Application/{sign_on.client_id}"
        await self._journal.add(session, AdminAct(actor.name, "application.sign-in", object_, detail))

    def _hinted(self, hint: str | None, client_id: str) -> str | None:
        if hint is None:
            return None
        if (keys := self._keys.fresh()) is None:
            raise unavailable()
        try:
            found = read_hint(hint, keys.key_set, self._issuer)
        except HintRefusedError:
            raise errors.hint_refused() from None
        if found["aud"] != client_id:
            raise errors.hint_refused()
        return found["sub"]


def _sign_in_first(
    client_id: str, reference: str, request: AuthorizationRequest, *, anew: bool
) -> SignInFirst:
    query = urlencode({"client_id": client_id, "request_uri": reference})
    return SignInFirst(f"/authorize?{query}", anew, request)


def _with_key(request: AuthorizationRequest, key: str) -> AuthorizationRequest:
    return AuthorizationRequest(
        **{**{name: getattr(request, name) for name in request.__struct_fields__}, "key": key}
    )


def _begun(sign_on_id: str, pushed: PushedRequest, signed_in: SignedIn, code: bytes, now: datetime) -> SignOn:
    request, session = pushed.request, signed_in.session
    return SignOn(
        id=sign_on_id,
        client_id=pushed.client_id,
        person_id=signed_in.account.id,
        session_id=session.id,
        scopes=request.scopes,
        redirect_uri=request.redirect_uri,
        challenge=request.challenge,
        nonce=request.nonce,
        key=request.key,
        code=code,
        code_used=False,
        code_expires_at=now + CODE_LIFETIME,
        refresh=None,
        refresh_before=None,
        refreshed_at=None,
        created_at=now,
        expires_at=session.expires_at,
    )
