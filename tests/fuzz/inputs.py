"""The inputs that are kept: one a line, as Python writes bytes; lines with `#` say what follows."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

TARGETS: Final = ("callers", "providers")
FOLDER: Final = Path(__file__).parent / "corpus"


def read(path: Path) -> list[bytes]:
    """The inputs of a file, in its order."""
    lines = path.read_text(encoding="ascii").splitlines()
    return [ast.literal_eval(line) for line in lines if line and not line.startswith("#")]


def kept(target: str) -> list[bytes]:
    """All inputs that are kept for a target: written by hand, and found by a fuzzer."""
    return [*read(FOLDER / f"{target}.txt"), *read(FOLDER / f"{target}-found.txt")]


def write_found(target: str, inputs: Iterable[bytes]) -> None:
    """Keep what a fuzzer has found, in place of what was found before."""
    known = set(read(FOLDER / f"{target}.txt"))
    lines = sorted(repr(data) for data in set(inputs) - known)
    (FOLDER / f"{target}-found.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def unpack(inputs: Iterable[bytes], folder: Path) -> None:
    """Write inputs into a folder, each as a file, as libFuzzer wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / hashlib.sha256(data).hexdigest()).write_bytes(data)
