"""The programs of docs/guide/oauth-clients.md, taken from the page and run against a whole platform."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.client import Client, operations
from tests.integration.client.own_api import own_api
from tests.support.platform import CONSUMER, PROVIDER, PURPOSE, SERVICE, manifest, named, running_platform
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.platform import Platform

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "guide/oauth-clients.md").read_text("utf-8")
VIETNAMESE_PAGE = (DOCS / "guide/oauth-clients.vi.md").read_text("utf-8")
REFERENCE = (DOCS / "reference/identity.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(page: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level."""
    level, _, _ = heading.partition(" ")
    start = page.index(f"{heading}\n")
    end = page.find(f"\n{level} ", start + 1)
    return page[start:end]


def program(page: str, heading: str, language: str) -> str:
    """The one program of this language under a heading."""
    (found,) = [text for of, text in BLOCK.findall(section(page, heading)) if of == language]
    return str(found)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A whole platform with a consumer whose credentials lie in `keys`."""
    with own_api() as upstream, running_platform(tmp_path_factory.mktemp("province"), upstream) as platform:
        platform.consumer.save(platform.home / "keys")
        yield platform


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the JavaScript libraries in the versions that the page names."""
    if shutil.which("npm") is None:
        assert os.environ.get("CI") != "true", "CI leaves nothing out"
        pytest.skip("npm is not here; tests/install-tools nodejs npm")
    folder = tmp_path_factory.mktemp("node")
    (command,) = re.findall(r"^npm install (.+)$", PAGE, re.MULTILINE)
    quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
    # What another module has had already is not asked for again.
    kept = ("--prefer-offline", "--fetch-retries=5")
    subprocess.run(["npm", "install", *quiet, *kept, *command.split()], check=True, cwd=folder, timeout=200)
    return folder


def python(text: str, *words: object) -> str:
    return run([sys.executable, "-c", text, *map(str, words)], dict(os.environ))


def node(folder: Path, text: str, *words: object) -> str:
    (folder / "program.mjs").write_text(text, "utf-8")
    environment = dict(os.environ)
    version = subprocess.run(["node", "--version"], capture_output=True, check=True, text=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 20:
        # Debian 12 has Node.js 18, where the cryptography of browsers is behind a flag.
        environment["NODE_OPTIONS"] = "--experimental-global-webcrypto"
    return run(["node", str(folder / "program.mjs"), *map(str, words)], environment)


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def keys_and_address(platform: Platform) -> tuple[Path, str]:
    return platform.home / "keys", f"{platform.gateway}/api/{SERVICE}/parcels/1"


@pytest.mark.parametrize("library", ["Authlib", "python-jose"])
def test_a_python_library_calls_a_service(platform: Platform, library: str) -> None:
    text = program(PAGE, f"## Python: {library}", "python")
    for _ in range(2):
        assert python(text, *keys_and_address(platform)).startswith("200 {")


def test_authlib_fetches_a_second_token_in_one_session(platform: Platform) -> None:
    text = program(PAGE, "## Python: Authlib", "python")
    twice = text.replace("session.fetch_token()", "print(session.fetch_token() == session.fetch_token())")
    assert python(twice, *keys_and_address(platform)).startswith("False\n200 {")


def test_pyjwt_gets_a_token_that_the_gateway_takes(platform: Platform) -> None:
    folder, address = keys_and_address(platform)
    assert "../reference/identity.md#with-python" in section(PAGE, "## Python: PyJWT")
    token = python(program(REFERENCE, "### With Python", "python"), folder).strip()
    headers = {"Authorization": f"Bearer {token}", "LGSP-Purpose": "land-procedure"}
    assert httpx.get(address, headers=headers).status_code == 200


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
@pytest.mark.parametrize("discovery", ["oauth2", "oidc"])
def test_a_javascript_library_calls_a_service(
    platform: Platform, node_folder: Path, library: str, discovery: str
) -> None:
    text = program(PAGE, f"## JavaScript: {library}", "js")
    assert text.count("algorithm: 'oauth2'") == 1
    text = text.replace("algorithm: 'oauth2'", f"algorithm: '{discovery}'")
    assert node(node_folder, text, *keys_and_address(platform)).startswith("200 {")


@pytest.mark.parametrize("library", ["openid-client", "oauth4webapi"])
def test_a_javascript_library_calls_a_service_with_dpop(
    platform: Platform, node_folder: Path, library: str
) -> None:
    text = program(PAGE, f"### {library} with DPoP", "js")
    # A token that is bound to a key is one that a bearer's call would be refused with.
    text += "\nconsole.log(token.token_type.toLowerCase())\n"
    assert re.fullmatch(
        r"200 \{.*\}\s+dpop\n", node(node_folder, text, *keys_and_address(platform)), re.DOTALL
    )


def test_the_sdk_calls_services_and_the_platform_with_dpop(platform: Platform) -> None:
    folder, _ = keys_and_address(platform)
    with Client.from_folder(folder, dpop=True) as client:
        for _ in range(3):
            assert client.call(SERVICE, "GET", "/parcels/1", purpose="land-procedure").status == 200
        value = client.token().value
        # The platform's own services take it as well, from its holder.
        assert client.perform(operations.manifest("systems", platform.consumer.client_id))
    for scheme in ("Bearer", "DPoP"):
        stolen = httpx.get(
            f"{platform.gateway}/api/{SERVICE}/parcels/1", headers={"Authorization": f"{scheme} {value}"}
        )
        assert (stolen.status_code, stolen.json()["code"]) == (401, "dpop-proof-refused")


def test_the_command_calls_a_service_that_requires_a_bound_token(platform: Platform) -> None:
    folder, _ = keys_and_address(platform)
    guarded = f"{PROVIDER}/guarded-v1"
    get = {"get": {"operationId": "getDeed", "responses": {"200": {"description": "Giấy"}}}}
    document = {"openapi": "3.1.0", "info": {"title": "Giấy", "version": "1"}, "paths": {"/deeds/{id}": get}}
    service = {"openapi": document, "requires": ["bound-token"]}
    terms = {"consumer": CONSUMER, "service": guarded, "purposes": [PURPOSE], "legalGround": "Thử"}

    def call(*options: str) -> subprocess.CompletedProcess[str]:
        words = ["call", "GET", f"{guarded}/deeds/1", "--as", str(folder), *options]
        command = [sys.executable, "-m", "lienthong.client", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    with platform.operator() as operator:
        upstreams = operator.perform(operations.manifest("services", SERVICE))["spec"]["upstreams"]
        operator.apply(
            [
                named("Service", guarded, "Giấy", "Deeds", {**service, "upstreams": upstreams}),
                manifest("Agreement", "one-stop-deeds", {**terms, "status": "approved"}),
            ]
        )
    wait_until(lambda: "bound-token-required" in call().stderr, "the agreement is in force")
    with_proofs = call("--dpop")
    assert (with_proofs.returncode, with_proofs.stdout[:1]) == (0, "{"), with_proofs.stderr


def test_both_discovery_addresses_give_one_document(platform: Platform) -> None:
    documents = [
        httpx.get(f"{platform.gateway}/.well-known/{name}").json()
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["issuer"] == platform.gateway


def test_the_vietnamese_page_has_the_same_programs() -> None:
    assert BLOCK.findall(VIETNAMESE_PAGE) == BLOCK.findall(PAGE)
    assert len(BLOCK.findall(PAGE)) == 12
