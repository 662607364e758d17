"""The newest checkpoint that was seen here of each log, and whether the ledger's present one continues it.

A ledger that was restored from an older copy and goes on is whole by itself: what it has lost, only a
checkpoint shows that was kept elsewhere. `kept_checkpoints` has the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from lienthong.client.checkpoint_refusals import refusal
from lienthong.client.errors import InputError, KeptCheckpointError, Text
from lienthong.client.files import PRIVATE, create_file
from lienthong.client.kept_checkpoints import KeptCheckpoint, text_of
from lienthong.client.verification import not_proved, read_key
from lienthong.tlog.errors import ForkedLogError, ShorterLogError, TlogError
from lienthong.tlog.note import VerifierKey
from lienthong.tlog.seen import SeenCheckpoint
from lienthong.tlog.tree import consistency_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lienthong.client.errors import VerificationError
    from lienthong.tlog.tiles import TileAddress


@dataclass(frozen=True, slots=True)
class SeenLedger:
    """A checkpoint of the ledger that continues the one seen last.

    `earlier` is the size of that one, None at first sight; `kept_at` is the file that holds the newest one
    now, and `not_kept` why it could not be written.
    """

    seen: SeenCheckpoint
    earlier: int | None
    kept_at: Path
    not_kept: str | None = None

    def document(self) -> dict[str, Any]:
        """The comparison as JSON."""
        return {"earlier": self.earlier, "file": str(self.kept_at), "not_kept": self.not_kept}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A verified checkpoint beside the one kept, and one from elsewhere where there is one."""

    new: SeenCheckpoint
    kept: SeenCheckpoint | None
    file: KeptCheckpoint
    beside: SeenCheckpoint | None = None

    @property
    def needs(self) -> tuple[TileAddress, ...]:
        """The tiles that tell whether all are of one history."""
        tiles = (
            address
            for earlier, later in self._pairs()
            if 0 < earlier.size < later.size
            for address in consistency_tiles(earlier.size, later.size)
        )
        return tuple(dict.fromkeys(tiles))

    @property
    def shorter(self) -> bool:
        """Whether more entries than these were seen."""
        return any(seen is not None and self.new.size < seen.size for seen in (self.kept, self.beside))

    def settle(self, tiles: Mapping[TileAddress, bytes]) -> SeenLedger:
        """Keep the new checkpoint if it continues the one kept; tiles that could not be had are left out.

        Raises `RolledBackLedgerError` or `ForkedLedgerError`: then both checkpoints are kept. The one from
        elsewhere may be earlier or later than the new one; of another history it is refused likewise.
        """
        if self.kept is not None:
            self._check(self.kept, self.new, self.new, tiles)
        not_kept = None
        if self.kept is None or self.new.size > self.kept.size:
            not_kept = self._keep()
        if self.beside is not None:
            earlier, later = _in_order(self.beside, self.new)
            self._check(earlier, later, self.beside, tiles)
        return SeenLedger(self.new, None if self.kept is None else self.kept.size, self.file.path, not_kept)

    def accept(self, reason: str, now: datetime) -> Path:
        """Take the new checkpoint although it does not continue the one kept; returns the record of that.

        The record holds the signed checkpoints: the one before, the one accepted, those refused meanwhile,
        and those under other keys. Raises `OSError` where it cannot be written: then nothing is accepted.
        """
        refused = self.file.refused()
        record = {
            "at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "key": str(self.file.key),
            "before": text_of(self.file.path) if self.file.path.exists() else None,
            "accepted": self.new.text,
            "refused": [text_of(path) for path in refused],
            "under_other_keys": [text_of(path) for path in self.file.under_other_keys()],
        }
        self.file.make_folder()
        path = self.file.path.with_name(
            f"{self.file.path.stem}.accepted-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.json"
        )
        content = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        create_file(path, content.encode(), mode=PRIVATE)
        self.file.keep(self.new)
        for evidence in refused:
            evidence.unlink(missing_ok=True)
        return path

    def _pairs(self) -> list[tuple[SeenCheckpoint, SeenCheckpoint]]:
        pairs = [] if self.kept is None else [(self.kept, self.new)]
        return pairs if self.beside is None else [*pairs, _in_order(self.beside, self.new)]

    def _check(
        self,
        earlier: SeenCheckpoint,
        later: SeenCheckpoint,
        evidence: SeenCheckpoint,
        tiles: Mapping[TileAddress, bytes],
    ) -> None:
        try:
            earlier.check_grown_to(later, tiles)
        except (ShorterLogError, ForkedLogError) as error:
            raise self._refused(evidence, error) from error

    def _keep(self) -> str | None:
        try:
            # Another command may have seen more meanwhile.
            there = self.file.load()
            if there is None or there.size < self.new.size:
                self.file.keep(self.new)
        except (OSError, KeptCheckpointError) as error:
            return str(error)
        return None

    def _refused(self, seen: SeenCheckpoint, error: ShorterLogError | ForkedLogError) -> VerificationError:
        try:
            evidence = str(
                self.file.keep_refused(seen, "shorter" if isinstance(error, ShorterLogError) else "forked")
            )
        except OSError as refused:
            evidence = str(refused)
        return refusal(error, self.file.path, Text(evidence, evidence))


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was seen of a log before it is asked for its present checkpoint.

    Read once, and before asking: what other commands keep meanwhile may be later than the answer, and is no
    sign that the log went back.
    """

    file: KeptCheckpoint
    kept: SeenCheckpoint | None

    @classmethod
    def of(cls, key: VerifierKey | str) -> Baseline:
        """What is kept of the log that this key signs.

        Raises `KeptCheckpointError` where that is damaged, `InputError` for a key that is none.
        """
        file = KeptCheckpoint.of(key if isinstance(key, VerifierKey) else read_key(key))
        return cls(file, file.load())

    def compare(self, note: bytes | str, beside: SeenCheckpoint | None = None) -> Comparison:
        """Verify a checkpoint of the log; raises `VerificationError` for a signature that does not hold.

        `beside` is another one that this key verified, such as that of a receipt.
        """
        if beside is not None and beside.key != self.file.key:
            raise ValueError("the checkpoint to compare with is of another key")
        return Comparison(_verified(note, self.file.key), self.kept, self.file, beside)


def replacement(note: bytes | str, key: VerifierKey) -> Comparison:
    """As `Baseline.compare`, for `Comparison.accept`: whatever was kept, damaged too, will be replaced."""
    file = KeptCheckpoint.of(key)
    try:
        kept = file.load()
    except KeptCheckpointError:
        kept = None
    return Comparison(_verified(note, key), kept, file)


@dataclass(frozen=True, slots=True)
class ReceiptComparison:
    """How the checkpoint of a receipt stands to the one kept: `first` seen, the `same`, or `not-compared`."""

    state: Literal["first", "same", "not-compared"]
    kept: int | None
    path: Path
    not_kept: str | None = None

    @property
    def told(self) -> Text:
        """The outcome in a sentence."""
        if self.not_kept is not None:
            return Text(
                f"Chưa từng thấy sổ này, và không giữ được điểm kiểm ở {self.path} ({self.not_kept})",
                f"This ledger was not seen before, and its checkpoint could not be kept at {self.path} "
                f"({self.not_kept})",
            )
        if self.state == "first":
            return Text(
                f"Chưa từng thấy sổ này: đã giữ điểm kiểm ở {self.path}",
                f"This ledger was not seen before: its checkpoint is kept at {self.path}",
            )
        if self.state == "same":
            return Text(
                f"Trùng điểm kiểm {self.kept} bản ghi đã giữ",
                f"It is the kept checkpoint of {self.kept} records",
            )
        return Text(
            f"Điểm kiểm đã giữ có {self.kept} bản ghi: không có mạng thì không so được với biên nhận này; "
            "để so: lienthong audit show TX",
            f"The kept checkpoint has {self.kept} records: off line it cannot be compared with this "
            "receipt's; to compare: lienthong audit show TX",
        )

    def document(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return {"state": self.state, "size": self.kept, "file": str(self.path), "not_kept": self.not_kept}


def compare_receipt(seen: SeenCheckpoint) -> ReceiptComparison:
    """Compare the checkpoint of a receipt with the one kept, as far as that goes without the log's tiles.

    Two checkpoints of one size must have one root; of others nothing is known off line. At first sight it is
    kept. Raises `ForkedLedgerError`, `KeptCheckpointError`.
    """
    file = KeptCheckpoint.of(seen.key)
    kept = file.load()
    if kept is not None and kept.size != seen.size:
        return ReceiptComparison("not-compared", kept.size, file.path)
    found = Comparison(seen, kept, file).settle({})
    return ReceiptComparison("first" if kept is None else "same", seen.size, file.path, found.not_kept)


def not_kept(found: SeenLedger) -> Text:
    """That the newest checkpoint could not be kept, and why."""
    return Text(
        f"Không giữ được điểm kiểm ở {found.kept_at} ({found.not_kept}): lần sau chỉ so được với "
        "điểm kiểm cũ hơn.",
        f"The checkpoint could not be kept at {found.kept_at} ({found.not_kept}): next time only an earlier "
        "one is there to compare with.",
    )


def _in_order(one: SeenCheckpoint, other: SeenCheckpoint) -> tuple[SeenCheckpoint, SeenCheckpoint]:
    return (one, other) if one.size <= other.size else (other, one)


def _verified(note: bytes | str, key: VerifierKey) -> SeenCheckpoint:
    try:
        return SeenCheckpoint.verified(note, key)
    except TlogError as error:
        raise not_proved(error) from error


def reason_given(reason: str) -> str:
    """The reason for accepting another log; raises `InputError` for one that says nothing."""
    if not reason.strip():
        raise InputError(
            Text("Thiếu lý do", "The reason is missing"),
            Text("--reason không được để trống.", "--reason must not be empty."),
        )
    return reason.strip()[:1000]
