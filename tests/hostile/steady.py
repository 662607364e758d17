"""A well-behaved tenant, as a process: it calls at an even pace and writes a line of JSON for each call.

    python -m tests.hostile.steady GATEWAY FOLDER SECONDS_BETWEEN_CALLS

`FOLDER` holds the tenant's credentials. It ends when its standard input does.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.client import Client, LienthongError
from tests.support.platform import PURPOSE, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EVERY_S = 0.04


@dataclass(frozen=True, slots=True)
class SteadyCall:
    """One call of the well-behaved tenant."""

    began: float
    """Seconds of the machine's monotonic clock, which all processes share."""
    took_s: float
    status: int
    """0 when there was no answer."""
    transaction: str


@dataclass(frozen=True, slots=True)
class Window:
    """The calls that began while something else went on."""

    calls: Sequence[SteadyCall]

    @property
    def worst_s(self) -> float:
        """The slowest call."""
        return max((call.took_s for call in self.calls), default=0.0)

    @property
    def p99_s(self) -> float:
        """What 99 of 100 calls took at most."""
        times = sorted(call.took_s for call in self.calls)
        return times[min(len(times) - 1, int(len(times) * 0.99))] if times else 0.0

    @property
    def failed(self) -> list[SteadyCall]:
        """The calls that were not answered with 200."""
        return [call for call in self.calls if call.status != 200]


class Steady:
    """The well-behaved tenant's process, read by a thread."""

    def __init__(self, gateway: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.hostile.steady", gateway, str(folder), str(EVERY_S)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._calls: list[SteadyCall] = []
        self._reader = threading.Thread(target=self._read, name="steady", daemon=True)
        self._reader.start()

    @property
    def calls(self) -> list[SteadyCall]:
        """All calls so far."""
        return list(self._calls)

    @contextmanager
    def meanwhile(self) -> Iterator[list[Window]]:
        """Gives, when the block has ended, a list of one window: the calls that began in the block.

        Waits for a few more calls, so that one that began in the block is not left out for being slow.
        """
        told: list[Window] = []
        began = time.monotonic()
        yield told
        ended = time.monotonic()
        deadline = ended + 30
        while not self._calls or self._calls[-1].began <= ended:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError("the well-behaved tenant's call is not answered")
            time.sleep(0.01)
        told.append(Window([call for call in self.calls if began <= call.began <= ended]))

    def stop(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(20)
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._calls.append(SteadyCall(**json.loads(line)))


def main(gateway: str, folder: str, every: float) -> None:
    """Call until standard input ends."""
    with Client.from_folder(folder, gateway=gateway) as client:
        while not select.select([sys.stdin], [], [], 0)[0]:
            began = time.monotonic()
            told: dict[str, Any] = {"began": began, **_call(client)}
            told["took_s"] = time.monotonic() - began
            print(json.dumps(told), flush=True)
            time.sleep(max(0.0, began + every - time.monotonic()))


def _call(client: Client) -> dict[str, Any]:
    try:
        answer = client.call(SERVICE, "GET", "/parcels/1", purpose=PURPOSE)
    except LienthongError:
        return {"status": 0, "transaction": ""}
    return {"status": answer.status, "transaction": answer.transaction_id or ""}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
