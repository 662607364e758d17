"""The files of checkpoints: the newest one seen of each log and key, and those that did not continue it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.client.checkpoint_refusals import unreadable
from lienthong.client.files import PRIVATE, create_file, replace_file
from lienthong.tlog.errors import TlogError
from lienthong.tlog.note import VerifierKey
from lienthong.tlog.seen import SeenCheckpoint

if TYPE_CHECKING:
    from typing import Literal

_LARGEST_FILE = 64 * 1024
_MOST_REFUSED = 8
"""Of each kind: forks must find room whatever else was refused before."""
_UNUSUAL = re.compile(r"[^A-Za-z0-9.-]+")


def folder() -> Path:
    """Where checkpoints are kept: under LIENTHONG_HOME where that is set, else in the user's state folder.

    That is `$XDG_STATE_HOME/lienthong` (XDG Base Directory Specification), on Windows `%LOCALAPPDATA%`. For a
    user without a home it lies under the null device, where nothing is and nothing can be written.
    """
    home = os.environ.get("LIENTHONG_HOME")
    if home:
        return Path(home) / "checkpoints"
    state = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME")
    return (Path(state) if state else _state_of_user()) / "lienthong" / "checkpoints"


def _state_of_user() -> Path:
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:
        return Path(os.devnull)


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """The file of one log and key."""

    key: VerifierKey
    path: Path

    @classmethod
    def of(cls, key: VerifierKey) -> KeptCheckpoint:
        """The file of the log that this key signs."""
        digest = hashlib.sha256(str(key).encode()).hexdigest()[:16]
        return cls(key, folder() / f"{_file_name(key)}-{digest}.checkpoint")

    def load(self) -> SeenCheckpoint | None:
        """What was seen last, None where nothing was; raises `KeptCheckpointError` where it is damaged."""
        try:
            with self.path.open("rb") as file:
                content = file.read(_LARGEST_FILE)
            seen = SeenCheckpoint.parse(content.decode())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError, TlogError) as error:
            raise unreadable(self.path, error) from error
        if seen.key != self.key:
            raise unreadable(self.path, ValueError(f"it is of the key {seen.key}"))
        return seen

    def keep(self, seen: SeenCheckpoint) -> None:
        """Replace the file; raises `OSError`."""
        self.make_folder()
        replace_file(self.path, str(seen).encode(), mode=PRIVATE)

    def make_folder(self) -> None:
        """Make the folder of the file; raises `OSError`."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keep_refused(self, seen: SeenCheckpoint, kind: Literal["shorter", "forked"]) -> Path:
        """Keep a checkpoint that does not continue this one, beside it; returns its file.

        Raises `OSError`, too where enough of this kind are kept.
        """
        digest = hashlib.sha256(str(seen).encode()).hexdigest()[:16]
        path = self.path.with_name(f"{self.path.stem}.{digest}.{kind}.refused")
        others = [other for other in self.refused() if other.name.endswith(f".{kind}.refused")]
        if path not in others and len(others) >= _MOST_REFUSED:
            raise OSError(f"{_MOST_REFUSED} that were refused are kept already in {self.path.parent}")
        self.make_folder()
        with contextlib.suppress(FileExistsError):
            create_file(path, str(seen).encode(), mode=PRIVATE)
        return path

    def refused(self) -> list[Path]:
        """The files of checkpoints that did not continue this one."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.*refused"))

    def under_other_keys(self) -> list[Path]:
        """Files of the log of this name under other keys; what cannot be read may be one."""
        pattern = f"{_file_name(self.key)}-{'[0-9a-f]' * 16}.checkpoint"
        found = sorted(self.path.parent.glob(pattern))
        return [path for path in found if path != self.path and _may_be_of(path, self.key.name)]


def _file_name(key: VerifierKey) -> str:
    return _UNUSUAL.sub("_", key.name)[:80]


def _may_be_of(path: Path, name: str) -> bool:
    """Whether a checkpoint is of the log of this name: other names may have the same file name."""
    try:
        return VerifierKey.parse(text_of(path).partition("\n")[0]).name == name
    except (OSError, TlogError):
        return True


def text_of(path: Path) -> str:
    """A file of checkpoints as it is, damaged too; raises `OSError`."""
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE).decode(errors="backslashreplace")
