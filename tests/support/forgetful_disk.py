"""A disk that forgets whatever was not synced: what a folder holds after a loss of power, at the worst.

It is built from the calls of a program (`syscalls`). POSIX promises what an fsync that has returned covered,
and nothing else: what was written since is forgotten, and so are names that were given, taken or changed in a
folder that was not synced itself. A real disk keeps more, as it happens; what is acknowledged must not depend
on it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.syscalls import Call

_OTHER_WRITES: Final = frozenset({"copy_file_range", "pwritev2", "truncate"})
"""Ways to write that no program of ours takes: whoever begins to is to be looked at."""


@dataclass(eq=False, slots=True)
class File:
    """A file: what is on disk, and what was written since."""

    content: bytearray = field(default_factory=bytearray)
    size: int = 0
    """With what is not on disk yet."""
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Places and bytes that are not on disk yet; without bytes, a new length."""
    synced: int = 0
    """How many writes have come to the disk."""

    def write(self, place: int, data: bytes | None) -> None:
        """Write at a place, or give the file a new length."""
        self.writes.append((place, data))
        self.size = place if data is None else max(self.size, place + len(data))

    def sync(self, through: int) -> list[bytes]:
        """Have on disk the first writes of all that there ever were; gives what came there now."""
        some = self.writes[: max(through - self.synced, 0)]
        del self.writes[: len(some)]
        self.synced += len(some)
        for place, data in some:
            _put(self.content, place, data)
        return [data for _, data in some if data]


@dataclass(eq=False, slots=True)
class Folder:
    """A folder: the names in it, and those of them that are on disk."""

    names: dict[str, Node] = field(default_factory=dict)
    kept: dict[str, Node] = field(default_factory=dict)


Node: TypeAlias = File | Folder


