"""Other people's libraries let somebody sign in: codes with PKCE and pushed requests, and what follows."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from lienthong.identity.bootstrap import create_pages
from lienthong.identity.people.service.people import NewPerson
from lienthong.identity.settings import IdentitySettings
from lienthong.kit.policy import Grant, Role
from tests.integration.identity.harness import NOWHERE, SYSTEM, running
from tests.integration.identity.openid.harness import (
    ACCESS_TOKEN,
    CALLBACK,
    EXCHANGE,
    SIGNED_OUT,
    Relying,
    answer_of,
)
from tests.integration.identity.openid.programs import OAUTH4WEBAPI, OPENID_CLIENT
from tests.integration.identity.pages.harness import forms_of
from tests.integration.identity.people.harness import LAND, OPERATOR, PASSWORD
from tests.integration.identity.test_interoperability import MinuteAssertion
from tests.support.ports import take_free_port
from tests.support.waiting import ended, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.identity.harness import Process

with warnings.catch_warnings(record=True):
    # Authlib warns that it will want httpx2 one day.
    from authlib.integrations.httpx_client import AsyncOAuth2Client

LOGIN = "an@example.vn"
GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "oauth-clients.md"


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the JavaScript libraries in the versions that the guide names."""
    if shutil.which("npm") is None:
        assert os.environ.get("CI") != "true", "CI leaves nothing out"
        pytest.skip("npm is not here; tests/install-tools nodejs npm")
    folder = tmp_path_factory.mktemp("node")
    (command,) = re.findall(r"^npm install (.+)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
    # What another module has had already is not asked for again.
    kept = ("--prefer-offline", "--fetch-retries=5")
    subprocess.run(["npm", "install", *quiet, *kept, *command.split()], check=True, cwd=folder, timeout=200)
    return folder


@dataclass
class Site:
    """An identity at addresses that really are its own, and one application."""

    process: Process
    application: Relying

    async def sign_in(self, address: str) -> tuple[httpx.AsyncClient, str]:
        """Somebody follows a link, signs in, and comes back to the application: with this browser, to this
        address."""
        http = httpx.AsyncClient(follow_redirects=True, timeout=30)
        page = await http.get(address)
        sent = forms_of(page)["/sign-in"].fields | {"login": LOGIN, "password": PASSWORD}
        origin = {"Origin": self.process.settings.people_url, "Sec-Fetch-Site": "same-origin"}
        onward = await http.post(str(page.url.copy_with(query=None)), data=sent, headers=origin)
        (path,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', onward.text)
        there = f"{self.process.settings.people_url}{html.unescape(path)}"
        back = await http.get(there, follow_redirects=False)
        assert back.status_code == 303, back.text
        return http, back.headers["location"]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def a_site(folder: Path) -> AsyncIterator[Site]:
    port, people_port = take_free_port(), take_free_port()
    settings = IdentitySettings(
        home=folder,
        public_url=f"http://127.0.0.1:{port}",
        people_url=f"http://localhost:{people_port}",
        nats_url=NOWHERE,
        identity_database_url=f"sqlite+aiosqlite:///{folder / 'test.db'}",
        identity_key_file=folder / "identity" / "key-encryption.jwk",
    )
    async with running(settings, port=port) as process:
        pages = uvicorn.Server(
            uvicorn.Config(create_pages(settings, process.core), port=people_port, log_config=None)
        )
        serving = asyncio.create_task(pages.serve())
        await eventually(lambda: pages.started)
        people = process.core.people.people
        roles = frozenset({Grant(Role.DATA_OWNER, LAND)})
        _, link = await people.invite(OPERATOR, NewPerson(LOGIN, "An", LAND, roles))
        await people.accept(link.token, PASSWORD)
        try:
            yield Site(process, await Relying(process).register(acts=True))
        finally:
            pages.should_exit = True
            await ended("the pages", serving)


@pytest.mark.parametrize("bound", ["", "bound"])
async def test_openid_client(site: Site, node_folder: Path, bound: str) -> None:
    await _javascript(site, node_folder, OPENID_CLIENT, "DPoP" if bound else "Bearer", bound)


async def test_oauth4webapi(site: Site, node_folder: Path) -> None:
    await _javascript(site, node_folder, OAUTH4WEBAPI, "Bearer")


async def _javascript(site: Site, folder: Path, program: str, kind: str, *more: str) -> None:
    (folder / "program.mjs").write_text(program, "utf-8")
    key = json.dumps(site.application.key.as_dict(private=True))
    words = [site.process.settings.issuer, SYSTEM, key, CALLBACK, SIGNED_OUT, *more]
    environment = {**os.environ, "NODE_OPTIONS": "--experimental-global-webcrypto"}
    node = await asyncio.create_subprocess_exec(
        "node",
        str(folder / "program.mjs"),
        *words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert node.stdin is not None
    assert node.stdout is not None
    async with asyncio.timeout(60):
        address = (await node.stdout.readline()).decode().strip()
    if not address:
        pytest.fail((await node.communicate())[1].decode())
    http, back = await site.sign_in(address)
    try:
        async with asyncio.timeout(60):
            out, failed = await node.communicate(f"{back}\n".encode())
        assert node.returncode == 0, failed.decode()
        found = json.loads(out)
        assert found["info"] == {
            "sub": found["sub"],
            "name": "An",
            "preferred_username": LOGIN,
            "agency": LAND,
            "roles": ["data-owner@H11.05"],
        }
        assert (found["acr"], found["amr"]) == ("urn:lgsp:acr:one-factor", ["pwd"])
        assert (found["before"], found["after"]) == (True, False)
        assert found["type"].lower() == kind.lower()
        assert found["exchanged"] == {
            "type": ACCESS_TOKEN,
            "scope": "api",
            "act": {"sub": SYSTEM},
            "sub": found["sub"],
        }
        page = await http.get(found["end"])
        assert f'url={SIGNED_OUT}?state=bye"' in html.unescape(page.text)
        assert await site.process.core.people.sessions.standing(found["sub"], found["sid"]) is None
    finally:
        await http.aclose()


async def test_the_guides_program_for_authlib(site: Site, tmp_path: Path) -> None:
    told = GUIDE.read_text("utf-8").partition("\n### Authlib: a person signs in\n")[2].partition("\n## ")[0]
    (text,) = re.findall(r"^```python\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
    issuer = site.process.settings.issuer
    client = {"client_id": SYSTEM, "issuer": issuer, "token_endpoint": f"{issuer}/oauth2/token"}
    (tmp_path / "client.json").write_text(json.dumps(client), "utf-8")
    (tmp_path / "key.jwk").write_text(json.dumps(site.application.key.as_dict(private=True)), "utf-8")
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        text,
        str(tmp_path),
        CALLBACK,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    async with asyncio.timeout(60):
        address = (await program.stdout.readline()).decode().strip()
    if not address:
        pytest.fail((await program.communicate())[1].decode())
    http, back = await site.sign_in(address)
    await http.aclose()
    async with asyncio.timeout(60):
        out, failed = await program.communicate(f"{back}\n".encode())
    assert program.returncode == 0, failed.decode()
    assert out.decode().splitlines() == ["An urn:lgsp:acr:one-factor", "200"]


BACKEND = "H11.01/backend"


@asynccontextmanager
async def a_service(calls: list[httpx.Headers]) -> AsyncIterator[str]:
    """An address that takes calls as the gateway does; gives it."""
    port = take_free_port()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        parted = [line.partition(": ") for line in lines]
        calls.append(httpx.Headers([(name, value) for name, _, value in parted]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}/api/H11.05/land/parcels-v1/parcels/1"
    finally:
        server.close()


@pytest.mark.parametrize("library", ["openid-client", "Authlib"])
async def test_the_guides_programs_act_for_a_person(
    site: Site, tmp_path: Path, library: str, request: pytest.FixtureRequest
) -> None:
    heading = f"\n### {library}: acting for a person\n"
    told = GUIDE.read_text("utf-8").partition(heading)[2].partition("\n##")[0]
    ((language, text),) = re.findall(r"^```(\w+)\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
    backend = await Relying(site.process, client_id=BACKEND).register(redirects=(), acts=True)
    issuer = site.process.settings.issuer
    client = {"client_id": BACKEND, "issuer": issuer, "token_endpoint": f"{issuer}/oauth2/token"}
    (tmp_path / "client.json").write_text(json.dumps(client), "utf-8")
    (tmp_path / "key.jwk").write_text(json.dumps(backend.key.as_dict(private=True)), "utf-8")
    reference = await site.application.reference(scope="openid api")
    asked = urlencode({"client_id": SYSTEM, "request_uri": reference})
    http, back = await site.sign_in(f"{site.process.settings.people_url}/authorize?{asked}")
    await http.aclose()
    person = (await site.application.redeem(answer_of(back)["code"])).json()["access_token"]
    command = [sys.executable, "-c", text]
    if language == "js":
        folder: Path = request.getfixturevalue("node_folder")
        (folder / "acting.mjs").write_text(text, "utf-8")
        command = ["node", str(folder / "acting.mjs")]
    calls: list[httpx.Headers] = []
    async with a_service(calls) as url:
        program = await asyncio.create_subprocess_exec(
            *command,
            str(tmp_path),
            url,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "NODE_OPTIONS": "--experimental-global-webcrypto"},
        )
        async with asyncio.timeout(60):
            out, failed = await program.communicate(f"{person}\n".encode())
    assert (program.returncode, out.decode()) == (0, "200 {}\n"), failed.decode()
    (call,) = calls
    assert call["lgsp-purpose"] == "land-procedure"
    worth = await backend.introspect(call["authorization"].removeprefix("Bearer "))
    whose = await site.application.introspect(person)
    assert (worth["sub"], worth["client_id"], worth["scope"]) == (whose["sub"], BACKEND, "api")
    assert worth["act"] == {"sub": BACKEND, "act": {"sub": SYSTEM}}


async def test_authlib(site: Site) -> None:
    issuer = site.process.settings.issuer
    metadata = (await site.process.http.get("/.well-known/openid-configuration")).json()
    assert isinstance(site.application.key, ECKey)
    async with AsyncOAuth2Client(
        SYSTEM,
        site.application.key,
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
        scope="openid profile api",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        timeout=30,
    ) as client:
        client.register_client_auth_method(MinuteAssertion(metadata["token_endpoint"], alg="ES256"))
        verifier = site.application.verifier
        asked, state = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        # Authlib pushes no requests by itself: its parameters are sent there as they are.
        pushed = await site.application.post("/oauth2/par", **dict(parse_qsl(urlsplit(asked).query)))
        assert pushed.status_code == 201, pushed.text
        address, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], request_uri=pushed.json()["request_uri"], state=state
        )
        http, back = await site.sign_in(address)
        await http.aclose()
        token = await client.fetch_token(
            metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )
        keys = KeySet.import_key_set((await client.get(metadata["jwks_uri"])).json())
        said = jwt.decode(token["id_token"], keys, algorithms=["ES256"]).claims
        assert (said["iss"], said["aud"], said["nonce"]) == (issuer, SYSTEM, "n-1")
        info = (await client.get(metadata["userinfo_endpoint"])).json()
        assert (info["sub"], info["name"]) == (said["sub"], "An")
        second = await client.refresh_token(metadata["token_endpoint"])
        assert second["refresh_token"] != token["refresh_token"]
        seen = await client.introspect_token(metadata["introspection_endpoint"], token=second["access_token"])
        assert seen.json()["active"]
        acting = await client.fetch_token(
            metadata["token_endpoint"],
            grant_type=EXCHANGE,
            subject_token=second["access_token"],
            subject_token_type=ACCESS_TOKEN,
            scope="api",
        )
        assert (acting["issued_token_type"], acting["scope"]) == (ACCESS_TOKEN, "api")
        gone = await client.revoke_token(metadata["revocation_endpoint"], token=second["refresh_token"])
        assert gone.status_code == 200
        seen = await client.introspect_token(metadata["introspection_endpoint"], token=second["access_token"])
        assert seen.json() == {"active": False}
