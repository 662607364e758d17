"""Which endless answers are open, in files: of those that a kill cuts off, the next worker records the end.

Each worker has a folder, and a lock beside it that ends with the process, however that ends. A folder whose
lock nobody holds is adopted. Files are written and removed in one thread, in order, and nobody waits for
that: where a file is missing all the same, the ledger has an opening record without an end, which tells it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lienthong.kit.ids import NewId

_LOCK: Final = ".lock"
_MOST_BYTES: Final = 64 * 1024

_log = structlog.get_logger(__name__)


class Unended:
    """The open answers of one worker, by their transactions, and those of workers that are no more."""

    def __init__(self, folder: Path, new_id: NewId) -> None:
        self._folder = folder
        self._own = folder / new_id()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="open answers")
        self._adopted: list[tuple[Path, int]] = []
        self._own.mkdir(parents=True, mode=0o700)
        # Locked before it has the name that others look for.
        beginning = self._own.with_suffix(".new")
        self._lock = os.open(beginning, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        beginning.rename(self._own.with_suffix(_LOCK))

    @classmethod
    def opened(cls, folder: Path, new_id: NewId) -> Unended | None:
        """One with a folder of its own; None where the disk does not take it, which holds up no gateway."""
        try:
            return cls(folder, new_id)
        except OSError as error:
            _log.warning("open answers are not noted on disk", error=str(error))
            return None

    def begin(self, tx: str, opening: bytes) -> None:
        """Note that an answer is open, with its opening record."""
        self._do(lambda: (self._own / tx).write_bytes(opening))

    def end(self, tx: str) -> None:
        """Note that it is not any more."""
        self._do((self._own / tx).unlink)

    def adopt(self) -> list[bytes]:
        """The opening records of answers that were open when their worker ended; reads files.

        What is adopted stays until `forget`.
        """
        found: list[bytes] = []
        for lock in sorted(self._folder.glob(f"*{_LOCK}")):
            if lock == self._own.with_suffix(_LOCK):
                continue
            try:
                held = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                # Another one that begins now has adopted it, and forgotten it.
                continue
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(held)
                continue
            self._adopted.append((lock, held))
            for file in sorted(lock.with_suffix("").glob("*")):
                with contextlib.suppress(OSError), file.open("rb") as opened:
                    found.append(opened.read(_MOST_BYTES))
        return found

    def forget(self) -> None:
        """Remove what was adopted: the ends of those answers are recorded."""
        for lock, held in self._adopted:
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)
            os.close(held)
        self._adopted.clear()

    def close(self) -> None:
        """Wait for the files, and remove the folder: no answer is open."""
        self._disk.shutdown()
        for _, held in self._adopted:
            os.close(held)
        with contextlib.suppress(OSError):
            self._own.rmdir()
            self._own.with_suffix(_LOCK).unlink()
        os.close(self._lock)

    def _do(self, work: Callable[[], object]) -> None:
        def attempt() -> None:
            try:
                work()
            except OSError as error:
                _log.warning("an open answer is not noted on disk", error=str(error))

        self._disk.submit(attempt)
