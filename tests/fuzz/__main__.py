"""`python -m tests.fuzz [--seconds N] [--seed N] [--keep]`: fuzz both sides of HTTP/1.1, one after the other.

Begins with the inputs that are kept in `tests/fuzz/corpus` and what earlier runs have left in `build/fuzz`.
What breaks a promise is shown, and lies in `build/fuzz`. `--keep` writes the fewest inputs that reach as much
into the corpus. `python -m tests.fuzz FILE` plays a file that was left, named after its target.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.fuzz import inputs

_ROOT = Path(__file__).parents[2]
_BUILD = _ROOT / "build/fuzz"
_LONGEST = 1500
"""Bytes of an input; repetitions in it make streams that are longer."""


def fuzz(target: str, seconds: int, seed: int) -> bool:
    """Fuzz one side; returns whether every promise held."""
    inputs.unpack(inputs.kept(target), _BUILD / target)
    dictionary = Path(__file__).parent / "http1.dict"
    done = _libfuzzer(
        target,
        str(_BUILD / target),
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={_LONGEST}",
        f"-dict={dictionary}",
        "-timeout=30",
        "-print_final_stats=1",
        f"-artifact_prefix={_BUILD}/{target}-",
    )
    return done == 0


def keep(target: str) -> None:
    """Keep of all inputs so far the fewest that reach as much."""
    merged = _BUILD / f"{target}.merged"
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    _libfuzzer(target, "-merge=1", f"-max_len={_LONGEST}", str(merged), str(_BUILD / target))
    inputs.write_found(target, [path.read_bytes() for path in merged.iterdir()])


def replay(path: Path) -> None:
    """Play one input as it was found; raises what it has found."""
    target = path.name.split("-")[0]
    importlib.import_module(f"tests.fuzz.{target}").check(path.read_bytes())


def _libfuzzer(target: str, *options: str) -> int:
    # A process of its own: libFuzzer ends the one that it runs in.
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", target, *options], check=False
    ).returncode


def main(words: list[str]) -> int:
    reader = argparse.ArgumentParser(prog="tests.fuzz")
    reader.add_argument("file", nargs="?", type=Path)
    reader.add_argument("--seconds", type=int, default=60, help="in all")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--keep", action="store_true")
    given = reader.parse_args(words)
    if given.file is not None:
        replay(given.file)
        return 0
    held = [fuzz(target, given.seconds // len(inputs.TARGETS), given.seed) for target in inputs.TARGETS]
    if given.keep and all(held):
        for target in inputs.TARGETS:
            keep(target)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
