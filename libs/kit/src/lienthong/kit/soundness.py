"""Whether the file of an SQLite database is sound, and a copy of it from when it was.

A disk may turn a bit or cut a file off. SQLite notices that where its structure suffers: a page, or an index
that no longer fits its table. So the file is checked before the process works with it, and as a whole from
time to time; each time that it is sound a copy is put beside it. A process whose database is damaged does no
work: it says so on its health port, and which command puts the copy back (ADR 0034).

PostgreSQL looks after its own files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import make_url

from lienthong.kit.arguments import PUT_BACK
from lienthong.kit.clock import SystemClock
from lienthong.kit.engines import says_damaged
from lienthong.kit.files import PRIVATE, sync_folder
from lienthong.kit.health import Condition, State
from lienthong.kit.process import run_process
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from lienthong.kit.clock import Clock
    from lienthong.kit.settings import Settings
    from lienthong.kit.telemetry import Telemetry

CODE: Final = "database-damaged"
CHECK: Final = "storage"
"""The name of the readiness check."""
_WHOLE_AT_START_BYTES: Final = 64 * 1024**2
"""Up to this size the file is checked as a whole before the process starts: it takes less than a second."""
_LOOK_EVERY_S: Final = 2.0
_LONGEST_FINDING: Final = 200
_BESIDE: Final = ("-wal", "-shm")

_log = structlog.get_logger(__name__)


class DatabaseReplacedError(Exception):
    """Another file has the database's name now: who has the old one open has to start again."""


class NoCopyError(Exception):
    """There is no copy that could be put back; the text, in both languages, says what to do instead."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes when something is written."""

    file: tuple[int, int]
    log: tuple[int, int]


class Soundness:
    """Looks after the file of one process's database; `run` it in the background. Idle on PostgreSQL."""

    def __init__(self, url: str, *, service: str, every: float) -> None:
        """`every` is after how many seconds the file is checked as a whole again, and copied."""
        self._file = sqlite_file(url)
        self._service = service
        self._every = every
        self._damage: str | None = None
        self._inode = _inode(self._file)
        self._copied: _Stamp | None = None

    async def damaged(self) -> bool:
        """Check the file before anything else opens it: a large one for its structure alone."""
        if self._file is None:
            return False
        size = self._file.stat().st_size if self._file.exists() else 0
        if not size:
            # A new one, unless there was one before.
            if copy_of(self._file).exists():
                self._take("it is gone, or empty")
            return self._damage is not None
        whole = size <= _WHOLE_AT_START_BYTES
        self._take(await asyncio.to_thread(find_damage, self._file, whole=whole))
        return self._damage is not None

    def note(self, error: object) -> None:
        """Note what SQLite said of a damaged file while the process worked with it."""
        self._take(str(error))

    def condition(self) -> Condition:
        """Failed as soon as the file was found damaged, until another one is in its place."""
        if self._damage is None:
            return Condition(State.OK)
        reason = (
            f"{CODE}: the file {self._file} is damaged ({self._damage}). Put the newest sound copy back:"
            f" `{put_back_command(self._service)}`"
        )
        return Condition(State.FAILED, reason)

    async def run(self) -> None:
        """Check the file and copy it, now and again, until cancelled.

        Raises:
            DatabaseReplacedError: the copy was put back, so the process has to start again.
        """
        if self._file is None:
            return
        self._inode = _inode(self._file)
        while True:
            if self._damage is None:
                await self._check_and_copy(self._file)
            await self._wait(self._file)

    async def wait_until_replaced(self) -> None:
        """For a process that does no work because its file is damaged: see `run`."""
        if self._file is None:
            return
        while True:
            await self._wait(self._file)

    async def _wait(self, file: Path) -> None:
        waited = 0.0
        while waited < self._every:
            await asyncio.sleep(min(_LOOK_EVERY_S, self._every))
            waited += _LOOK_EVERY_S
            if _inode(file) not in {None, self._inode}:
                raise DatabaseReplacedError(f"{file} was replaced")

    async def _check_and_copy(self, file: Path) -> None:
        stamp = _stamp(file)
        if stamp == self._copied:
            return
        try:
            self._take(await asyncio.to_thread(find_damage, file, whole=True))
            if self._damage is None:
                await asyncio.to_thread(make_copy, file)
                self._copied = stamp
        except (OSError, sqlite3.Error) as error:
            _log.warning("the database could not be copied", file=str(file), error=str(error))

    def _take(self, damage: str | None) -> None:
        if damage is None or self._damage is not None:
            return
        self._damage = shown(damage, _LONGEST_FINDING)
        _log.error(
            "the database is damaged",
            code=CODE,
            file=str(self._file),
            found=self._damage,
            mend=put_back_command(self._service),
        )


