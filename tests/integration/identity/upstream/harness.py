"""Two providers that nobody here wrote, and an identity in which people may sign in by either."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
import subprocess
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
import pytest
import yaml
from joserfc.jwk import ECKey, RSAKey

from lienthong.identity.bootstrap import create_pages
from lienthong.kit.clock import ManualClock
from tests.integration.identity.harness import settings_for
from tests.integration.identity.pages.harness import PEOPLE, Browser, forms_of
from tests.integration.identity.people.harness import Office, an_office
from tests.integration.identity.upstream.program import PROVIDER, VERSION
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp

PROVINCE, NATION = "province", "nation"
FOLK: dict[str, dict[str, Any]] = {
    "an": {
        "name": "Nguyễn Văn An",
        "email": "an@example.vn",
        "email_verified": True,
        "full_name": "NGUYỄN VĂN AN",
        "work_mail": "an@example.vn",
        "amr": ["pwd"],
    },
    "binh": {"name": "Bình <b>", "email": "binh@example.vn", "email_verified": False, "amr": ["pwd", "mfa"]},
    "chi": {
        "name": "Chi",
        "email": "ch\u0456@example.vn",
        "email_verified": True,
        "work_mail": "chi@example.vn",
    },
    "gold": {"name": "Gold", "work_mail": "gold@example.vn", "acr": "gold", "amr": ["hwk"]},
}
"""Who has accounts there; Chi's address at the province has a letter that looks like another."""


def node_modules(folder: Path) -> Path:
    """A folder with oidc-provider in it; skips where there is no npm."""
    if shutil.which("npm") is None:
        assert os.environ.get("CI") != "true", "CI leaves nothing out"
        pytest.skip("npm is not here; tests/install-tools nodejs npm")
    quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
    command = ["npm", "install", *quiet, f"oidc-provider@{VERSION}"]
    subprocess.run(command, check=True, cwd=folder, timeout=200, stdout=subprocess.DEVNULL)
    (folder / "provider.mjs").write_text(PROVIDER, "utf-8")
    return folder


@dataclass
class Foreign:
    """A provider, as its own people run it."""

    id: str
    host: str
    client: dict[str, Any]
    spec: dict[str, Any]
    id_token_claims: bool
    pushed: bool
    keys: list[dict[str, Any]] = field(default_factory=lambda: [_signing_key("first")])
    port: int = field(default_factory=take_free_port)

    @property
    def issuer(self) -> str:
        return f"http://{self.host}:{self.port}"

    @asynccontextmanager
    async def runs(self, folder: Path) -> AsyncIterator[Foreign]:
        """A process of it; another one later has the same address and forgets who was signed in."""
        told = {
            "issuer": self.issuer,
            "host": self.host,
            "port": self.port,
            "client": self.client,
            "people": FOLK,
            "idTokenClaims": self.id_token_claims,
            "jwks": {"keys": self.keys},
            "pushed": self.pushed,
        }
        node = await asyncio.create_subprocess_exec(
            "node",
            str(folder / "provider.mjs"),
            json.dumps(told),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NODE_OPTIONS": "--experimental-global-webcrypto"},
        )
        assert node.stdout is not None
        try:
            async with asyncio.timeout(60):
                assert (await node.stdout.readline()).strip() == b"ready"
            yield self
        finally:
            if node.returncode is None:
                node.kill()
            await node.communicate()


def province(own_key: ECKey, *, people_url: str = PEOPLE) -> Foreign:
    """Like a province's Keycloak: pushed requests, a key of ours, claims in the ID token, `amr`."""
    public = {**own_key.as_dict(private=False), "kid": own_key.thumbprint(), "use": "sig"}
    client = _client(PROVINCE, people_url) | {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [public]},
    }
    spec = {
        "name": {"vi": "Cổng của tỉnh", "en": "The province"},
        "authentication": {"method": "private_key_jwt", "key_file": "own.jwk"},
        "link_by_login": True,
        "two_factors": {"amr": ["mfa"]},
    }
    return Foreign(PROVINCE, "127.0.0.1", client, spec, id_token_claims=True, pushed=True)


def nation(*, people_url: str = PEOPLE) -> Foreign:
    """Another one: a shared secret, other claims, told at UserInfo alone, factors by `acr`."""
    client = _client(NATION, people_url) | {
        "client_secret": "a secret/with: signs+",
        "token_endpoint_auth_method": "client_secret_basic",
    }
    spec = {
        "name": {"vi": "Định danh <quốc gia>", "en": "The <nation>"},
        "authentication": {"method": "client_secret_basic", "secret_file": "nation.secret"},
        "userinfo": True,
        "claims": {"name": "full_name", "email": "work_mail", "login": "work_mail", "verified": None},
        "two_factors": {"acr": ["gold"]},
    }
    return Foreign(NATION, "127.0.0.2", client, spec, id_token_claims=False, pushed=False)


