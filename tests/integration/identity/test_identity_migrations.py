"""Rows of older databases are kept, and nobody may more than before."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from lienthong.identity import migrations
from lienthong.identity.bootstrap import SCHEMA
from lienthong.identity.openid.repository import applications
from lienthong.identity.repository import find_client
from lienthong.kit.database import Database, migrate

if TYPE_CHECKING:
    import pytest

SYSTEM = "H11.01/one-stop"
CLIENT = """
INSERT INTO client (client_id, jwks, scopes, status, catalog_version, changed_at, certificates)
VALUES ('H11.01/one-stop', '{}', 'api events', 'active', 7, '2026-11-23', '')
"""
APPLICATION = """
INSERT INTO application (client_id, name_vi, name_en, redirects, after_sign_out, logout)
VALUES ('H11.01/one-stop', 'Một cửa', 'One-stop', 'https://a.example/ https://b.example/', '', NULL)
"""


def package_before(folder: Path, revision: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the migrations up to a revision, as it was installed before."""
    versions = folder / "identity_before" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "identity_before" / "__init__.py").touch()
    installed = Path(migrations.__path__[0])
    for path in (*installed.glob("*.*"), *installed.glob("versions/*.py")):
        if path.parent != versions and (not path.name[:4].isdigit() or path.name[:4] <= revision):
            shutil.copy(path, folder / "identity_before" / "migrations" / path.relative_to(installed))
    monkeypatch.syspath_prepend(str(folder))
    return "identity_before"


async def test_applications_act_for_nobody_and_clients_have_no_accounts(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(database_url, SCHEMA, package_before(tmp_path, "0006", monkeypatch))
    database = Database.open(database_url, schema=SCHEMA)
    try:
        async with database.transaction() as session:
            for statement in (CLIENT, APPLICATION):
                await session.execute(text(statement))
        await migrate(database_url, SCHEMA, "lienthong.identity")
        async with database.reading() as session:
            application = await applications.find(session, SYSTEM)
            client = await find_client(session, SYSTEM)
    finally:
        await database.close()
    assert application is not None
    assert (application.acts_for_people, len(application.redirects)) == (False, 2)
    assert client is not None
    assert (client.service_accounts, client.catalog_version) == ((), 7)
