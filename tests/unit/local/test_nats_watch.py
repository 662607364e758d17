"""NATS is started again when it refuses to write although there is room, and not too often."""

from __future__ import annotations

import itertools
import threading
import xmlrpc.client
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from supervisor.xmlrpc import Faults

from lienthong.local import nats_watch
from lienthong.local.nats_watch import NatsWatch, Pace, refuses_to_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = b'{"status":"unavailable","error":"JetStream stream \'$G > JOURNAL\' write error: no space left"}'


@contextmanager
def health(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that answers so."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/healthz"
        server.shutdown()


class Acts:
    """What a supervisor was told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def stop(self, name: str) -> None:
        self.done.append(f"stop {name}")

    def start(self, name: str) -> None:
        self.done.append(f"start {name}")


class LosesAnswers(Acts):
    """A supervisor whose first answers are lost."""

    def __init__(self, *lost: str) -> None:
        super().__init__()
        self._lost = set(lost)

    def _answer(self, what: str) -> None:
        if what in self._lost:
            self._lost.remove(what)
            raise ConnectionResetError

    def stop(self, name: str) -> None:
        super().stop(name)
        self._answer("stop")

    def start(self, name: str) -> None:
        super().start(name)
        self._answer("start")


class Hangs(Acts):
    """A supervisor that does not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.released = threading.Event(), threading.Event()

    def stop(self, name: str) -> None:
        self.asked.set()
        self.released.wait(30)


@pytest.mark.parametrize(
    ("status", "body", "refuses"),
    [
        (200, b'{"status":"ok"}', False),
        (503, FULL, True),
        # It has just begun, or catches up: to start it again would not help.
        (503, b'{"status":"unavailable","error":"JetStream has not established contact"}', False),
    ],
)
def test_the_sign_is_a_write_error(status: int, body: bytes, refuses: bool) -> None:
    with health(status, body) as address:
        assert refuses_to_write(address) is refuses
    assert not refuses_to_write(address)


def test_it_waits_for_room_and_for_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acts, now = Acts(), 0.0
    supervisor: Any = acts
    log = tmp_path / "log"
    with health(503, FULL) as address:
        watch = NatsWatch(supervisor, address, tmp_path, log, tmp_path / "nats.log", clock=lambda: now)
        with monkeypatch.context() as full:
            full.setattr(nats_watch, "ROOM_BYTES", 2**63)
            watch.look()
            watch.look()
        assert not acts.done
        watch.look()
        assert acts.done == ["stop nats", "start nats"]
        watch.look()
        now = 61
        watch.look()
    assert acts.done == ["stop nats", "start nats"] * 2
    told = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    assert [line[:19] for line in told] == ["NATS cannot write: ", *["NATS refuses to wri"] * 2]


def test_pauses_grow_and_are_forgotten() -> None:
    pace = Pace()
    allowed = [second for second in range(3 * 3600) if pace.allows(second)]
    assert allowed[:5] == [0, 60, 180, 420, 900]
    assert {after - before for before, after in itertools.pairwise(allowed[5:])} == {900}
    assert pace.allows(4 * 3600)
    assert pace.allows(4 * 3600 + 60)


@pytest.mark.parametrize(
    ("lost", "done"),
    [(["start"], ["stop nats", "start nats", "start nats"]), (["stop"], ["stop nats", "start nats"])],
)
def test_what_it_stopped_it_starts(lost: list[str], done: list[str], tmp_path: Path) -> None:
    acts = LosesAnswers(*lost)
    supervisor: Any = acts
    with health(503, FULL) as address:
        watch = NatsWatch(
            supervisor, address, tmp_path, tmp_path / "log", tmp_path / "nats.log", clock=lambda: 0.0
        )
        watch.look()
    # Stopped, it says nothing of its health.
    watch.look()
    watch.look()
    assert acts.done == done


def test_what_another_stopped_stays_stopped(tmp_path: Path) -> None:
    class Stopped(Acts):
        def stop(self, name: str) -> None:
            super().stop(name)
            raise xmlrpc.client.Fault(Faults.NOT_RUNNING, name)

    acts = Stopped()
    supervisor: Any = acts
    with health(503, FULL) as address:
        watch = NatsWatch(
            supervisor, address, tmp_path, tmp_path / "log", tmp_path / "nats.log", clock=lambda: 0.0
        )
        watch.look()
        watch.look()
    assert acts.done == ["stop nats"]


def test_a_supervisor_that_does_not_answer_keeps_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_watch, "LOOK_EVERY_S", 0.001)
    monkeypatch.setattr(nats_watch, "_PATIENCE_S", 0.2)
    hanging = Hangs()
    supervisor: Any = hanging
    with health(503, FULL) as address:
        watch = NatsWatch(supervisor, address, tmp_path, tmp_path / "log", tmp_path / "nats.log")
        watch.start()
        assert hanging.asked.wait(10)
        stopping = threading.Thread(target=watch.stop, daemon=True)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()
        hanging.released.set()
