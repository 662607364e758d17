"""What a disk may do to a file: turn a bit, or cut the file off."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def flip_in_the_middle(path: Path) -> None:
    """Change one byte in the middle."""
    _flip(path, path.stat().st_size // 2)


def flip_at_the_end(path: Path) -> None:
    """Change one byte of what was written last."""
    _flip(path, path.stat().st_size - 20)


def cut_in_the_middle(path: Path) -> None:
    """Leave the first half."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def cut_to_nothing(path: Path) -> None:
    """Leave an empty file."""
    path.write_bytes(b"")


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x40
    path.write_bytes(content)
