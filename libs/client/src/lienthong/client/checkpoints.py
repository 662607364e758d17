"""The newest checkpoint that was seen here of each log, and whether the ledger's present one continues it.

A ledger that was restored from an older copy and goes on is whole by itself: what it has lost, only a
checkpoint shows that was kept elsewhere. There is a file for each log (its origin) and key.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lienthong.client.checkpoint_refusals import refusal, unreadable
from lienthong.client.errors import InputError, KeptCheckpointError, Text
from lienthong.client.files import PRIVATE, create_file, replace_file
from lienthong.client.verification import not_proved, read_key
from lienthong.tlog.errors import ForkedLogError, ShorterLogError, TlogError
from lienthong.tlog.note import VerifierKey
from lienthong.tlog.seen import SeenCheckpoint
from lienthong.tlog.tree import consistency_tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.client.errors import VerificationError
    from lienthong.tlog.tiles import TileAddress

_LARGEST_FILE = 64 * 1024
_UNUSUAL = re.compile(r"[^A-Za-z0-9.-]+")


def folder() -> Path:
    """Where checkpoints are kept: under LIENTHONG_HOME where that is set, else in the user's state folder.

    That is `$XDG_STATE_HOME/lienthong` (XDG Base Directory Specification), on Windows `%LOCALAPPDATA%`.
    """
    home = os.environ.get("LIENTHONG_HOME")
    if home:
        return Path(home) / "checkpoints"
    state = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME")
    return Path(state or Path.home() / ".local" / "state") / "lienthong" / "checkpoints"


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """The file of one log and key."""

    key: VerifierKey
    path: Path

    @classmethod
    def of(cls, key: VerifierKey) -> KeptCheckpoint:
        """The file of the log that this key signs."""
        digest = hashlib.sha256(str(key).encode()).hexdigest()[:16]
        name = _UNUSUAL.sub("_", key.name)[:80]
        return cls(key, folder() / f"{name}-{digest}.checkpoint")

    @property
    def refused_path(self) -> Path:
        """Where the first checkpoint is kept that did not continue it."""
        return self.path.with_suffix(".refused")

    def load(self) -> SeenCheckpoint | None:
        """What was seen last, None where nothing was; raises `KeptCheckpointError` where it is damaged."""
        try:
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_FILE)
            seen = SeenCheckpoint.parse(content.decode())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, TlogError) as error:
            raise unreadable(self.path, error) from error
        if seen.key != self.key:
            raise unreadable(self.path, ValueError(f"it is of the key {seen.key}"))
        return seen

    def keep(self, seen: SeenCheckpoint) -> None:
        """Replace the file; raises `OSError`."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self.path, str(seen).encode(), mode=PRIVATE)


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
    """A verified checkpoint beside the one kept; `needs` are the tiles that tell whether it continues it."""

    new: SeenCheckpoint
    kept: SeenCheckpoint | None
    file: KeptCheckpoint
    needs: tuple[TileAddress, ...] = ()

    @property
    def shorter(self) -> bool:
        """Whether more entries than these were seen."""
        return self.kept is not None and self.new.size < self.kept.size

    def settle(self, tiles: Mapping[TileAddress, bytes]) -> SeenLedger:
        """Keep the new checkpoint if it continues the one kept; tiles that could not be had are left out.

        Raises `RolledBackLedgerError` or `ForkedLedgerError`: then both checkpoints are kept.
        """
        if self.kept is not None:
            try:
                self.kept.check_grown_to(self.new, tiles)
            except (ShorterLogError, ForkedLogError) as error:
                raise self._refused(error) from error
        not_kept = None
        if self.kept is None or self.new.size > self.kept.size:
            not_kept = self._keep()
        return SeenLedger(self.new, None if self.kept is None else self.kept.size, self.file.path, not_kept)

    def accept(self, reason: str, now: datetime) -> Path:
        """Take the new checkpoint although it does not continue the one kept; returns the record of that.

        The record holds both signed checkpoints. Raises `OSError` where it cannot be written: then nothing
        is accepted.
        """
        record = {
            "at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "reason": reason,
            "key": str(self.file.key),
            "before": _text_of(self.file.path),
            "accepted": self.new.text,
        }
        folder = self.file.path.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{self.file.path.stem}.accepted-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.json"
        content = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        create_file(path, content.encode(), mode=PRIVATE)
        self.file.keep(self.new)
        self.file.refused_path.unlink(missing_ok=True)
        return path

    def _keep(self) -> str | None:
        try:
            # Another command may have seen more meanwhile.
            there = self.file.load()
            if there is None or there.size < self.new.size:
                self.file.keep(self.new)
        except (OSError, KeptCheckpointError) as error:
            return str(error)
        return None

    def _refused(self, error: ShorterLogError | ForkedLogError) -> VerificationError:
        evidence = self.file.refused_path
        try:
            create_file(evidence, str(self.new).encode(), mode=PRIVATE)
        except FileExistsError:
            pass
        except OSError as refused:
            return refusal(error, self.file.path, Text(f"{refused}", f"{refused}"))
        return refusal(error, self.file.path, Text(str(evidence), str(evidence)))


