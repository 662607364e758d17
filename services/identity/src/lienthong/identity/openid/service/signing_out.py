"""Signing out at the wish of an application (OpenID Connect RP-Initiated Logout §2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lienthong.identity.openid import errors
from lienthong.identity.openid.domain.id_tokens import HintRefusedError, read_hint
from lienthong.identity.openid.domain.requests import LONGEST, sent_back
from lienthong.identity.openid.repository import applications
from lienthong.identity.people.service.recording import itself
from lienthong.identity.people.service.sessions import Sessions, SignedIn
from lienthong.identity.service.own_keys import OwnKeys
from lienthong.kit.actors import Actor
from lienthong.kit.database import Database

BY_ID_TOKEN: Final = "id-token-hint"  # noqa: S105  a word of the record
"""Why a session ended: an application showed an ID token of it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an application wishes: that a session ends, and that the browser comes back.

    `client_id`, `person_id` and `session_id` are those of its ID token; without one, the person is asked.
    """

    address: str | None
    client_id: str | None
    person_id: str | None
    session_id: str | None


class SigningOut:
    """Ends sessions for applications."""

    def __init__(self, database: Database, sessions: Sessions, keys: OwnKeys, *, issuer: str) -> None:
        self._database = database
        self._sessions = sessions
        self._keys = keys
        self._issuer = issuer

    async def read(self, asked: Mapping[str, str]) -> Wish:
        """Read the parameters of a request.

        Raises:
            ProblemError: 400 `application-request-refused`, they do not fit together.
        """
        hint = self._hint(asked["id_token_hint"]) if "id_token_hint" in asked else {}
        client_id = asked.get("client_id", hint.get("aud"))
        if hint and client_id != hint["aud"]:
            raise errors.wrong_sign_out("client_id")
        address = asked.get("post_logout_redirect_uri")
        if address is not None:
            async with self._database.reading() as session:
                found = await applications.find(session, client_id) if client_id else None
            if found is None or address not in found.after_sign_out:
                raise errors.wrong_sign_out("post_logout_redirect_uri")
            state = asked.get("state")
            if state is not None and len(state) > LONGEST:
                raise errors.wrong_sign_out("state")
            address = sent_back(address, {"state": state}) if state is not None else address
        return Wish(address, hint.get("aud"), hint.get("sub"), hint.get("sid"))

    async def end(self, wish: Wish, signed_in: SignedIn | None, *, confirmed: bool) -> bool:
        """End the session that an ID token names, and the browser's where the person has `confirmed` it or it
        is the same; gives whether that is still to be asked.

        Whoever brings the ID token need not be its person: the application to which it was issued is the one
        on record.
        """
        if wish.client_id is not None and wish.person_id is not None and wish.session_id is not None:
            application = Actor(wish.client_id, frozenset())
            await self._sessions.end(application, wish.person_id, wish.session_id, reason=BY_ID_TOKEN)
        if signed_in is None or signed_in.session.id == wish.session_id:
            return False
        if confirmed:
            await self._sessions.end(itself(signed_in.account), signed_in.account.id, signed_in.session.id)
        return not confirmed

    def _hint(self, token: str) -> dict[str, str]:
        keys = self._keys.fresh()
        try:
            if keys is not None:
                return read_hint(token, keys.key_set, self._issuer)
        except HintRefusedError:
            pass
        raise errors.wrong_sign_out("id_token_hint")