def _client(provider_id: str, people_url: str) -> dict[str, Any]:
    return {
        "client_id": "lgsp",
        "redirect_uris": [f"{people_url}/upstream/{provider_id}/callback"],
        "post_logout_redirect_uris": [f"{people_url}/sign-in"],
        "backchannel_logout_uri": f"{people_url}/upstream/{provider_id}/back-channel-logout",
        "backchannel_logout_session_required": True,
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "require_auth_time": True,
    }


def _signing_key(kid: str) -> dict[str, Any]:
    return {**RSAKey.generate_key(2048).as_dict(private=True), "kid": kid, "use": "sig", "alg": "RS256"}


def rotated(foreign: Foreign) -> None:
    """Let a provider sign with a new key from its next start on."""
    foreign.keys = [_signing_key("second")]


def providers_file(folder: Path, own_key: ECKey, *found: Foreign) -> Path:
    """What an operator writes of providers."""
    written = [
        {"id": one.id, "issuer": one.issuer, "client_id": one.client["client_id"], **one.spec}
        for one in found
    ]
    (folder / "own.jwk").write_text(json.dumps(own_key.as_dict(private=True)), "utf-8")
    (folder / "nation.secret").write_text("a secret/with: signs+\n", "utf-8")
    file = folder / "providers.yaml"
    file.write_text(yaml.safe_dump({"providers": written}, allow_unicode=True), "utf-8")
    return file


@dataclass
class Visitor(Browser):
    """A browser without scripts that goes to providers, too."""

    async def chooses(self, action: str, provider: str) -> httpx.Response:
        """Press the button of a provider; gives the page of the provider, or where it led."""
        page = await self.send(action, provider=provider)
        onward = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
        self.page = page if not onward else await self.http.get(html.unescape(onward[0]))
        return self.page

    async def says(self, who: str) -> httpx.Response:
        """Say there who one is, and come back; a provider that still knows the browser has not asked."""
        assert self.page is not None
        if str(self.page.url).startswith(PEOPLE):
            return self.page
        self.page = await self.http.send(await self.said(who), follow_redirects=True)
        return self.page

    async def said(self, who: str) -> httpx.Request:
        """The form of the provider's page, filled in."""
        assert self.page is not None
        ((action, form),) = forms_of(self.page).items()
        address = urljoin(str(self.page.url), action)
        return self.http.build_request("POST", address, data=form.fields | {"who": who})

    async def brought(self, who: str) -> str:
        """Say there who one is; the address at which the browser would come back."""
        answer = await self.http.send(await self.said(who), follow_redirects=False)
        while "/upstream/" not in (address := answer.headers["location"]):
            answer = await self.http.get(urljoin(str(answer.url), address), follow_redirects=False)
        return str(address)


@dataclass
class Place:
    """Accounts, their pages, and two providers."""

    office: Office
    app: ASGIApp
    foreign: Mapping[str, Foreign]
    modules: Path
    clock: ManualClock

    @asynccontextmanager
    async def visitor(self) -> AsyncIterator[Visitor]:
        ours = httpx.ASGITransport(app=self.app, client=("192.0.2.1", 40_000))
        async with httpx.AsyncClient(
            base_url=PEOPLE,
            mounts={f"all://{PEOPLE.removeprefix('https://')}": ours},
            follow_redirects=True,
            timeout=30,
            headers={"User-Agent": "Firefox"},
        ) as http:
            yield Visitor(http)


@asynccontextmanager
async def a_place(
    folder: Path, database_url: str, modules: Path, *, run: tuple[str, ...] = (PROVINCE, NATION)
) -> AsyncIterator[Place]:
    own_key, clock = ECKey.generate_key("P-256"), ManualClock(datetime.now(UTC))
    foreign = {one.id: one for one in (province(own_key), nation())}
    settings = settings_for(
        folder,
        database_url,
        people_url=PEOPLE,
        provider_networks="127.0.0.0/8",
        identity_providers_file=providers_file(folder, own_key, *foreign.values()),
    )
    async with an_office(folder, database_url, clock=clock, settings=settings) as office:
        place = Place(office, create_pages(settings, office.core), foreign, modules, clock)
        async with AsyncExitStack() as running:
            for name in run:
                await running.enter_async_context(foreign[name].runs(modules))
            yield place
