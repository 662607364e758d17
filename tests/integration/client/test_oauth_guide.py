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

from tests.integration.client.own_api import own_api
from tests.support.platform import SERVICE, running_platform

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
    subprocess.run(["npm", "install", *quiet, *command.split()], check=True, cwd=folder, timeout=200)
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


def test_both_discovery_addresses_give_one_document(platform: Platform) -> None:
    documents = [
        httpx.get(f"{platform.gateway}/.well-known/{name}").json()
        for name in ("oauth-authorization-server", "openid-configuration")
    ]
    assert documents[0] == documents[1]
    assert documents[0]["issuer"] == platform.gateway


def test_the_vietnamese_page_has_the_same_programs() -> None:
    assert BLOCK.findall(VIETNAMESE_PAGE) == BLOCK.findall(PAGE)
    assert len(BLOCK.findall(PAGE)) == 7
