"""Promise 5 for the services: while identity is away they go on with its last keys, also after a restart."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.client import Credentials
from lienthong.client.assertions import token_form
from lienthong.kit.ids import uuid7
from lienthong.kit.replica_copy import DiskCopy
from lienthong.kit.settings import Settings
from tests.support.fork_server import ForkedProcess, start_module
from tests.support.platform import CONSUMER, PROVIDER, manifests
from tests.support.ports import take_free_offset
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICES = ("catalog", "exchange", "ledger")
STALE_AFTER = timedelta(hours=1)


class Processes:
    """The services' real processes on one NATS, each to be killed and started at will."""

    def __init__(self, home: Path, nats_url: str) -> None:
        self.home = home
        self.settings = Settings(home=home, port_offset=take_free_offset())
        self._running: dict[str, ForkedProcess] = {}
        self._environment = os.environ | {
            "LIENTHONG_HOME": str(home),
            "LIENTHONG_PORT_OFFSET": str(self.settings.port_offset),
            "LIENTHONG_NATS_URL": nats_url,
            "LIENTHONG_IDENTITY_BOOTSTRAP_DIR": str(home),
            "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8",
            "LIENTHONG_STALE_AFTER_S": str(STALE_AFTER.total_seconds()),
        }

    def start(self, *names: str) -> None:
        for name in names:
            with (self.home / f"{name}.log").open("ab") as log:
                self._running[name] = start_module(f"lienthong.{name}", self._environment, log.fileno())

    def kill(self, *names: str) -> None:
        for name in names:
            self._running[name].send_signal(signal.SIGKILL)
            self._running.pop(name).wait(10)

    def close(self) -> None:
        self.kill(*self._running)

    def ready(self, name: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.settings.health_port(name)}/health/ready")
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def token(self, credentials: Credentials) -> str:
        form = token_form(credentials, now=time.time(), jti=uuid7())
        answer = httpx.post(f"{self.settings.identity_url}/oauth2/token", data=form)
        return str(answer.json().get("access_token", ""))


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory, nats_url: str) -> Iterator[Processes]:
    processes = Processes(tmp_path_factory.mktemp("home"), nats_url)
    processes.start("identity", *SERVICES)
    yield processes
    processes.close()


def test_restarted_while_identity_is_away_they_answer_until_the_keys_are_too_old(
    processes: Processes,
) -> None:
    settings = processes.settings
    wait_until(lambda: all(map(processes.ready, ("identity", *SERVICES))), within=60)
    operator = processes.token(Credentials.load(processes.home / "operator"))
    auditor = processes.token(Credentials.load(processes.home / "auditor"))
    consumer, provider = (Credentials.new(one, gateway=settings.public_url) for one in (CONSUMER, PROVIDER))
    applied = httpx.post(
        f"{settings.catalog_url}/catalog/v1/apply",
        json={"manifests": manifests("http://127.0.0.1:1", consumer, provider)},
        headers={"Authorization": f"Bearer {operator}"},
    )
    assert applied.status_code == 200, applied.text
    wait_until(lambda: processes.token(consumer) != "", within=60)
    calls = {
        "catalog": (f"{settings.catalog_url}/catalog/v1/systems", operator),
        "exchange": (f"{settings.exchange_url}/exchange/v1/subscriptions", processes.token(consumer)),
        "ledger": (f"{settings.ledger_url}/audit/v1/entries", auditor),
    }

    def answers() -> dict[str, tuple[int, str | None]]:
        found = {}
        for name, (url, token) in calls.items():
            answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
            found[name] = (answer.status_code, answer.json().get("code"))
        return found

    copies = [DiskCopy(settings.state_folder(name) / "keys.copy") for name in SERVICES]
    wait_until(lambda: set(answers().values()) == {(200, None)}, within=60)
    wait_until(lambda: all(copy.path.exists() for copy in copies), within=60)

    processes.kill("identity", *SERVICES)
    processes.start(*SERVICES)
    wait_until(lambda: all(map(processes.ready, SERVICES)), within=60)
    assert set(answers().values()) == {(200, None)}

    processes.kill(*SERVICES)
    for copy in copies:
        saved = copy.load()
        assert saved is not None
        assert copy.save(saved.maps, saved.confirmed - STALE_AFTER)
        copy.close()
    processes.start(*SERVICES)
    wait_until(lambda: _listening(*(url for url, _ in calls.values())), within=60)
    assert set(answers().values()) == {(503, "not-ready")}
    assert not processes.ready("catalog")

    processes.start("identity")
    wait_until(lambda: set(answers().values()) == {(200, None)}, within=60)


def _listening(*urls: str) -> bool:
    try:
        return all(httpx.get(url).status_code == 401 for url in urls)
    except httpx.TransportError:
        return False
