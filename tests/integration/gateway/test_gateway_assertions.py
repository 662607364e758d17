"""`LGSP-Assertion`: made by a real gateway, believed by libraries of others and the programs of the guide."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from jose import jwt as python_jose

from lienthong.client import CallVerifier, UnprovenCallError
from lienthong.client.gateway_keys import GatewayKeys
from tests.integration.gateway.world import API, CONSUMER, PROVIDER, SERVICE, service
from tests.support.ports import take_free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.gateway.peers import Exchange
    from tests.integration.gateway.world import World

DOCS = Path(__file__).parents[3] / "docs" / "guide"
PAGE, VIETNAMESE_PAGE = ((DOCS / f"providers{end}.md").read_text("utf-8") for end in ("", ".vi"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEYS = "/.well-known/lgsp-assertion-keys.json"
BODY = '{"owner":"Nguyễn Văn An"}'.encode()


@pytest.fixture(autouse=True)
def proved(world: World) -> Iterator[None]:
    """The service asks for assertions."""
    world.change(service([world.provider.url], max_request_bytes=20_000_000, assertion=True))
    yield
    world.change(service([world.provider.url], max_request_bytes=20_000_000))


def seen(world: World, method: str = "POST", path: str = "/parcels", **options: object) -> Exchange:
    """What reached the provider of one call."""
    before = len(world.provider.seen)
    with world.client() as client:
        answer = client.request(method, API + path, **options)  # type: ignore[arg-type]
    assert answer.status_code == httpx.codes.OK, answer.text
    assert "lgsp-assertion" not in answer.headers
    assert len(world.provider.seen) == before + 1
    return world.provider.seen[-1]


def assertion(exchange: Exchange) -> str:
    found = [value for name, value in exchange.headers if name == "lgsp-assertion"]
    assert len(found) == 1
    return found[0]


def program(heading: str, language: str) -> str:
    section = PAGE[PAGE.index(f"## {heading}\n") :]
    return str(next(text for of, text in BLOCK.findall(section) if of == language))


def target(exchange: Exchange) -> str:
    return exchange.request_line.split(" ")[1]


def test_a_call_is_proven_with_the_published_keys(world: World) -> None:
    exchange = seen(world, content=BODY, headers={"LGSP-Case-Id": "hồ sơ 7".encode()})
    verifier = CallVerifier(world.url, PROVIDER)
    call = verifier.verify(assertion(exchange), method="POST", target=target(exchange), body=exchange.body)
    assert (call.client, call.service, call.operation) == (CONSUMER, SERVICE, "registerParcel")
    assert (call.agreement, call.purpose, call.case) == ("one-stop-parcels", "land-procedure", "hồ sơ 7")
    assert call.transaction_id == exchange.header("lgsp-transaction-id")
    assert call.has_body(BODY)
    with pytest.raises(UnprovenCallError, match="used before"):
        verifier.verify(assertion(exchange), method="POST", target=target(exchange), body=exchange.body)


def test_what_callers_forge_does_not_reach_the_provider(world: World) -> None:
    for name in ("LGSP-Assertion", "lgsp_assertion", "Lgsp.Assertion"):
        exchange = seen(world, "GET", "/parcels/1?a=b", headers={name: "a.b.c"})
        call = CallVerifier(world.url, PROVIDER).verify(
            assertion(exchange), method="GET", target="/parcels/1?a=b", body=b""
        )
        assert call.operation == "getParcel"
        assert "a.b.c" not in str(exchange.headers)


def test_a_body_in_chunks_or_of_over_64_kib_has_no_digest(world: World) -> None:
    for content in (iter([b"a", b"b"]), b"x" * 70_000):
        exchange = seen(world, content=content)
        call = CallVerifier(world.url, PROVIDER).verify(assertion(exchange), method="POST", target="/parcels")
        assert call.content_digest is None


def test_without_asking_none_is_sent(world: World) -> None:
    world.change(service([world.provider.url], max_request_bytes=20_000_000))
    assert seen(world).header("lgsp-assertion") is None


def test_the_keys_are_public_and_the_rest_below_well_known_is_identitys(world: World) -> None:
    answer = httpx.get(world.url + KEYS, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert [sorted(key) for key in answer.json()["keys"]] == [
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    ] * 3
    before = len(world.platform.seen)
    httpx.get(f"{world.url}/.well-known/jwks.json", trust_env=False)
    assert [exchange.request_line for exchange in world.platform.seen[before:]] == [
        "GET /.well-known/jwks.json HTTP/1.1"
    ]


def test_two_gateways_of_one_secret_and_a_restarted_one_sign_alike(
    new_world: Callable[..., World], tmp_path: Path
) -> None:
    secret = tmp_path / "assertion.key"
    secret.write_text("ab" * 32)
    one = new_world(assertion_key_file=secret, workers=2)
    other = new_world(assertion_key_file=secret)
    for world in (one, other):
        world.start()
        world.change(service([world.provider.url], assertion=True))
    keys = GatewayKeys(one.url + KEYS)
    for world in (one, one, other):
        exchange = seen(world, "GET", "/parcels/1")
        verifier = CallVerifier(world.url, PROVIDER, keys=keys)
        verifier.verify(assertion(exchange), method="GET", target="/parcels/1")
    one.stop_gateway()
    one.start()
    exchange = seen(one, "GET", "/parcels/1")
    verifier = CallVerifier(one.url, PROVIDER, keys=keys)
    verifier.verify(assertion(exchange), method="GET", target="/parcels/1")
    for world in (one, other):
        written = world.log.read_text() + "".join(map(str, world.records()))
        assert "ab" * 32 not in written
        assert assertion(exchange) not in written


def test_python_jose_believes_it(world: World) -> None:
    exchange = seen(world, content=BODY)
    keys = httpx.get(world.url + KEYS, trust_env=False).json()
    claims = python_jose.decode(
        assertion(exchange), keys, algorithms=["ES256"], audience=PROVIDER, issuer=world.url
    )
    assert claims["sub"] == CONSUMER
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    assert claims["content_digest"] == f"sha-256=:{digest}:"


def run(command: list[str], world: World, exchange: Exchange, **environment: str) -> str:
    words = [world.url, PROVIDER, assertion(exchange), "POST", target(exchange)]
    done = subprocess.run(
        [*command, *words],
        input=exchange.body,
        capture_output=True,
        check=False,
        env=os.environ | environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_the_guides_program_with_authlib(world: World) -> None:
    exchange = seen(world, path="/parcels?a=b%20c", content=BODY)
    found = run([sys.executable, "-W", "ignore", "-c", program("Python: Authlib", "python")], world, exchange)
    assert found == f"{CONSUMER} {exchange.header('lgsp-transaction-id')}"


def test_the_guides_program_in_javascript(world: World, tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        assert os.environ.get("CI") != "true", "CI leaves nothing out"
        pytest.skip("npm is not here; tests/install-tools nodejs npm")
    install = program("JavaScript: jose", "sh").split()
    quiet = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(tmp_path))
    subprocess.run([*install, *quiet], check=True, cwd=tmp_path, timeout=200)
    (tmp_path / "program.mjs").write_text(program("JavaScript: jose", "js"), "utf-8")
    version = subprocess.run(["node", "--version"], capture_output=True, check=True, text=True).stdout
    old = int(version.lstrip("v").split(".")[0]) < 20
    exchange = seen(world, path="/parcels?a=b%20c", content=BODY)
    found = run(
        ["node", str(tmp_path / "program.mjs")],
        world,
        exchange,
        NODE_OPTIONS="--experimental-global-webcrypto" if old else "",
    )
    assert found == f"{CONSUMER} {exchange.header('lgsp-transaction-id')}"


def test_the_guides_fastapi_program_serves_proven_calls_only(world: World, tmp_path: Path) -> None:
    port = take_free_port()
    path = tmp_path / "provider.py"
    path.write_text(program("Python: FastAPI and our SDK", "python"), "utf-8")
    with subprocess.Popen(
        [sys.executable, str(path), world.url, str(port)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(url), "the provider listens", within=30)
            world.change(service([url], assertion=True, max_request_bytes=20_000_000))
            with world.client() as client:
                answer = client.get(f"{API}/parcels/7?a=b%20c")
            assert answer.json() == {"parcel": "7", "for": CONSUMER, "purpose": "land-procedure"}
            forged = httpx.get(f"{url}/parcels/7", headers={"LGSP-Client": CONSUMER}, trust_env=False)
            assert (forged.status_code, forged.json()["detail"]["code"]) == (401, "assertion-missing")
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code > 0
    except httpx.HTTPError:
        return False


def test_the_vietnamese_page_has_the_same_programs() -> None:
    assert BLOCK.findall(VIETNAMESE_PAGE) == BLOCK.findall(PAGE)
    assert json.dumps(PAGE).count("target_digest") > 1
