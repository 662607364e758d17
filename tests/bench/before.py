"""An earlier build's gateway: another checkout of this repository, as one more contender."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SERVE = """
import json, sys
from pathlib import Path
from tests.support.platform import running_platform

home = Path(sys.argv[1])
with running_platform(home, sys.argv[2]) as platform:
    platform.consumer.save(home / "consumer")
    supervisor = platform.installation.supervisor
    supervisor.stop("ledger")
    pids = {name: supervisor.pid(name) for name in ("gateway", "nats", "catalog", "identity", "exchange")}
    print(json.dumps({"gateway": platform.gateway, "pids": pids}), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Before:
    """A running installation of the earlier build, without its ledger."""

    gateway: str
    pids: Mapping[str, int]
    consumer: Client


@contextmanager
def earlier_build(checkout: Path, home: Path, upstream: str) -> Iterator[Before]:
    """Run the platform of another checkout, in which `make setup` was done, with its state under `home`."""
    # Modules that were compiled of this checkout are none of that one.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(checkout.resolve() / ".venv" / "bin" / "python"), "-c", _SERVE, str(home), upstream]
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        with Client.from_folder(home / "consumer") as consumer:
            yield Before(told["gateway"], told["pids"], consumer)
    finally:
        process.communicate(timeout=120)
