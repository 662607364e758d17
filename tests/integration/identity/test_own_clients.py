"""The operator and the auditor: made once, kept, and made anew only when their folder is gone."""

from __future__ import annotations

import json
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from lienthong.identity.service.own_clients import OwnClientFileError
from tests.integration.identity.harness import ISSUER, TOKEN_ENDPOINT, Process, running, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from lienthong.identity.settings import IdentitySettings


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> IdentitySettings:
    return settings_for(tmp_path, database_url, identity_bootstrap_dir=tmp_path / "home")


def own_key(settings: IdentitySettings, client_id: str = "operator") -> ECKey:
    assert settings.identity_bootstrap_dir is not None
    return ECKey.import_key(json.loads((settings.identity_bootstrap_dir / client_id / "key.jwk").read_text()))


async def scope(process: Process, key: ECKey, client_id: str = "operator") -> str:
    answer = await process.ask(process.assertion(key, client_id), client_id=client_id)
    return str(answer.json().get("scope", answer.json().get("error")))


async def test_the_first_start_writes_credentials_that_work(settings: IdentitySettings) -> None:
    async with running(settings) as process:
        assert await scope(process, own_key(settings)) == "catalog:admin identity:admin"
        assert await scope(process, own_key(settings, "auditor"), "auditor") == "audit:read"
        assert await scope(process, own_key(settings, "auditor")) == "invalid_client"
        # It signs people in, and is nobody by itself.
        assert await scope(process, own_key(settings, "console"), "console") == "unauthorized_client"
    assert settings.identity_bootstrap_dir is not None
    for client_id in ("operator", "auditor", "console"):
        folder = settings.identity_bootstrap_dir / client_id
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert sorted(path.name for path in folder.iterdir()) == ["client.json", "key.jwk"]
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
        assert json.loads((folder / "client.json").read_text()) == {
            "client_id": client_id,
            "token_endpoint": TOKEN_ENDPOINT,
            "issuer": ISSUER,
        }


async def test_later_starts_change_nothing(settings: IdentitySettings) -> None:
    assert settings.identity_bootstrap_dir is not None
    async with running(settings):
        pass
    before = {
        path: path.read_bytes() for path in settings.identity_bootstrap_dir.rglob("*") if path.is_file()
    }
    async with running(settings) as process:
        version = process.core.keyring.published.version
        assert await scope(process, own_key(settings)) == "catalog:admin identity:admin"
    async with running(settings) as process:
        assert process.core.keyring.published.version == version
    after = {path: path.read_bytes() for path in settings.identity_bootstrap_dir.rglob("*") if path.is_file()}
    assert after == before


async def test_a_deleted_folder_gets_a_new_key_and_the_old_one_stops_working(
    settings: IdentitySettings,
) -> None:
    assert settings.identity_bootstrap_dir is not None
    async with running(settings):
        old = own_key(settings)
    shutil.rmtree(settings.identity_bootstrap_dir / "operator")
    async with running(settings) as process:
        assert await scope(process, own_key(settings)) == "catalog:admin identity:admin"
        assert await scope(process, old) == "invalid_client"
        assert await scope(process, own_key(settings, "auditor"), "auditor") == "audit:read"


async def test_a_kept_folder_works_with_a_new_database(settings: IdentitySettings, tmp_path: Path) -> None:
    async with running(settings):
        key = own_key(settings)
    fresh = settings.model_copy(
        update={"identity_database_url": f"sqlite+aiosqlite:///{tmp_path / 'fresh.db'}"}
    )
    async with running(fresh) as process:
        assert await scope(process, key) == "catalog:admin identity:admin"


async def test_a_missing_client_file_is_written_again_and_another_is_kept(settings: IdentitySettings) -> None:
    assert settings.identity_bootstrap_dir is not None
    async with running(settings):
        pass
    missing = settings.identity_bootstrap_dir / "operator" / "client.json"
    kept = settings.identity_bootstrap_dir / "auditor" / "client.json"
    missing.unlink()
    kept.write_text('{"client_id": "auditor", "note": "mine"}')
    async with running(settings) as process:
        assert await scope(process, own_key(settings)) == "catalog:admin identity:admin"
    assert json.loads(missing.read_text())["client_id"] == "operator"
    assert kept.read_text() == '{"client_id": "auditor", "note": "mine"}'


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"kty":"EC"}', '{"kty":"oct","k":"AAAA"}'])
async def test_a_damaged_key_file_stops_the_start_and_is_kept(tmp_path: Path, content: str) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    settings = settings_for(tmp_path, url, identity_bootstrap_dir=tmp_path / "home")
    path = tmp_path / "home" / "operator" / "key.jwk"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(OwnClientFileError, match=r"operator/key\.jwk"):
        async with running(settings):
            pass
    assert path.read_text() == content


async def test_without_a_folder_there_are_no_such_clients(tmp_path: Path, database_url: str) -> None:
    async with running(settings_for(tmp_path, database_url)) as process:
        assert await process.core.registry.find("operator") is None
        assert await process.core.registry.find("auditor") is None