async def stand_by(name: str, settings: Settings, telemetry: Telemetry, soundness: Soundness) -> None:
    """Do no work, because the database is damaged: only tell, until the copy is put back or a signal comes.

    Raises:
        SystemExit: status 1, when another file is in the place of the damaged one: then it is started again.
    """
    await run_process(
        name,
        settings,
        telemetry=telemetry,
        app=None,
        background=[soundness.wait_until_replaced],
        checks={CHECK: soundness.condition},
    )


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None of another one."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def find_damage(file: Path, *, whole: bool) -> str | None:
    """What SQLite finds wrong with a file, None when it is sound.

    `whole` includes that each index has what its table has (PRAGMA integrity_check), else only that every
    page can be read and is in order (quick_check). A byte within a value that no index has is not noticed.

    Raises:
        sqlite3.Error: the file cannot be looked at now.
    """
    pragma = "integrity_check" if whole else "quick_check"
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=5.0)
        ) as database:
            found = [str(line) for (line,) in database.execute(f"PRAGMA {pragma}(3)")]
    except sqlite3.DatabaseError as error:
        if not says_damaged(error):
            raise
        return str(error)
    return None if found == ["ok"] else "; ".join(" ".join(line.split()) for line in found)


def copy_of(file: Path) -> Path:
    """Where the copy of a database lies."""
    return file.with_name(f"{file.name}.copy")


def make_copy(file: Path) -> None:
    """Put a copy of a database, as it is at this moment, beside it, in place of the one before; synced.

    Raises:
        OSError: it cannot be written.
        sqlite3.Error: the database cannot be read, or the copy not written.
    """
    copy = copy_of(file)
    draft = copy.with_name(f"{copy.name}.new")
    draft.unlink(missing_ok=True)
    # SQLite writes into an empty file as it finds it: for its owner alone.
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=5.0)
        ) as database:
            database.execute("VACUUM INTO ?", [str(draft)])
        _sync(draft)
        draft.replace(copy)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(copy.parent)


def put_back_command(service: str) -> str:
    """What an operator types to have the copy put back."""
    return f"python -m lienthong.{service} {PUT_BACK}"


async def put_back(url: str) -> BilingualText:
    """As `put_copy_back`, for a command line.

    Raises:
        SystemExit: there is no copy to put back, or it cannot be; with the reason.
    """
    try:
        return await asyncio.to_thread(put_copy_back, url)
    except (NoCopyError, OSError, sqlite3.Error) as error:
        sys.exit(str(error))


def put_copy_back(url: str, *, clock: Clock | None = None) -> BilingualText:
    """Put the newest copy in the place of a database; what was there stays beside it. Says what was done.

    A process that has the database open notices it and ends, so that it is started again.

    Raises:
        NoCopyError: there is no sound copy, or the database is on PostgreSQL.
        OSError: the files cannot be moved.
        sqlite3.Error: the copy cannot be looked at.
    """
    file = sqlite_file(url)
    if file is None:
        raise NoCopyError(
            "Cơ sở dữ liệu ở PostgreSQL: hãy khôi phục bằng công cụ của PostgreSQL.\n"
            "The database is on PostgreSQL: restore it with PostgreSQL's own tools."
        )
    copy = copy_of(file)
    damage = find_damage(copy, whole=True) if copy.exists() else "it is not there"
    if damage is not None:
        raise NoCopyError(
            f"Không có bản sao lành ({copy}: {damage}). Đặt bản sao lưu của mình vào chỗ đó rồi chạy lại lệnh"
            " này.\n"
            f"There is no sound copy ({copy}: {damage}). Put a backup of your own in that place, and run this"
            " again."
        )
    made = f"{(clock or SystemClock()).now():%Y%m%dT%H%M%SZ}"
    draft = file.with_name(f"{file.name}.new")
    shutil.copyfile(copy, draft)
    draft.chmod(PRIVATE)
    _sync(draft)
    for name in (*(f"{file.name}{suffix}" for suffix in _BESIDE), file.name):
        old = file.with_name(name)
        with contextlib.suppress(FileNotFoundError):
            old.rename(old.with_name(f"{name}.damaged-{made}"))
    draft.replace(file)
    sync_folder(file.parent)
    taken = f"{datetime.fromtimestamp(copy.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return BilingualText(
        f"Put back the copy of {taken}. What was there is kept as {file}.damaged-{made}. The service starts"
        " again by itself and says which acknowledged changes are missing: lienthong doctor",
        f"Đã đặt lại bản sao lúc {taken}. Tệp cũ được giữ ở {file}.damaged-{made}. Dịch vụ tự khởi động"
        " lại và cho biết còn thiếu những thay đổi đã xác nhận nào: lienthong doctor",
    )


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def _inode(file: Path | None) -> int | None:
    try:
        return file.stat().st_ino if file is not None else None
    except OSError:
        return None


def _stamp(file: Path) -> _Stamp:
    def of(path: Path) -> tuple[int, int]:
        try:
            found = path.stat()
        except FileNotFoundError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    return _Stamp(of(file), of(file.with_name(f"{file.name}-wal")))
