#!/usr/bin/env bash
# mypyc (mypy 2.4.1): two `except … as error` clauses of one function that catch different classes
#
# Expected: each clause binds its own exception, as in the interpreter and as mypy's types have it: it finds nothing wrong
#           with the file, also under --strict.
# Seen:     compiled, the name has the type of the first clause in all of them. An exception that another clause catches
#           ends the function with a TypeError, "HeadError object expected; got BodyError". Other names, or one clause for
#           both classes, work. Known as mypyc/mypyc#620.
#
# Needs a C compiler.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0

cd "$folder"
cat >interpreted.py <<'PY'
from collections.abc import Callable


class HeadError(Exception):
    def __init__(self, line: int) -> None:
        self.line = line


class BodyError(Exception):
    def __init__(self, size: int) -> None:
        self.size = size


def one_name(read: Callable[[], None]) -> str:
    try:
        read()
    except HeadError as error:
        return f"line {error.line}"
    except BodyError as error:
        return f"{error.size} bytes"
    return "read"


def two_names(read: Callable[[], None]) -> str:
    try:
        read()
    except HeadError as of_head:
        return f"line {of_head.line}"
    except BodyError as of_body:
        return f"{of_body.size} bytes"
    return "read"
PY
venv/bin/mypy --strict interpreted.py
cp interpreted.py compiled.py
venv/bin/mypyc --strict compiled.py >/dev/null 2>&1

venv/bin/python - <<'PY'
import sys
from collections.abc import Callable

import compiled
import interpreted


def failing(error: Exception) -> Callable[[], None]:
    """Something that fails."""

    def read() -> None:
        raise error

    return read


def outcome(told: Callable[[Callable[[], None]], str], error: Exception) -> str:
    """What a function says of a failure."""
    try:
        return told(failing(error))
    except TypeError as unexpected:
        return f"TypeError: {unexpected}"


seen = {}
for module in (interpreted, compiled):
    for name in ("one_name", "two_names"):
        told = getattr(module, name)
        seen[module.__name__, name] = [outcome(told, module.HeadError(3)), outcome(told, module.BodyError(5))]
        print(f"{module.__name__}, {name}: {seen[module.__name__, name]}")
plain = ["line 3", "5 bytes"]
described = {
    ("interpreted", "one_name"): plain,
    ("interpreted", "two_names"): plain,
    ("compiled", "one_name"): ["line 3", "TypeError: compiled.HeadError object expected; got compiled.BodyError"],
    ("compiled", "two_names"): plain,
}
if seen != described:
    sys.exit("mypyc no longer behaves as described")
PY
