"""A supervisor whose logs and standard error take nothing more goes on, and its programs too."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

from supervisor.loggers import RotatingFileHandler

from lienthong.local.full_disk import lose_what_cannot_be_written
from lienthong.local.programs import Program
from lienthong.local.supervisor import Supervisor, write_config
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

FULL = 64 * 1024
"""Bytes that a file may have, in place of a disk that is full: writing more fails by EFBIG, not ENOSPC."""
# Not a `preexec_fn`: what runs between fork and exec may wait for ever for a lock of a thread that is gone.
LIMITED = f"""
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL}, {FULL}))
os.execv(sys.argv[1], sys.argv[1:])
"""
CHATTY = """
import sys, time
from pathlib import Path
for number in range(4000):
    print("x" * 99, flush=True)
Path(sys.argv[1]).touch()
time.sleep(60)
"""


async def test_nothing_ends_when_nothing_can_be_written(tmp_path: Path) -> None:
    said = tmp_path / "said"
    script = tmp_path / "chatty.py"
    script.write_text(CHATTY)
    program = Program("chatty", [sys.executable, str(script), str(said)], "", [], 0)
    config = write_config(tmp_path / "run", tmp_path / "logs", [program])
    errors = tmp_path / "errors"
    errors.write_bytes(b"x" * FULL)
    with errors.open("ab") as full:
        daemon = subprocess.Popen(  # noqa: ASYNC220 - it does not wait
            [sys.executable, "-c", LIMITED, sys.executable, "-m", "lienthong.local.supervised", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=full,
        )
    try:
        supervisor = Supervisor(tmp_path / "run")
        await eventually(supervisor.answers)
        supervisor.start("chatty")
        await eventually(said.exists)
        assert supervisor.state("chatty") == "RUNNING"
        assert daemon.poll() is None
        assert (tmp_path / "logs" / "chatty.log").stat().st_size == FULL
        supervisor.stop("chatty")
        assert supervisor.state("chatty") == "STOPPED"
    finally:
        daemon.terminate()
        daemon.wait(30)


class FullStream:
    """A file whose rest cannot be written any more."""

    def tell(self) -> int:
        return 1000

    def close(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_log_that_cannot_be_closed_is_opened_again(tmp_path: Path) -> None:
    lose_what_cannot_be_written()
    handler: Any = RotatingFileHandler(str(tmp_path / "log"), maxBytes=100, backupCount=1)
    handler.stream.close()
    handler.stream = FullStream()
    handler.doRollover()
    handler.stream.write(b"goes on")
    handler.stream.close()
    assert (tmp_path / "log").read_bytes() == b"goes on"
