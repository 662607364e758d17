"""What a database may hold instead of the log that was signed: a sentence each, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.text import BilingualText
from lienthong.ledger.errors import LedgerMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.tlog import Checkpoint, TileAddress

_ADVICE = BilingualText(
    "The ledger does not run on a log that is not the signed one. Keep this database as evidence and restore"
    " the last good one: what the journal has had since then is integrated again.",
    "Sổ không chạy trên dữ liệu khác với những gì đã ký. Giữ cơ sở dữ liệu này làm bằng chứng và phục hồi bản"
    " tốt gần nhất: những gì luồng nhật ký có từ đó sẽ được ghi lại vào sổ.",
)


def tree_row_lost() -> LedgerMismatchError:
    """The one row of the table `tree` is gone."""
    return _mismatch(
        "the ledger's database has lost the tree head of the log: its table `tree` is empty",
        "cơ sở dữ liệu của sổ đã mất đầu cây: bảng `tree` trống",
    )


def unreadable_database(why: Exception) -> LedgerMismatchError:
    """The file or its pages are damaged."""
    return _mismatch(
        f"the ledger's database is damaged, its file was cut off or overwritten: {why}",
        f"cơ sở dữ liệu của sổ bị hỏng, tệp bị cắt cụt hoặc ghi đè: {why}",
    )


def unverified_checkpoint(why: Exception) -> LedgerMismatchError:
    """The stored checkpoint is not one that this key signed under this name."""
    return _mismatch(
        f"the checkpoint in the table `tree` is not one of this log and key: {why}",
        f"điểm kiểm trong bảng `tree` không phải của sổ và khoá này: {why}",
    )


def other_size(stored: int, signed: int) -> LedgerMismatchError:
    """The row says another number of entries than its signed checkpoint."""
    return _mismatch(
        f"the row of the table `tree` says that the log has {stored} entries, its signed checkpoint {signed}",
        f"dòng của bảng `tree` ghi sổ có {stored} bản ghi, còn điểm kiểm đã ký của nó ghi {signed}",
    )


def other_root(stored: bytes, checkpoint: Checkpoint) -> LedgerMismatchError:
    """The row has another root than its signed checkpoint, at the same size."""
    return _mismatch(
        f"the row of the table `tree` has the root {stored.hex()[:16]}… for {checkpoint.size} entries, its"
        f" signed checkpoint {checkpoint.root.hex()[:16]}…",
        f"dòng của bảng `tree` có gốc {stored.hex()[:16]}… cho {checkpoint.size} bản ghi, còn điểm kiểm đã ký"
        f" của nó ghi {checkpoint.root.hex()[:16]}…",
    )


def unusable_tile(why: Exception) -> LedgerMismatchError:
    """A tile on the right edge is missing or too narrow; the exception names it."""
    return _mismatch(
        f"a row of the table `tile` is gone or cut off: {why}",
        f"một dòng của bảng `tile` đã mất hoặc bị cắt: {why}",
    )


def other_tiles(tiles: Sequence[TileAddress], size: int) -> LedgerMismatchError:
    """The tiles on the right edge do not give the signed root."""
    paths = ", ".join(tile.path for tile in tiles)
    return _mismatch(
        f"the stored tiles do not give the signed root at size {size}: one of {paths} was changed",
        f"các ô băm đã lưu không cho gốc đã ký ở cỡ {size}: một trong {paths} đã bị sửa",
    )


def missing_entries(last: int | None, size: int) -> LedgerMismatchError:
    """The table `entry` ends before the signed size."""
    first = 0 if last is None else last + 1
    return _mismatch(
        f"the table `entry` has lost its rows {first} to {size - 1}, which are signed",
        f"bảng `entry` đã mất các dòng {first} đến {size - 1}, là những dòng đã ký",
    )


def unsigned_entries(last: int, size: int) -> LedgerMismatchError:
    """The table `entry` goes on beyond the signed size."""
    return _mismatch(
        f"the table `entry` has rows {size} to {last}, which nobody signed: {size} entries are signed",
        f"bảng `entry` có các dòng {size} đến {last} mà chưa ai ký: chỉ có {size} bản ghi đã ký",
    )


def missing_entry(index: int) -> LedgerMismatchError:
    """A row of the last bundle is gone."""
    return _mismatch(
        f"the table `entry` has lost its row {index}, which is signed",
        f"bảng `entry` đã mất dòng {index}, là dòng đã ký",
    )


def changed_entry(index: int, tile: TileAddress) -> LedgerMismatchError:
    """A record of the last bundle is not the one whose hash is in the tile."""
    return _mismatch(
        f"the record in row {index} of the table `entry` was changed: its hash is not the one in {tile.path}",
        f"bản ghi ở dòng {index} của bảng `entry` đã bị sửa: mã băm của nó không phải mã trong {tile.path}",
    )


def other_name(name: str, origin: str) -> LedgerMismatchError:
    """The signing key is of another log."""
    return _mismatch(
        f"the signing key is of the log {name!r}, not of {origin!r} (LIENTHONG_LEDGER_ORIGIN)",
        f"khoá ký là của sổ {name!r}, không phải của {origin!r} (LIENTHONG_LEDGER_ORIGIN)",
        BilingualText(
            "Give the ledger the name and the key that its log began with.",
            "Đặt lại đúng tên và khoá mà sổ đã bắt đầu.",
        ),
    )


def foreign_writer() -> LedgerMismatchError:
    """Another process wrote to the tables without the lock of the tree head."""
    return _mismatch(
        "another process has written to the log without taking its lock",
        "có tiến trình khác đã ghi vào sổ mà không giữ khoá ghi",
    )


def _mismatch(english: str, vietnamese: str, advice: BilingualText = _ADVICE) -> LedgerMismatchError:
    return LedgerMismatchError(BilingualText(f"{english}. {advice.en}", f"{vietnamese}. {advice.vi}"))
