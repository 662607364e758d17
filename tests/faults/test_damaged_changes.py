"""Older blocks of the catalog's changes are damaged before identity has read them: it gets every system.

Systems are suspended, get other keys, and are new. The test's own list of what was answered is compared with
who gets a token, and each system in the catalog's own file with that in identity's.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from lienthong.client import Client, Credentials, LienthongError
from tests.faults.test_lost_stores import agency_manifest, journal_store, stopped
from tests.support.damage import cut_to_nothing
from tests.support.platform import named
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.support.platform import Platform

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

AGENCY: Final = "H98"
PATIENCE_S: Final = 150.0
"""A change counts as lost when identity has missed it for half a minute."""
REFUSED: Final = ("unauthorized-client", "invalid-client")
"""What a suspended system is told, and who has another key than the system's."""
_LARGE: Final = {"vi": "ế" * 2000, "en": "ế" * 2000}
_SYSTEMS_THAT_FILL: Final = 200
"""So many systems with large descriptions, changed a few times, fill a block."""


@dataclass
class Changes:
    """Changes systems, and lists what must hold then: which keys get a token, and which do not."""

    platform: Platform
    operator: Client
    """It has a token from before identity was stopped."""
    good: list[Credentials] = field(default_factory=list)
    bad: list[Credentials] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _times: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> Credentials:
        """A system with a key of its own."""
        return self._with_new_key(f"{AGENCY}/system-{next(self._numbers)}")

    def make(self, suspended: Credentials, changed: Credentials) -> str:
        """Suspend a system, give another one another key, and add one; returns the id of the first."""
        decide(self.platform, self.operator, suspended, "suspend")
        self.bad += [suspended, changed]
        self.good += [self._with_new_key(changed.client_id), self.new()]
        return suspended.client_id

    def fill(self) -> None:
        """Change many systems that nobody uses."""
        keys, time = self.platform.consumer.public_keys(), next(self._times)
        spec = {"jwks": keys, "description": _LARGE}
        self.operator.apply(
            [
                named("System", f"{AGENCY}/filling-{number}", f"Lần {time}", f"Time {time}", spec)
                for number in range(_SYSTEMS_THAT_FILL)
            ]
        )

    def wrong(self) -> list[str]:
        """What does not hold yet."""
        return [
            *(f"{one.client_id} gets {token(one)}" for one in self.good if token(one) != "a token"),
            *(f"{one.client_id} gets {token(one)}" for one in self.bad if token(one) not in REFUSED),
            *(f"identity has another {system}" for system in differing(self.platform)),
        ]

    def _with_new_key(self, identifier: str) -> Credentials:
        credentials = Credentials.new(identifier, gateway=self.platform.gateway)
        spec = {"jwks": credentials.public_keys()}
        self.operator.apply([named("System", identifier, "Hệ thống", "System", spec)])
        return credentials


def decide(platform: Platform, operator: Client, system: Credentials, decision: str) -> None:
    """Have a system suspended, or resumed."""
    answer = httpx.post(
        f"{platform.gateway}/catalog/v1/systems/{system.client_id}/{decision}",
        headers={"Authorization": f"Bearer {operator.token().value}"},
        trust_env=False,
    )
    assert answer.is_success, answer.text


def token(credentials: Credentials) -> str:
    """What identity, asked anew each time, answers to who has this key: a token, or the code of an error."""
    with Client(credentials) as client:
        try:
            client.token()
        except LienthongError as error:
            return error.code
        return "a token"


def gets_token(credentials: Credentials) -> bool:
    return token(credentials) == "a token"


def differing(platform: Platform) -> list[str]:
    """The systems that the catalog's own file has at another version than identity's."""
    catalog = rows(platform.home / "catalog/catalog.db", "SELECT id, version FROM systems")
    identity = rows(platform.home / "identity/identity.db", "SELECT client_id, catalog_version FROM client")
    return [system for system, version in catalog.items() if identity.get(system) != version]


def rows(database: Path, query: str) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        return dict(opened.execute(query).fetchall())


def blocks(platform: Platform) -> list[Path]:
    """Where NATS has written changes, the newest last."""
    found = journal_store(platform).glob("*/streams/CATALOG/msgs/*.blk")
    return sorted(found, key=lambda path: int(path.stem))


def fill_block(platform: Platform, changes: Changes) -> None:
    """Change systems until the newest block is another one."""
    newest = blocks(platform)[-1]
    while blocks(platform)[-1] == newest:
        changes.fill()


def newest_change(platform: Platform, system: str) -> tuple[Path, int]:
    """The block that has the newest change of a system, and where."""
    places = {block: block.read_bytes().rfind(f'"id":"{system}"'.encode()) for block in blocks(platform)}
    return [(block, place) for block, place in places.items() if place >= 0][-1]


def flip(block: Path, place: int) -> None:
    """NATS does not notice, until the message is read; then it passes over it."""
    content = bytearray(block.read_bytes())
    content[place] ^= 0x40
    block.write_bytes(content)


def flip_without_index(block: Path, place: int) -> None:
    """As after a crash: all that follows in the block is lost."""
    flip(block, place)
    (block.parent / "index.db").unlink()


def cut(block: Path, place: int) -> None:
    with block.open("r+b") as file:
        file.truncate(place)


def empty(block: Path, _place: int) -> None:
    cut_to_nothing(block)


def lose(block: Path, _place: int) -> None:
    block.unlink()


DAMAGES: Final = (cut, flip, lose, flip_without_index, empty)


@pytest.mark.parametrize(
    "damages", [DAMAGES[:1], pytest.param(DAMAGES, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_a_hole_among_changes_that_identity_has_not_read_leaves_it_no_system_behind(
    platform: Platform, damages: Sequence[Callable[[Path, int], None]]
) -> None:
    log = platform.home / "logs" / "catalog.log"
    begin = log.stat().st_size
    with platform.operator() as operator:
        operator.apply([agency_manifest(AGENCY)])
        changes = Changes(platform, operator)
        for damage in damages:
            # Their keys are good until they are changed.
            suspended, changed = changes.new(), changes.new()
            wait_until(partial(gets_token, suspended), within=60)
            wait_until(partial(gets_token, changed), within=60)
            with stopped(platform, "identity"):
                system = changes.make(suspended, changed)
                fill_block(platform, changes)
                with stopped(platform, "nats"):
                    damage(*newest_change(platform, system))
            wait_until(
                lambda: not changes.wrong(), lambda: str(changes.wrong()), within=PATIENCE_S, every=0.5
            )
        # What was published again lies where a new connection finds nothing missing.
        published = log.stat().st_size
        with stopped(platform, "nats"):
            pass
        wait_until(partial(gets_token, changes.new()), within=60)
    told = log.read_bytes()
    assert told[begin:].count(b"identity lacks changes of systems") >= len(damages)
    assert b"the bus has lost changes of systems" not in told[published:]
