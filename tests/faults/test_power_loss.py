"""What was acknowledged survives a loss of power: it was synced before the acknowledgement left.

The programs run under `strace`. A disk that forgets what was not synced is built from what they did, and must
hold each record at the moment at which the answer about it leaves.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from lienthong.client import Client, Credentials, LienthongError
from lienthong.kit.settings import Settings
from lienthong.local import Installation
from tests.faults.calls import Calls
from tests.faults.checker import assert_each_recorded_once
from tests.faults.provider_log import ProviderLog
from tests.support.forgetful_disk import ForgetfulDisk
from tests.support.platform import CONSUMER, PURPOSE, Platform, manifest, named, register
from tests.support.ports import take_free_offset
from tests.support.syscalls import calls, tracing, wait_for_end
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.syscalls import Call

pytestmark = pytest.mark.faults

PUBLISHER: Final = "H11.05/changes"
EVENT_TYPE: Final = f"{PUBLISHER}/changed-v1"
SUBSCRIPTION: Final = "changes"
EVENTS: Final = tuple(f"event-{number}" for number in range(6))
TAKEN: Final = 3
"""Events that the subscriber has acknowledged when the power fails."""
AGENCIES: Final = tuple(f"H99.{number:02}" for number in range(1, 5))

_RECORD = re.compile(rb'"tx":"([0-9a-f-]{36})"')
_EVENT = re.compile(rb'"id":"(event-\d+)"')
_CALL_ANSWERED = re.compile(rb"HTTP/1\.1 200 OK\r\n.*?lgsp-transaction-id: ([0-9a-f-]{36})", re.DOTALL)
_EVENT_ACCEPTED = re.compile(rb'^\{"accepted":\[\{"id":"(event-\d+)"')
_AGENCY_CREATED = re.compile(rb'"results":\[\{"kind":"Agency","id":"([^"]+)","action":"created"')
_EVENTS_ACKNOWLEDGED = re.compile(rb'^\{"acknowledged":\["')


async def test_a_power_failure_takes_nothing_that_a_platform_has_answered(
    tmp_path: Path, upstream: str, provider_file: Path
) -> None:
    """Calls with the bus and without it, events, their acknowledgements, and changes of the catalog; and the
    platform that starts on what is left has all of them."""
    trace = tmp_path / "trace"
    with traced_platform(tmp_path / "home", trace, upstream) as platform:
        publish_and_apply(platform)
        made = Calls(platform, ProviderLog.from_now(provider_file))
        await made.make(40)
        platform.installation.supervisor.stop("nats")
        await made.make(40)
    with_bus, without_bus = made.answered[:40], made.answered[40:]
    left = tmp_path / "left"
    Replay(platform, with_bus, without_bus).check(trace, left)

    with Installation(Settings(home=left, port_offset=platform.settings.port_offset)) as installation:
        after = Platform(installation, installation.settings, left, platform.consumer)
        made.platform = after
        assert_each_recorded_once(made)
        with after.operator() as operator, Client(after.consumer) as subscriber:
            assert set(AGENCIES) <= {one["metadata"]["id"] for one in operator.manifests("agencies")}
            pulled = subscriber.pull(SUBSCRIPTION, limit=100, wait=10)
        assert [one.event["id"] for one in pulled] == [*EVENTS[TAKEN:]]


class Replay:
    """What the disk of a platform would hold at each moment, and what has been answered by then."""

    def __init__(self, platform: Platform, with_bus: Sequence[str], without_bus: Sequence[str]) -> None:
        self._home = platform.home
        # NATS never syncs the folders of its streams: that is left to the file system, see durability.md.
        streams = f"{os.path.realpath(platform.home)}/nats/jetstream/"
        self._disk = ForgetfulDisk(platform.home, keeps_names=lambda path: path.startswith(streams))
        self._with_bus, self._without_bus = set(with_bus), set(without_bus)
        self._on_bus: set[str] = set()
        self._in_spool: set[str] = set()
        self._answered: set[str] = set()

    def check(self, trace: Path, left: Path) -> None:
        """Go through all of it; what the disk holds when the last answer leaves is written to `left`."""
        expected = {*self._with_bus, *self._without_bus, *EVENTS, *AGENCIES, SUBSCRIPTION}
        for call in calls(trace):
            for data in self._disk.take(call):
                self._note(call.path, data)
            if not call.ended and not call.path and call.name in {"write", "writev", "sendto", "sendmsg"}:
                self._judge(call)
                if expected <= self._answered:
                    self._disk.restore(left)
                    return
        pytest.fail(f"no answer is seen to leave about {sorted(expected - self._answered)[:3]}")

    def _note(self, path: str, data: bytes) -> None:
        """Bytes have come to the disk."""
        found = {name.decode() for name in (*_RECORD.findall(data), *_EVENT.findall(data))}
        if path.endswith(".blk"):
            self._on_bus |= found
        elif path.endswith(".spool"):
            self._in_spool |= found

    def _judge(self, call: Call) -> None:
        """Bytes leave a process: is on disk what they are an answer about?"""
        data = call.data
        if answered := _CALL_ANSWERED.search(data):
            transaction = answered[1].decode()
            if transaction in self._with_bus | self._without_bus:
                on_disk = self._on_bus if transaction in self._with_bus else self._in_spool
                assert transaction in on_disk, "a call is answered before its record is on disk"
                self._answered.add(transaction)
        if accepted := _EVENT_ACCEPTED.search(data):
            event = accepted[1].decode()
            assert event in self._on_bus, "an event is accepted before it is on the bus's disk"
            kept = self._query("exchange", "SELECT payload FROM kept_events")
            assert any(accepted[1] in bytes(payload) for (payload,) in kept), (
                "the exchange's database lacks it"
            )
            self._answered.add(event)
        if created := _AGENCY_CREATED.search(data):
            agency = created[1].decode()
            assert (agency,) in self._query("catalog", "SELECT id FROM agencies")
            self._answered.add(agency)
        if _EVENTS_ACKNOWLEDGED.search(data):
            assert len(self._query("exchange", "SELECT message_id FROM acknowledgements")) == TAKEN
            self._answered.add(SUBSCRIPTION)

    def _query(self, process: str, query: str) -> list[tuple[Any, ...]]:
        """What SQLite finds in a process's database, opened after a loss of power at this moment."""
        folder = self._home.with_name("looked-at")
        self._disk.restore(folder, process)
        with closing(sqlite3.connect(folder / f"{process}.db")) as database:
            found = database.execute(query).fetchall()
        shutil.rmtree(folder)
        return found


