"""Tokens that are bound to a certificate: checked on every call, whether the token is known or not."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.kit.clock import SystemClock
from lienthong.kit.shown import CERTIFICATE_HEADER, Shown
from lienthong.kit.tokens import Confirmation
from tests.integration.gateway.world import API, SERVICE, World, agreement, service
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

MINE, ANOTHER = "ab" * 32, "cd" * 32


@pytest.fixture(scope="module")
def path() -> Iterator[Path]:
    # The path of a Unix socket is short: folders of tests may be too long for it.
    folder = Path(tempfile.mkdtemp(prefix="lt-"))
    yield folder / "edge.sock"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, path: Path) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"), edge_socket=path)
    try:
        world.start()
        yield world
    finally:
        world.close()


@pytest.fixture
def edge(world: World, path: Path) -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url=world.url) as client:
        yield client


def shows(certificate: str | None) -> dict[str, str]:
    return {} if certificate is None else {"X-Forwarded-Client-Cert": f"Hash={certificate}"}


def bearer(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.token(cnf=Confirmation(MINE).claim())}"}


def test_a_bound_token_is_good_with_its_certificate_alone(world: World, edge: httpx.Client) -> None:
    token = bearer(world)

    def call(certificate: str | None) -> httpx.Response:
        return edge.get(f"{API}/parcels/1", headers={**token, **shows(certificate)})

    # Known from the first call on: the binding is looked at all the same.
    assert [call(shown).status_code for shown in (MINE, ANOTHER, MINE, None, MINE)] == [
        200, 401, 200, 401, 200,
    ]  # fmt: skip
    with world.client("") as direct:
        refused = direct.get(f"{API}/parcels/1", headers={**token, **shows(MINE)})
    for answer, says in ((call(ANOTHER), "another"), (call(None), "without"), (refused, "without")):
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (401, "certificate-mismatch")
        assert says in problem["detail"]
        assert problem["advice_vi"]
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        # Whoever holds a stolen token is not recorded as its owner.
        assert "client" not in world.record(answer.headers["lgsp-transaction-id"])


def test_a_token_of_a_binding_that_is_not_known_is_refused(world: World, edge: httpx.Client) -> None:
    wrong = [
        {"jku": "https://example.com"},
        {"x5t#S256": "ab" * 32},
        {"x5t#S256": 1},
        {"x5t#S256": "A" * 42},
        {**Confirmation(MINE).claim(), "x5u": "https://example.com"},
        {},
        [],
        "text",
    ]
    for claim in wrong:
        token = {"Authorization": f"Bearer {world.token(cnf=claim)}"}
        answer = edge.get(f"{API}/parcels/1", headers={**token, **shows(MINE)})
        assert (answer.status_code, answer.json().get("reason")) == (401, "claims"), claim


def test_the_platforms_own_services_are_told_of_the_certificate_and_nobody_else(
    world: World, edge: httpx.Client
) -> None:
    certificates = Shown(rpc_trust(), SystemClock()).certificates
    forged = {
        CERTIFICATE_HEADER: certificates.written(ANOTHER, "0193582c-b340-7000-8000-000000000000").decode()
    }

    def told() -> str | None:
        seen = [(name.encode(), value.encode()) for name, value in world.platform.seen[-1].headers]
        return certificates.read(seen)

    assert edge.post("/oauth2/token", headers={**shows(MINE), **forged}).status_code == 200
    assert told() == MINE
    assert edge.post("/oauth2/token", headers=forged).status_code == 200
    assert world.platform.seen[-1].header(CERTIFICATE_HEADER.lower()) is None
    assert edge.get("/catalog/v1/systems", headers={**bearer(world), **shows(MINE)}).status_code == 200
    assert told() == MINE
    assert edge.get("/catalog/v1/systems", headers={**bearer(world), **shows(ANOTHER)}).status_code == 401
    assert edge.get(f"{API}/parcels/1", headers={**bearer(world), **shows(MINE), **forged}).status_code == 200
    assert world.provider.seen[-1].header(CERTIFICATE_HEADER.lower()) is None


@pytest.mark.parametrize("by", ["service", "agreement"])
def test_where_a_bound_token_is_required_no_other_reaches_the_provider(
    world: World, edge: httpx.Client, by: str
) -> None:
    required = {by: [routes_pb2.STATEMENT_BOUND_TOKEN]}
    world.change(
        service([world.provider.url], requires=required.get("service", [])),
        agreement(requires=required.get("agreement", [])),
    )
    try:
        seen = len(world.provider.seen)
        unbound = {"Authorization": f"Bearer {world.token()}"}
        for shown in (None, MINE):
            refused = edge.get(f"{API}/parcels/1", headers={**unbound, **shows(shown)})
            problem = refused.json()
            assert (refused.status_code, problem["code"]) == (403, "bound-token-required")
            assert SERVICE in problem["detail_vi"]
        assert len(world.provider.seen) == seen
        assert world.record(refused.headers["lgsp-transaction-id"])["error"] == "bound-token-required"
        allowed = edge.get(f"{API}/parcels/1", headers={**bearer(world), **shows(MINE)})
        assert allowed.status_code == 200
    finally:
        world.change(service([world.provider.url]), agreement())
