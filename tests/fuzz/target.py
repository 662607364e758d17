"""`python -m tests.fuzz.target NAME FOLDER [OPTION OF LIBFUZZER …]`: fuzz one side of HTTP/1.1 with atheris.

atheris has libFuzzer choose and alter the inputs, by what they reach in `lienthong.gateway.http1`.
"""

from __future__ import annotations

import importlib
import sys

import atheris
import structlog


def main(name: str, options: list[str]) -> None:
    with atheris.instrument_imports(include=["lienthong.gateway.http1"]):
        check = importlib.import_module(f"tests.fuzz.{name}").check
    # What is logged is of no interest here, and a service that fails is logged each time.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    # libFuzzer starts this command again, in processes beside it, when it merges inputs.
    atheris.Setup([f"{sys.executable} -m tests.fuzz.target {name}", *options], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
