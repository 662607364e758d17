"""A platform of its own for every fault, calls that go on meanwhile, and a table of what became of them."""

from __future__ import annotations

import os
import random
import secrets
import signal
from typing import TYPE_CHECKING, Any, Final

import pytest

from lienthong.identity.domain.key_encryption import KeyEncryption
from lienthong.identity.service.key_encryption_file import write_key_encryption
from lienthong.kit.files import create_file
from tests.faults.calls import Calls
from tests.faults.checker import compare
from tests.faults.provider_log import ProviderLog
from tests.faults.summary import PAGE, PROPERTY, Summary
from tests.support.databases import create_database, drop_database
from tests.support.platform import Platform, running_platform
from tests.support.sharing import platform_of
from tests.support.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresCluster
    from tests.support.sharing import KeptForGroup

_PROCESSES: Final = ("catalog", "identity", "exchange", "ledger")
_SEED: Final = pytest.StashKey[int]()
_FAILED: Final = pytest.StashKey[bool]()
_HERE: Final = "tests/faults/"
_WAITS: Final = "test_three_buses.py"


def pytest_configure(config: pytest.Config) -> None:
    """Take the seed: the same in every run, unless `make faults` asks for another, or for any."""
    wanted = os.environ.get("FAULTS_SEED", "1")
    config.stash[_SEED] = int(wanted) if wanted else secrets.randbelow(2**31)
    config.pluginmanager.register(_Table(Summary(config.stash[_SEED])))


def pytest_report_header(config: pytest.Config) -> str:
    """Say how the run is repeated."""
    return f"faults: `make faults SEED={config.stash[_SEED]}` chooses the same moments again"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: what waits for servers to agree, then what shares a platform."""
    places = [place for place, item in enumerate(items) if item.nodeid.startswith(_HERE)]
    in_order = sorted((items[place] for place in places), key=lambda item: _turn(item.nodeid))
    for place, item in zip(places, in_order, strict=True):
        items[place] = item


def _turn(nodeid: str) -> tuple[bool, bool, str]:
    shared = platform_of(nodeid)
    return _WAITS not in nodeid, shared is None, shared or ""


class _Table:
    """Collects the rows, and shows them at the end."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid.startswith(_HERE) and (report.when == "teardown" or report.failed):
            self._summary.add(report)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - no public type
        self._summary.write()
        terminalreporter.section(f"faults, also in {PAGE.relative_to(PAGE.parents[1])}")
        terminalreporter.write_line(self._summary.page())


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """What chooses at random in this test: the same for the same seed."""
    return random.Random(f"{request.config.stash[_SEED]} {request.node.nodeid}")  # noqa: S311 - no secrets


@pytest.fixture(autouse=True)
def lost_after(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In short runs a record counts as lost after three seconds; the long ones wait as production does."""
    if request.node.get_closest_marker("long") is None:
        monkeypatch.setenv("LIENTHONG_LOST_AFTER_S", "3")


@pytest.fixture(autouse=True)
def large_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """A publisher may send some hundred megabytes of events at once, to fill what is then damaged."""
    monkeypatch.setenv("LIENTHONG_EXCHANGE_EVENT_BYTES_BURST", "1e9")


@pytest.fixture(scope="session")
def provider_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the provider writes down each request."""
    return tmp_path_factory.mktemp("provider") / "requests.log"


@pytest.fixture(scope="session")
def upstream(provider_file: Path) -> Iterator[str]:
    """The address of a provider that answers every request, and writes it down before."""
    with running_upstream(provider_file) as address:
        yield address


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test failed."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
def platform(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    upstream: str,
    kept: KeptForGroup,
) -> Iterator[Platform]:
    """A running platform with one provider, one consumer and one agreement."""
    name = platform_of(request.node.nodeid)
    if name is None:
        with running_platform(tmp_path / "home", upstream) as running:
            yield running
        return
    yield kept.use(name, lambda: running_platform(tmp_path_factory.mktemp(name) / "home", upstream))
    if request.node.stash.get(_FAILED, True):
        kept.end(name)


@pytest.fixture
def on_postgres(
    tmp_path: Path, upstream: str, postgres_cluster: PostgresCluster, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """The same with all databases in one PostgreSQL."""
    name = f"faults_{tmp_path.parent.name}_{tmp_path.name}".replace("-", "_")[-60:]
    url = create_database(postgres_cluster.url, name)
    for process in _PROCESSES:
        monkeypatch.setenv(f"LIENTHONG_{process.upper()}_DATABASE_URL", url)
    # On SQLite these are made at the first start; who shares a database needs the same ones.
    write_key_encryption(tmp_path / "home/identity/key-encryption.jwk", KeyEncryption.generate())
    create_file(tmp_path / "home/exchange/acknowledgements.key", secrets.token_hex(32))
    try:
        with running_platform(tmp_path / "home", upstream) as running:
            yield running
    finally:
        drop_database(postgres_cluster.url, name)


@pytest.fixture
def calls(request: pytest.FixtureRequest, provider_file: Path) -> Iterator[Calls]:
    """Calls to the platform of this test; what became of them is a row of the table."""
    fixture = "platform" if "platform" in request.fixturenames else "on_postgres"
    made = Calls(request.getfixturevalue(fixture), ProviderLog.from_now(provider_file))
    yield made
    found = compare(made)
    figures = {
        "answered": len(found.answered),
        "missing": len(found.missing),
        "double": len(found.double),
        "other": len(found.unserved) + len(found.untold),
        "outage_s": made.longest_outage_s,
        "wait_s": made.longest_wait_s,
        "errors": dict(made.errors),
    }
    request.node.user_properties.append((PROPERTY, figures))


def kill(platform: Platform, name: str) -> None:
    """End a process with SIGKILL; the supervisor starts it again."""
    pid = platform.installation.supervisor.pid(name)
    assert pid > 0, f"{name} is not running"
    os.kill(pid, signal.SIGKILL)
