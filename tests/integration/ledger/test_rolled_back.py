"""A ledger whose database went back in time is whole by itself; who looked at it before knows better."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from lienthong.client.checkpoints import Baseline
from lienthong.client.errors import ForkedLedgerError, RolledBackLedgerError
from tests.integration.ledger.support import STREAM, full_check, messages, opened

if TYPE_CHECKING:
    from lienthong.client.checkpoints import SeenLedger
    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings


async def look(core: LedgerCore) -> SeenLedger:
    """Compare the ledger with what was seen of it, by the tiles that it serves."""
    found = Baseline.of(core.signer.key.verifier).compare(await core.log.checkpoint())
    return found.settle({address: await core.log.tile(address.path) for address in found.needs})


@pytest.mark.sqlite  # The copy is a file; what is compared is the same on any database.
async def test_a_ledger_restored_from_an_older_copy_is_refused_by_who_looked_before(
    settings: LedgerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "elsewhere"))
    database, older = Path(make_url(settings.ledger_database_url).database or ""), tmp_path / "older.db"
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, messages(3, each=100))
        assert (await look(core)).earlier is None
    shutil.copyfile(database, older)
    later = messages(5, each=100, first=4)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, later)
        assert (await look(core)).earlier == 300

    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    shutil.copyfile(older, database)
    async with opened(settings) as core:
        assert (await full_check(core)).sound
        with pytest.raises(RolledBackLedgerError, match="800 signed records were seen"):
            await look(core)
        await core.integrator.integrate(STREAM, messages(6, each=100, first=4))
        assert (await full_check(core)).sound
        with pytest.raises(ForkedLedgerError, match="900 records does not continue the 800"):
            await look(core)

    # The same journal gives the same log again: nothing was lost.
    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    shutil.copyfile(older, database)
    async with opened(settings) as core:
        await core.integrator.integrate(STREAM, later)
        assert (await look(core)).earlier == 800
