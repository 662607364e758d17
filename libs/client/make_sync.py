"""Makes the synchronous half of the SDK from the asynchronous one; `--check` only says whether they agree.

    python libs/client/make_sync.py            # `make sync`, after a change of an async_*.py
    python libs/client/make_sync.py --check    # part of `make check`

Every word below is replaced wherever it stands, in docstrings too, and ruff puts the result into the house's
format. Why this and not a library: docs/adr/0018-one-source-for-both-sdk-halves.md.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "src/lienthong/client"
HALVES = {"async_auth.py": "sync_auth.py", "async_client.py": "sync_client.py"}
WORDS = (
    (r"async with ", "with "),
    (r"async for ", "for "),
    (r"async def ", "def "),
    (r"await ", ""),
    (r"AsyncGenerator\[(\S+), (\S+)\]", r"Generator[\1, \2, None]"),
    (r"AsyncGenerator", "Generator"),
    (r"AsyncIterator", "Iterator"),
    (r"Awaitable\[None\]", "None"),
    (r"AsyncBaseTransport", "BaseTransport"),
    (r"AsyncSystemAuth", "SystemAuth"),
    (r"AsyncClient", "Client"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"aclose", "close"),
    (r"anext", "next"),
    (r"aread", "read"),
    (r"asend", "send"),
    (r"async_auth_flow", "sync_auth_flow"),
    (r"async_auth", "sync_auth"),
    (r"asyncio\.Lock", "threading.Lock"),
    (r"asyncio\.sleep", "time.sleep"),
    (r"import asyncio", "import threading"),
    (r"the tasks of one event loop", "threads"),
    (r"asynchronous", "synchronous"),
)
REMINDER = re.compile(r"\A# `make sync` .*\n")
NOTICE = "# Made from {source} by libs/client/make_sync.py: change that file, then run `make sync`.\n"


def synchronous(source: str, name: str) -> str:
    """The synchronous module that belongs to the asynchronous one `name`; raises CalledProcessError."""
    text = REMINDER.sub("", source)
    for word, replacement in WORDS:
        text = re.sub(rf"\b{word}", replacement, text)
    text = NOTICE.format(source=name) + text
    text = _ruff(text, "check", "--fix", "--unsafe-fixes", "--quiet", "--select", "F401,I,UP028,TC")
    return _ruff(text, "format")


def _ruff(text: str, *words: str) -> str:
    # The name decides which settings apply and is not read.
    command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", str(PACKAGE / "sync.py"), "-"]
    return subprocess.run(command, input=text, capture_output=True, check=True, encoding="utf-8").stdout


def main() -> int:
    """Write both files, or compare them; the exit code is 1 where they differ."""
    parser = argparse.ArgumentParser(description="Make the synchronous half of the SDK.")
    parser.add_argument("--check", action="store_true", help="write nothing, show what differs")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="the folder with both halves")
    options = parser.parse_args()
    stale = 0
    for source, target in HALVES.items():
        wanted = synchronous((options.package / source).read_text("utf-8"), source)
        path = options.package / target
        if not options.check:
            path.write_text(wanted, "utf-8")
            continue
        kept = path.read_text("utf-8") if path.is_file() else ""
        if kept != wanted:
            stale = 1
            lines = (kept.splitlines(keepends=True), wanted.splitlines(keepends=True))
            sys.stdout.writelines(difflib.unified_diff(*lines, str(path), f"made from {source}"))
    if stale:
        print("the synchronous half of the SDK is stale: run `make sync`", file=sys.stderr)
    return stale


if __name__ == "__main__":
    sys.exit(main())
