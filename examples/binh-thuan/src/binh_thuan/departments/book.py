"""An append-only file of entries: what was registered with a department survives its restart."""

import os
from pathlib import Path
from typing import Generic

from binh_thuan.data.records import R


class Book(Generic[R]):
    """Entries of one kind, one line of JSON each; without a path they live only as long as the process."""

    def __init__(self, path: Path | None, kind: type[R]) -> None:
        self.entries: list[R] = []
        self._path = path
        if path is not None and path.exists():
            whole, _, torn = path.read_bytes().rpartition(b"\n")
            self.entries = [kind.model_validate_json(line) for line in whole.splitlines()]
            if torn:
                os.truncate(path, len(whole) + 1 if whole else 0)

    def append(self, entry: R) -> R:
        """Add an entry; it is on disk when this returns."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(entry.model_dump_json(by_alias=True).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        self.entries.append(entry)
        return entry
