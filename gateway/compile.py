"""Compiles the way of a call to machine code with mypyc; what is not compiled runs as it is.

    python gateway/compile.py FOLDER

FOLDER gets `lienthong/gateway`, the sources with extension modules beside them. Python takes these where
FOLDER stands before other places of the package, as in `PYTHONPATH=FOLDER python -m lienthong.gateway`. It
needs a C compiler, mypy, and everything that the gateway imports. Why mypyc, and what may be compiled:
docs/adr/0033-the-way-of-a-call-compiled.md.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup

SOURCES = Path(__file__).parent / "src"
PACKAGE = "lienthong/gateway"
MODULES = (
    "http1/address", "http1/answer", "http1/balance", "http1/bulkhead", "http1/caller", "http1/circuit",
    "http1/connection", "http1/fields", "http1/framing", "http1/head", "http1/incoming",
    "http1/limits", "http1/listener", "http1/pool", "http1/request", "http1/request_input", "http1/upstreams",
    "app", "match", "authenticate", "authorize", "forward", "respond", "record",
    "call", "call_headers", "context", "cors", "digests", "edge", "ending", "endless", "failures",
    "field_names", "figures", "locations", "operations", "origins", "passage", "paths", "platform_routes",
    "policy", "privacy", "reader", "repeatable", "request_headers", "response", "response_headers", "send",
    "shaping/fields", "shaping/inspector", "shaping/shaper", "shaping/taking", "table", "targets", "via",
    "journal/sampling", "journal/writer",
    "xroad/callers", "xroad/dialect", "xroad/door", "xroad/faults", "xroad/ids", "xroad/request_hash",
    "xroad/stated", "xroad/visit",
    "hours", "limit",
    "proofs/judge", "proofs/seen",
    "limits/day", "limits/fields", "limits/limiter", "limits/terms", "limits/use", "limits/window",
)  # fmt: skip


def main(folder: Path) -> None:
    """Copy the package into the folder, and compile."""
    package = folder / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(SOURCES / PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    os.chdir(folder)
    os.environ["MYPYPATH"] = str(_stubs())
    modules = [f"{PACKAGE}/{module}.py" for module in MODULES]
    extensions = mypycify(
        ["--strict", "--namespace-packages", "--explicit-package-bases", "--follow-imports=silent", *modules],
        opt_level="3",
        debug_level="0",
        group_name="lienthong_gateway",
    )
    setup(
        name="lienthong-gateway",
        packages=[],
        ext_modules=extensions,
        script_args=["--quiet", "build_ext", "--inplace"],
    )


def _stubs() -> Path:
    """Where the types of the messages between processes are: mypy takes them from no installed package."""
    contracts = find_spec("lienthong.contracts")
    if contracts is None or not contracts.submodule_search_locations:
        sys.exit("lienthong.contracts is not installed: run `make setup`")
    return Path(contracts.submodule_search_locations[0]).parents[1]


if __name__ == "__main__":
    into = Path(sys.argv[1]).resolve()
    into.mkdir(parents=True, exist_ok=True)
    main(into)