class ForgetfulDisk:
    """The files below one folder, which was empty when the trace began, or held what `before` is a copy of.

    `keeps_names` says for which files an fsync keeps the names on the way to them too, as ext4, XFS and Btrfs
    do (POSIX does not promise it).
    """

    def __init__(
        self, root: Path, before: Path | None = None, *, keeps_names: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.root = os.path.realpath(root)
        self._keeps_names = keeps_names
        self._top = _read(before) if before is not None else Folder()
        self._positions: dict[tuple[str, int], int] = {}
        self._flags: dict[tuple[str, int], bytes] = {}
        self._syncing: dict[int, tuple[Node, int, dict[str, Node]]] = {}

    def take(self, call: Call) -> list[bytes]:
        """Take the next call; gives what has come to the disk by it."""
        if call.name in {"fsync", "fdatasync"}:
            return self._sync(call)
        if call.ended and call.result >= 0:
            return self._done(call)
        return []

    def restore(self, folder: Path, part: str = "") -> None:
        """Write what the disk would hold, or one folder of it, into a folder that is missing.

        Raises:
            FileNotFoundError: the disk would not have this part any more.
        """
        node: Node | None = self._top
        for name in part.split("/") if part else []:
            node = node.kept.get(name) if isinstance(node, Folder) else None
        if not isinstance(node, Folder):
            raise FileNotFoundError(f"a loss of power takes {part} away")
        _write(node, folder)

    def _done(self, call: Call) -> list[bytes]:
        match call.name:
            case "open" | "openat" | "creat":
                self._open(call)
            case "write" | "writev":
                return self._write(call, None)
            case "pwrite64" | "pwritev":
                return self._write(call, call.last_number)
            case "lseek" if call.path:
                self._positions[call.path, call.descriptor] = call.result
            case "ftruncate" | "fallocate":
                self._resize(call)
            case "rename" | "renameat" | "renameat2":
                old, new = call.paths
                self._name(new, self._unname(old))
            case "link" | "linkat":
                old, new = call.paths
                self._name(new, self._find(old))
            case "unlink" | "unlinkat" | "rmdir":
                self._unname(call.paths[0])
            case "mkdir" | "mkdirat":
                self._name(call.paths[0], Folder())
            case "sync" | "syncfs":
                _keep_all(self._top)
            case name if name in _OTHER_WRITES and self._find(call.path) is not None:
                raise NotImplementedError(f"{name} of {call.path}")
        return []

    def _open(self, call: Call) -> None:
        (path,) = call.paths[:1]
        place = self._place(path)
        if place is None:
            return
        folder, name = place
        flags = b"O_CREAT|O_TRUNC|O_WRONLY" if call.name == "creat" else call.arguments.rpartition(b'"')[2]
        node = folder.names.get(name)
        if node is None and b"O_CREAT" in flags:
            node = folder.names[name] = File()
        if isinstance(node, File) and b"O_TRUNC" in flags:
            node.write(0, None)
        key = os.path.normpath(self._absolute(path)), call.result
        self._positions[key], self._flags[key] = 0, flags

    def _write(self, call: Call, place: int | None) -> list[bytes]:
        node = self._find(call.path)
        if not isinstance(node, File):
            return []
        key = call.path, call.descriptor
        flags = self._flags.get(key, b"")
        data = call.data[: call.result]
        if place is None:
            place = node.size if b"O_APPEND" in flags else self._positions.get(key, 0)
            self._positions[key] = place + len(data)
        node.write(place, data)
        if b"O_SYNC" in flags or b"O_DSYNC" in flags:
            return node.sync(node.synced + len(node.writes))
        return []

    def _resize(self, call: Call) -> None:
        node = self._find(call.path)
        if not isinstance(node, File):
            return
        if call.name == "ftruncate":
            node.write(call.last_number, None)
            return
        # fallocate(descriptor, mode, place, length): mode 0 only makes the file longer.
        mode, place, length = (part.strip() for part in call.arguments.split(b",")[-3:])
        if mode != b"0":
            raise NotImplementedError(f"fallocate of {call.path}")
        node.write(max(node.size, int(place) + int(length)), None)

    def _sync(self, call: Call) -> list[bytes]:
        node = self._find(call.path)
        if node is None:
            return []
        if not call.ended:
            # Only what was there when it began.
            written = node.synced + len(node.writes) if isinstance(node, File) else 0
            names = dict(node.names) if isinstance(node, Folder) else {}
            self._syncing[call.thread] = node, written, names
            return []
        began, written, names = self._syncing.pop(call.thread)
        if call.result != 0:
            return []
        if isinstance(began, Folder):
            began.kept = names
            return []
        if self._keeps_names(call.path):
            self._keep_names(call.path)
        return began.sync(written)

    def _keep_names(self, path: str) -> None:
        folder = self._top
        for name in self._steps(path) or ():
            node = folder.names[name]
            folder.kept = {other: there for other, there in folder.kept.items() if there is not node}
            folder.kept[name] = node
            if isinstance(node, Folder):
                folder = node

    def _name(self, path: str, node: Node | None) -> None:
        place = self._place(path)
        if place is not None and node is not None:
            folder, name = place
            folder.names[name] = node

    def _unname(self, path: str) -> Node | None:
        place = self._place(path)
        if place is None:
            return None
        folder, name = place
        return folder.names.pop(name, None)

    def _find(self, path: str) -> Node | None:
        if not path:
            return None
        steps = self._steps(path)
        if steps is None:
            return None
        node: Node | None = self._top
        for name in steps:
            node = node.names.get(name) if isinstance(node, Folder) else None
        return node

    def _place(self, path: str) -> tuple[Folder, str] | None:
        """The folder that a name stands in, and the name; None for what lies elsewhere."""
        folder = self._find(os.path.dirname(self._absolute(path)))  # noqa: PTH120 - a path of text only
        name = os.path.basename(os.path.normpath(path))  # noqa: PTH119
        return (folder, name) if isinstance(folder, Folder) else None

    def _absolute(self, path: str) -> str:
        # What a program says without a folder goes from the one that it lives in: PostgreSQL's is its data.
        return path if path.startswith("/") else f"{self.root}/{path}"

    def _steps(self, path: str) -> list[str] | None:
        whole = os.path.normpath(self._absolute(path))
        if whole == self.root:
            return []
        return whole[len(self.root) + 1 :].split("/") if whole.startswith(f"{self.root}/") else None


def _read(folder: Path) -> Folder:
    found = Folder()
    for path in folder.iterdir():
        if path.is_dir():
            found.names[path.name] = _read(path)
        elif path.is_file():
            content = bytearray(path.read_bytes())
            found.names[path.name] = File(content, len(content))
    found.kept = dict(found.names)
    return found


def _write(folder: Folder, path: Path) -> None:
    path.mkdir(mode=0o700)
    for name, node in folder.kept.items():
        if isinstance(node, Folder):
            _write(node, path / name)
        else:
            (path / name).write_bytes(node.content)
            (path / name).chmod(0o600)


def _keep_all(folder: Folder) -> None:
    folder.kept = dict(folder.names)
    for node in folder.kept.values():
        if isinstance(node, Folder):
            _keep_all(node)
        else:
            node.sync(node.synced + len(node.writes))


def _put(content: bytearray, place: int, data: bytes | None) -> None:
    end = place + len(data) if data is not None else place
    if data is None:
        del content[place:]
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is not None:
        content[place:end] = data
