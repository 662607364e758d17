"""What tests of several components share: real servers, free ports, fresh databases, a clock that waits."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

from lienthong.kit.clock import ManualClock
from lienthong.kit.ids import uuid7
from tests.support.authorities import trust_one_authority
from tests.support.compiled import gateway_is_compiled
from tests.support.databases import create_database, drop_database, skip_or_fail
from tests.support.golden import Golden
from tests.support.memory import write_into_memory
from tests.support.nats import NatsServer
from tests.support.ports import take_free_port
from tests.support.postgres import PostgresCluster, PostgresMissingError
from tests.support.sharing import ByProcess, KeptForGroup, group_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from xdist.remote import Producer

# No test of ours is about time; a machine that is busy for 0.2 seconds must not fail one.
settings.register_profile(
    "house", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

# Nor one that is busy for the five seconds which httpx waits when it is told nothing.
for _limit in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, _limit, 30.0)

# Before pytest, or a worker, makes its first folder.
_written = write_into_memory()
trust_one_authority()

_KEPT = pytest.StashKey[KeptForGroup]()
_PASSED = pytest.StashKey[bool]()

# Until all is collected: modules and tests stay, and looking for garbage in them takes a third of the time.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make golden` writes the golden files instead of comparing with them."""
    parser.addoption("--rewrite-golden", action="store_true", help="write golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is kept yet for the tests of a group."""
    config.stash[_KEPT] = KeptForGroup()


def pytest_report_header() -> str:
    """Say where tests write: it decides how long they take."""
    return f"tests write {_written.told}"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note whether what tests have written may be looked at."""
    session.config.stash[_PASSED] = exitstatus == pytest.ExitCode.OK


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what a run that was broken off has left; nobody looks at what tests that passed have written."""
    config.stash[_KEPT].end()
    if config.stash.get(_PASSED, False):
        _written.give_back()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End what the tests of a group have used together, after the last of them."""
    try:
        yield
    finally:
        if nextitem is None or group_of(nextitem.nodeid) != group_of(item.nodeid):
            item.config.stash[_KEPT].end()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByProcess:
    """Share tests out by the processes that they use."""
    return ByProcess(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a mark says is not for PostgreSQL, or not for compiled modules.

    Raises:
        pytest.UsageError: two tests have one identifier; workers of a parallel run would run one of them.
    """
    left_out = [
        item
        for item in items
        if (item.get_closest_marker("sqlite") and "postgresql" in item.nodeid)
        or (item.get_closest_marker("interpreted") and gateway_is_compiled())
    ]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    if doubles := [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]:
        raise pytest.UsageError(f"Several tests have one identifier, give each its own: {', '.join(doubles)}")


def pytest_collection_finish() -> None:
    """Look for garbage in what the tests make, not in all modules and tests each time."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the command remembers of ledgers is remembered for these tests alone."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as plain lines: structlog's own default draws every traceback, which takes seconds."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(),
        ]
    )


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> KeptForGroup:
    """Keeps what is made for the tests of a group until the last of them has ended."""
    return request.config.stash[_KEPT]


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Golden:
    """Golden files, to be compared with."""
    return Golden(rewrite=request.config.getoption("--rewrite-golden"))


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    return take_free_port()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One NATS server for all tests; a test that stops its server uses `own_nats_server`."""
    server = NatsServer(tmp_path_factory.mktemp("nats"), take_free_port()).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nats_url(nats_server: NatsServer) -> str:
    """The address of a real NATS server with JetStream; use streams and subjects of your own."""
    return nats_server.url


@pytest.fixture
def own_nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A NATS server of the test's own, running, to be killed and started at will."""
    server = NatsServer(tmp_path / "nats", take_free_port()).start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A real PostgreSQL cluster, running; without one tests are skipped, on CI they fail."""
    # Not pytest's own folder: that one is closed to the user that PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="lienthong-postgres-"))
    try:
        cluster = PostgresCluster(folder, take_free_port())
    except PostgresMissingError as missing:
        skip_or_fail(str(missing))
        raise
    try:
        yield cluster.start()
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: PostgresCluster) -> str:
    """The address of a real PostgreSQL cluster."""
    return postgres_cluster.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, empty database; each test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/test.db"
        return
    yield request.getfixturevalue("postgres_database")


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The address of a fresh, empty PostgreSQL database, for what only several processes on one can show."""
    name = f"test_{uuid7().replace('-', '')}"
    yield create_database(postgres_url, name)
    drop_database(postgres_url, name)