@contextmanager
def traced_platform(home: Path, trace: Path, upstream: str) -> Iterator[Platform]:
    """As `running_platform`, all of it traced; in the end everything is killed at once."""
    settings = Settings(home=home, port_offset=take_free_offset())
    variables = {"LIENTHONG_HOME": str(home), "LIENTHONG_PORT_OFFSET": str(settings.port_offset)}
    command = [*tracing(trace), sys.executable, "-m", "lienthong.local"]
    with subprocess.Popen(command, env={**os.environ, **variables}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(b"READY"), "the platform did not start"
            consumer = register(settings, upstream)
            yield Platform(Installation(settings), settings, home, consumer)
        finally:
            # The supervisor dies with the process that started it, and all programs with the supervisor.
            process.send_signal(signal.SIGKILL)
    wait_for_end(trace)


def publish_and_apply(platform: Platform) -> None:
    """Accepted events, of which the subscriber acknowledges some, and changes of the catalog."""
    publisher = Credentials.new(PUBLISHER, gateway=platform.gateway)
    spec = {
        "consumer": CONSUMER,
        "eventType": EVENT_TYPE,
        "purposes": [PURPOSE],
        "legalGround": "Luật Đất đai 2024",
        "status": "approved",
    }
    with (
        platform.operator() as operator,
        Client(publisher) as publishing,
        Client(platform.consumer) as subscriber,
    ):
        operator.apply(
            [
                named("System", PUBLISHER, "Biến động", "Changes", {"jwks": publisher.public_keys()}),
                named("EventType", EVENT_TYPE, "Biến động", "Changes", {"dataSchema": {"type": "object"}}),
                manifest("Agreement", "one-stop-changes", spec),
            ]
        )
        wait_until(lambda: subscribed(subscriber), "the exchange does not learn of the agreement")
        wait_until(lambda: known(publishing), "identity does not learn of the system")
        for event in EVENTS:
            publishing.publish(EVENT_TYPE, {"change": 1}, event_id=event)
        pulled = subscriber.pull(SUBSCRIPTION, limit=TAKEN, wait=10)
        assert [one.event["id"] for one in pulled] == [*EVENTS[:TAKEN]]
        subscriber.ack(SUBSCRIPTION, pulled)
        for agency in AGENCIES:
            operator.apply([named("Agency", agency, "Cơ quan", "Agency", {"class": "GOV"})])


def subscribed(client: Client) -> bool:
    """Whether the exchange lets it subscribe."""
    try:
        client.subscribe(SUBSCRIPTION, EVENT_TYPE)
    except LienthongError:
        return False
    return True


def known(client: Client) -> bool:
    """Whether identity gives it a token."""
    try:
        client.token()
    except LienthongError:
        return False
    return True
