#!/usr/bin/env bash
# mypyc (mypy 2.4.1) with Python 3.12 and 3.13: an exception or a cancellation in what a compiled coroutine awaits
#
# Expected: a compiled coroutine hands it on as an interpreted one does, and without a warning: there is nothing old in
#           its source.
# Seen:     Python warns that "the (type, exc, tb) signature of throw() is deprecated", once for each await that is
#           passed on the way. Where warnings are errors, the warning takes the place of the exception, and of the
#           cancellation: a task that was cancelled ends with a DeprecationWarning.
#
# Needs Python 3.12 or later and a C compiler.
set -euo pipefail

python=
for candidate in python3 python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[23].*/bin/python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { echo "this needs Python 3.12 or later" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check mypy==2.4.1 setuptools==80.9.0

cd "$folder"
cat >interpreted.py <<'PY'
from collections.abc import Awaitable


async def handed_on(work: Awaitable[None]) -> None:
    await work
PY
cp interpreted.py compiled.py
venv/bin/mypyc compiled.py >/dev/null 2>&1

venv/bin/python - <<'PY'
import asyncio
import sys
import warnings

import compiled
import interpreted


async def outcome(module: object, *, cancelled: bool) -> str:
    """How a task ends whose coroutine waits when it is cancelled, or when what it waits for fails."""
    answer = asyncio.get_running_loop().create_future()

    async def waiting() -> None:
        await answer

    task = asyncio.create_task(module.handed_on(waiting()))
    await asyncio.sleep(0)
    if cancelled:
        task.cancel()
    else:
        answer.set_exception(ValueError("the register is closed"))
    try:
        await task
    except BaseException as error:
        return type(error).__name__
    return "nothing"


print("Python", sys.version.split()[0])
seen = {}
for module in (interpreted, compiled):
    for action in ("always", "error"):
        with warnings.catch_warnings(record=action == "always") as caught:
            warnings.simplefilter(action)
            ends = [asyncio.run(outcome(module, cancelled=cancelled)) for cancelled in (False, True)]
        told = sorted({str(warning.message).partition(" is")[0] for warning in caught or ()})
        print(f"{module.__name__}, warnings {action}: {ends}, warned of {told}")
        seen[module.__name__, action] = ends, told
plain = ["ValueError", "CancelledError"]
described = {
    ("interpreted", "always"): (plain, []),
    ("interpreted", "error"): (plain, []),
    ("compiled", "always"): (plain, ["the (type, exc, tb) signature of throw()"]),
    ("compiled", "error"): (["DeprecationWarning", "DeprecationWarning"], []),
}
if seen != described:
    sys.exit("mypyc no longer behaves as described")
PY
