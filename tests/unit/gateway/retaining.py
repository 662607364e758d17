"""A gateway's journal with what it retains, a bus that forgets, and a ledger in memory."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

from lienthong.gateway.journal.beside import Beside
from lienthong.gateway.journal.claims import LedgerAnswer, LedgerUnavailableError, State
from lienthong.gateway.journal.release import Release
from lienthong.gateway.journal.retained import Retained
from lienthong.gateway.journal.seen_log import SeenLog
from lienthong.gateway.journal.spool import Spool
from lienthong.gateway.journal.writer import JournalWriter
from lienthong.kit.bus import PublishAck
from lienthong.tlog import (
    Checkpoint,
    RightEdge,
    SigningKey,
    consistency_proof,
    consistency_tiles,
    grow,
    leaf_hash,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from lienthong.gateway.journal.claims import Claim
    from lienthong.kit.clock import ManualClock

ORIGIN = "lgsp/test/ledger"


class Journal:
    """A bus that acknowledges everything, and may forget it before the ledger has read it."""

    connected = True

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.messages: list[tuple[str, bytes]] = []
        self.forgets = False

    async def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,  # noqa: ASYNC109  the port's own
    ) -> PublishAck:
        assert (subject, bool(headers), timeout) == ("journal.gateway", True, 1.0)
        if not self.forgets:
            self.messages.append((message_id, payload))
        return PublishAck("JOURNAL", len(self.messages), duplicate=False)


class MemoryLedger:
    """A log in memory, and how far it has read the journal."""

    def __init__(self, seed: int = 1) -> None:
        self.key = SigningKey(ORIGIN, bytes([seed]) * 32)
        self.leaves: list[bytes] = []
        self.ids: dict[str, int] = {}
        self.read_through: datetime | None = None
        self.away = False
        self.asked = 0
        self._read = 0

    def read(self, journal: Journal, upto: datetime | None) -> None:
        """Take what the journal has."""
        for _, payload in journal.messages[self._read :]:
            for record in payload.split(b"\n"):
                name = record.partition(b'"id":"')[2].partition(b'"')[0].decode()
                if name not in self.ids:
                    self.ids[name] = len(self.leaves)
                    self.leaves.append(record)
        self._read = len(journal.messages)
        self.read_through = upto

    def cut(self, size: int) -> None:
        """Go back to an earlier state."""
        del self.leaves[size:]
        self.ids = {name: index for name, index in self.ids.items() if index < size}

    async def check(self, claims: Sequence[Claim], from_size: int) -> LedgerAnswer:
        if self.away:
            raise LedgerUnavailableError("away")
        self.asked += 1
        growth = grow(RightEdge(), map(leaf_hash, self.leaves))
        size = len(self.leaves)
        proof: tuple[bytes, ...] = ()
        if 0 < from_size < size:
            tiles = {
                address: growth.tiles[address.level, address.index]
                for address in consistency_tiles(from_size, size)
            }
            proof = consistency_proof(from_size, size, tiles)
        checkpoint = Checkpoint(ORIGIN, size, growth.edge.root).signed(self.key)
        states = [self._state(claim) for claim in claims]
        return LedgerAnswer(states, checkpoint, str(self.key.verifier), proof, self.read_through)

    def _state(self, claim: Claim) -> State:
        index = self.ids.get(claim.first_record_id)
        if index is None:
            return State.MISSING
        there = b"\n".join(self.leaves[index : index + claim.records])
        return State.SEALED if sha256(there).digest() == claim.sha256 else State.DIFFERENT


class Node:
    """One gateway's journal with what it retains."""

    def __init__(self, folder: Path, ledger: MemoryLedger, clock: ManualClock, bus: Journal) -> None:
        self.folder = folder / "retained"
        self.clock, self.ledger, self.bus = clock, ledger, bus
        numbers = count()

        def new_id() -> str:
            milliseconds = int(clock.now().timestamp() * 1000)
            number = next(numbers)
            return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7000-8000-{number:012x}"

        self.retained = Retained(
            self.folder, max_bytes=20_000, sealed_for=timedelta(days=1), new_id=new_id, segment_bytes=2_000
        )
        self.beside = Beside(self.retained, clock)
        spool = Spool(folder / "spool", max_bytes=100_000, new_id=new_id)
        self.journal = JournalWriter(
            bus, spool, self.retained, self.beside, new_id=new_id, publish_timeout=1.0, clock=clock
        )
        self.seen = SeenLog(folder / "ledger.checkpoint")
        self.release = Release(
            self.retained, self.beside, ledger, self.seen, publish=self.journal.publish_again, clock=clock
        )
        self.new_id = new_id

    async def write(self, records: int) -> list[str]:
        """Record so many calls, one after another; their ids."""
        ids = []
        for _ in range(records):
            ids.append(self.new_id())
            await self.journal.write(b'{"v":1,"id":"%b","kind":"call"}' % ids[-1].encode())
        return ids

    def files(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"*{suffix}"))

    def die(self) -> None:
        """End without a word: the kernel drops the locks."""
        self.beside.close()


def later(node: Node, by: timedelta) -> datetime:
    node.clock.advance(by)
    return node.clock.now()
