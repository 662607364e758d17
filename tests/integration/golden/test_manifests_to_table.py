"""From manifests to the catalog's snapshot to the gateway's routing table, held against golden files.

Each `*.in.yaml` holds manifests and, in a document of its own under `then`, what is decided once they are
applied: `{suspend: SYSTEM}`, `{reject: AGREEMENT}`, `{revoke: AGREEMENT}`. The `*.out.yaml` beside it holds
the snapshot that `Routes/Watch` sends and the table that a gateway builds of it. `make golden` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format

from binh_thuan.credentials import ensure
from binh_thuan.province import MANIFESTS, upstreams
from lienthong.client.manifests.load import load
from lienthong.gateway.replica import WATCHED_KINDS
from lienthong.gateway.table import ReadResources, RoutingTable
from lienthong.kit.catalog import catalog_of
from lienthong.kit.settings import Settings
from tests.support.catalog import OPERATOR, Catalog, opened_catalog
from tests.support.golden import documents
from tests.support.routing import described

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock
    from tests.support.golden import Golden

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.in.yaml"))
PROBES = ("GET /parcels/1", "POST /parcels", "DELETE /parcels/1", "GET /nothing")


async def chain(
    catalog: Catalog, manifests: list[dict[str, Any]], then: list[dict[str, str]]
) -> dict[str, Any]:
    """Apply, decide, and follow what becomes of it."""
    await catalog.services.apply.apply(json.dumps({"manifests": manifests}).encode(), OPERATOR, dry_run=False)
    for decision in then:
        await catalog.carry_out(decision)
    snapshot = await catalog.snapshot()
    watched = [resource for resource in snapshot.resources if resource.key.kind in WATCHED_KINDS]
    shown = json_format.MessageToDict(snapshot)
    table = RoutingTable(catalog_of(snapshot.version, watched), ReadResources())
    return {"snapshot": shown, "table": described(table, PROBES)}


@pytest.fixture
async def catalog(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Catalog]:
    """An empty catalog."""
    async with opened_catalog(f"sqlite+aiosqlite:///{tmp_path}/catalog.db", clock) as catalog:
        yield catalog


@pytest.mark.parametrize("given", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
async def test_manifests_make_the_table_that_is_expected(
    given: Path, catalog: Catalog, golden: Golden
) -> None:
    found = documents(given)
    manifests = [document for document in found if "then" not in document]
    then = [decision for document in found for decision in document.get("then", ())]
    golden.check(given, await chain(catalog, manifests, then))


async def test_the_demo_province_makes_the_table_that_is_expected(
    catalog: Catalog, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(tmp_path / "demo", "http://127.0.0.1:8080")
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    for name, value in upstreams(Settings(port_offset=0)).items():
        monkeypatch.setenv(name, value)
    read = load([MANIFESTS])
    assert read.mistakes == []
    golden.check(HERE / "binh-thuan.in.yaml", await chain(catalog, read.values, []))
