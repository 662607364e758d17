"""An application in which people sign in: what it pushes, redeems and asks, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc.jwk import ECKey

from lienthong.identity.bootstrap import create_pages
from lienthong.identity.openid.domain.applications import Application
from lienthong.identity.openid.service.authorizations import SentBack
from lienthong.kit.clock import ManualClock
from lienthong.kit.text import BilingualText
from tests.integration.identity.harness import ASSERTION_TYPE, SYSTEM, Process, running, settings_for
from tests.integration.identity.pages.harness import PEOPLE, Browser
from tests.integration.identity.people.harness import OPERATOR, Office, Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from lienthong.identity.people.service.sessions import Begun, SignedIn
    from tests.integration.identity.harness import Key

CALLBACK = "https://one-stop.example.gov.vn/callback"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SIGNED_OUT = "https://one-stop.example.gov.vn/"


def verifier_of(seed: str) -> str:
    """A `code_verifier`."""
    return base64.urlsafe_b64encode(hashlib.sha256(seed.encode()).digest()).rstrip(b"=").decode()


def challenge_of(verifier: str) -> str:
    """Its `code_challenge` (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def answer_of(address: str) -> dict[str, str]:
    """The parameters with which a browser was sent back; each once."""
    query = parse_qs(urlsplit(address).query, strict_parsing=True, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


@dataclass
class Relying:
    """A client in which people sign in."""

    process: Process
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256"))
    client_id: str = SYSTEM
    verifier: str = field(default_factory=lambda: verifier_of(secrets.token_hex()))

    async def register(
        self,
        *,
        redirects: Sequence[str] = (CALLBACK,),
        after_sign_out: Sequence[str] = (SIGNED_OUT,),
        logout: str | None = None,
        acts: bool = False,
    ) -> Relying:
        """Make it a client and an application."""
        await self.process.register(self.key, self.client_id)
        return await self.as_application(
            redirects=redirects, after_sign_out=after_sign_out, logout=logout, acts=acts
        )

    async def as_application(
        self,
        *,
        redirects: Sequence[str] = (CALLBACK,),
        after_sign_out: Sequence[str] = (SIGNED_OUT,),
        logout: str | None = None,
        acts: bool = False,
    ) -> Relying:
        """Make a client an application."""
        await self.process.core.openid.applications.put(
            OPERATOR,
            Application(
                self.client_id,
                BilingualText("One-stop", "Một cửa"),
                tuple(redirects),
                tuple(after_sign_out),
                logout,
                acts,
            ),
        )
        return self

    async def post(self, path: str, **parameters: str | None) -> httpx.Response:
        """Ask as this client; a parameter of None is left out."""
        form: dict[str, str | None] = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.process.assertion(
                self.key, self.client_id, aud=self.process.settings.issuer
            ),
            **parameters,
        }
        return await self.process.http.post(
            path, data={name: value for name, value in form.items() if value is not None}
        )

    async def pushed(self, **changes: str | None) -> httpx.Response:
        """Push a request, but for the changed parameters."""
        request: dict[str, str | None] = {
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid profile roles",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "state": "s-1",
            "nonce": "n-1",
        }
        return await self.post("/oauth2/par", **{**request, **changes})

    async def reference(self, **changes: str | None) -> str:
        """The `request_uri` of a pushed request."""
        answer = await self.pushed(**changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    async def sent_back(self, signed_in: SignedIn | None, **changes: str | None) -> dict[str, str]:
        """What comes back with the browser of someone."""
        reference = await self.reference(**changes)
        outcome = await self.process.core.openid.authorizations.answer(self.client_id, reference, signed_in)
        assert isinstance(outcome, SentBack), outcome
        return answer_of(outcome.address)

    async def code(self, signed_in: SignedIn, **changes: str | None) -> str:
        """A code for someone."""
        return (await self.sent_back(signed_in, **changes))["code"]

    async def redeem(self, code: str, /, **changes: str | None) -> httpx.Response:
        """Redeem a code, but for the changed parameters."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return await self.post("/oauth2/token", **{**form, **changes})

    async def tokens(self, signed_in: SignedIn, **changes: str | None) -> dict[str, Any]:
        """All that an application gets for someone who signs in."""
        answer = await self.redeem(await self.code(signed_in, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def refresh(self, token: str, **changes: str | None) -> httpx.Response:
        """Use a refresh token."""
        form: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.post("/oauth2/token", **{**form, **changes})

    async def exchange(self, token: str | None, **changes: str | None) -> httpx.Response:
        """Exchange a person's token (RFC 8693), but for the changed parameters."""
        form: dict[str, str | None] = {
            "grant_type": EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
        }
        return await self.post("/oauth2/token", **{**form, **changes})

    async def acting(self, token: str, **changes: str | None) -> str:
        """A token by which this client acts for the person of another token."""
        answer = await self.exchange(token, **changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def introspect(self, token: str) -> dict[str, Any]:
        """What a token is worth."""
        answer = await self.post("/oauth2/introspect", token=token)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def userinfo(self, token: str, *, scheme: str = "Bearer") -> httpx.Response:
        """Ask who has signed in."""
        return await self.process.http.get("/oauth2/userinfo", headers={"Authorization": f"{scheme} {token}"})


@dataclass
class Place:
    """An identity process with people, and a clock that is set by hand."""

    process: Process
    office: Office
    clock: ManualClock

    async def application(self, **options: Any) -> Relying:  # noqa: ANN401 - those of `register`
        """The usual application."""
        return await Relying(self.process).register(**options)

    async def other(self, client_id: str = "H11.05/land", **options: Any) -> Relying:  # noqa: ANN401
        """Another one."""
        return await Relying(self.process, client_id=client_id).register(**options)

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """Somebody's browser at the pages for people."""
        pages = create_pages(self.process.settings, self.process.core)
        transport = httpx.ASGITransport(app=pages, client=("192.0.2.1", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url=PEOPLE, follow_redirects=True) as http:
            yield Browser(http)

    async def signed_in(self, person: Person) -> SignedIn:
        """Somebody who signs in with a password."""
        begun = await person.begin()
        return await person.signed_in(_begun(begun))

    async def records(self, action: str) -> list[dict[str, Any]]:
        """The audit records of an action on applications."""
        import json

        from sqlalchemy import select

        from lienthong.identity.models import outbox

        async with self.process.core.database.reading() as session:
            rows = await session.scalars(select(outbox.c.payload).order_by(outbox.c.id))
            found = [json.loads(row) for row in rows]
        return [one for one in found if one["action"] == action]


def _begun(found: object) -> Begun:
    from lienthong.identity.people.service.sessions import Begun

    assert isinstance(found, Begun), found
    return found


@asynccontextmanager
async def a_place(
    folder: Path,
    database_url: str,
    *,
    clock: ManualClock | None = None,
    **settings: Any,  # noqa: ANN401 - those of the process
) -> AsyncIterator[Place]:
    """An identity process; several may share a database and a clock, as replicas do."""
    clock = clock or ManualClock()
    settings = {"people_url": PEOPLE, **settings}
    made = settings_for(folder, database_url, identity_bootstrap_dir=folder / "home", **settings)
    async with running(made, clock=clock) as process:
        yield Place(process, Office(process.core, clock), clock)