def compare(note: bytes | str, key: VerifierKey | str) -> Comparison:
    """Verify a checkpoint of the ledger and find what was seen before under this key.

    Raises `VerificationError` for a signature that does not hold, `KeptCheckpointError` where what was kept
    is damaged, `InputError` for a key that is none.
    """
    known = key if isinstance(key, VerifierKey) else read_key(key)
    new = _verified(note, known)
    file = KeptCheckpoint.of(known)
    kept = file.load()
    if kept is None or not 0 < kept.size < new.size:
        return Comparison(new, kept, file)
    return Comparison(new, kept, file, tuple(consistency_tiles(kept.size, new.size)))


def replacement(note: bytes | str, key: VerifierKey) -> Comparison:
    """As `compare`, but for `Comparison.accept`: whatever was kept, damaged too, is what will be replaced."""
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

    @property
    def told(self) -> Text:
        """The outcome in a sentence."""
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
        return {"state": self.state, "size": self.kept, "file": str(self.path)}


def compare_receipt(seen: SeenCheckpoint) -> ReceiptComparison:
    """Compare the checkpoint of a receipt with the one kept, as far as that goes without the log's tiles.

    Two checkpoints of one size must have one root; of others nothing is known off line. At first sight it is
    kept. Raises `ForkedLedgerError`, `KeptCheckpointError`.
    """
    file = KeptCheckpoint.of(seen.key)
    kept = file.load()
    if kept is not None and kept.size != seen.size:
        return ReceiptComparison("not-compared", kept.size, file.path)
    Comparison(seen, kept, file).settle({})
    return ReceiptComparison("first" if kept is None else "same", seen.size, file.path)


def not_kept(found: SeenLedger) -> Text:
    """That the newest checkpoint could not be kept, and why."""
    return Text(
        f"Không giữ được điểm kiểm ở {found.kept_at} ({found.not_kept}): lần sau chỉ so được với "
        "điểm kiểm cũ hơn.",
        f"The checkpoint could not be kept at {found.kept_at} ({found.not_kept}): next time only an earlier "
        "one is there to compare with.",
    )


def _verified(note: bytes | str, key: VerifierKey) -> SeenCheckpoint:
    try:
        return SeenCheckpoint.verified(note, key)
    except TlogError as error:
        raise not_proved(error) from error


def _text_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE).decode(errors="backslashreplace")
    except FileNotFoundError:
        return None


def reason_given(reason: str) -> str:
    """The reason for accepting another log; raises `InputError` for one that says nothing."""
    if not reason.strip():
        raise InputError(
            Text("Thiếu lý do", "The reason is missing"),
            Text("--reason không được để trống.", "--reason must not be empty."),
        )
    return reason.strip()[:1000]
