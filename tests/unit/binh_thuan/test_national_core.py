"""The stand-in for the national core lets nobody in without the credentials of its three doors."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from binh_thuan.core_accounts import X_ROAD_CLIENT, X_ROAD_SERVICE, CoreAccounts, ensure_accounts
from binh_thuan.departments.national_core import TOKEN_LIFETIME_S, NationalCore
from binh_thuan.departments.population import create_app
from binh_thuan.departments.web import Surroundings
from binh_thuan.story import APPLICANT

if TYPE_CHECKING:
    from pathlib import Path

PERSON = f"/persons/{APPLICANT}"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def accounts(tmp_path: Path) -> CoreAccounts:
    return ensure_accounts(tmp_path / "population", tmp_path / "secrets")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def core(accounts: CoreAccounts, clock: Clock) -> httpx.AsyncClient:
    register = create_app(Surroundings(None, lambda: date(2025, 6, 30)))
    transport = httpx.ASGITransport(NationalCore(register, accounts, clock))
    return httpx.AsyncClient(transport=transport, base_url="http://core")


async def token(core: httpx.AsyncClient, accounts: CoreAccounts) -> dict[str, str]:
    answer = await core.post(
        "/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(accounts.client_id, accounts.client_secret),
    )
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def keys(accounts: CoreAccounts, **changed: str) -> dict[str, str]:
    text = json.dumps({**accounts.lgsp, **changed})
    return {"lgspaccesstoken": base64.b64encode(text.encode()).decode()}


async def test_a_token_opens_the_register_for_its_time(
    core: httpx.AsyncClient, accounts: CoreAccounts, clock: Clock
) -> None:
    assert (await core.get(PERSON)).status_code == 401
    held = await token(core, accounts)
    assert (await core.get(PERSON, headers=held)).json()["personalId"] == APPLICANT
    clock.now = TOKEN_LIFETIME_S
    assert (await core.get(PERSON, headers=held)).status_code == 401


async def test_a_wrong_client_gets_no_token(core: httpx.AsyncClient, accounts: CoreAccounts) -> None:
    form = {"grant_type": "client_credentials"}
    for auth in (("x", accounts.client_secret), (accounts.client_id, "x")):
        answer = await core.post("/oauth2/token", data=form, auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    inside = form | {"client_id": accounts.client_id, "client_secret": accounts.client_secret}
    assert (await core.post("/oauth2/token", data=inside)).status_code == 200


async def test_the_national_platform_wants_its_keys_beside_the_token(
    core: httpx.AsyncClient, accounts: CoreAccounts
) -> None:
    held, path = await token(core, accounts), f"/ndxp{PERSON}"
    assert (await core.get(path, headers=keys(accounts))).status_code == 401
    for wrong in ({}, keys(accounts, SecretKey="x"), {"lgspaccesstoken": "e30="}, {"lgspaccesstoken": "?"}):
        assert (await core.get(path, headers=held | wrong)).status_code == 403
    assert (await core.get(path, headers=held | keys(accounts))).json()["personalId"] == APPLICANT


async def test_x_road_wants_its_client_and_the_service_that_it_has_a_right_on(
    core: httpx.AsyncClient,
) -> None:
    path = f"/r1/{X_ROAD_SERVICE}{PERSON}"
    known = {"X-Road-Client": X_ROAD_CLIENT}
    for wrong, headers in ((path, {}), (path.replace("citizens", "other"), known)):
        answer = await core.get(wrong, headers=headers)
        assert answer.status_code == 500
        assert answer.headers["x-road-error"] == "server.serverproxy.access_denied"
    assert (await core.get(path, headers=known)).json()["personalId"] == APPLICANT


def test_the_accounts_stay_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = ensure_accounts(tmp_path / "population", tmp_path / "secrets")
    (tmp_path / "secrets" / "G01_population_core.client_secret").unlink()
    again = ensure_accounts(tmp_path / "population", tmp_path / "secrets")
    assert again == first
    files = [*(tmp_path / "secrets").iterdir(), tmp_path / "population" / "accounts.json"]
    assert len(files) == 7
    assert not any(file.stat().st_mode & 0o077 for file in files)
    assert first.client_secret not in repr(first)
