"""What a program really asked of the kernel: files written and synced, names given, bytes sent, in order.

`strace -f` follows the program with all its threads and children. In one file it notes when it saw a call
begin, and when it saw it end: what has ended on an earlier line than something else begins was done before.
"""

from __future__ import annotations

import fcntl
import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.databases import skip_or_fail
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILES: Final = (
    "open", "openat", "creat", "write", "pwrite64", "writev", "pwritev", "pwritev2", "lseek",
    "ftruncate", "truncate", "fallocate", "fsync", "fdatasync", "sync", "syncfs",
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir",
    "copy_file_range",
)  # fmt: skip
_SOCKETS: Final = ("sendto", "sendmsg", "sendmmsg")
_LONGEST: Final = 16 * 1024 * 1024
"""Bytes of one call that are noted: more than any of ours has."""

_LINE = re.compile(rb"(\d+) +(?:<\.\.\. (\w+) resumed>)?(.*)", re.DOTALL)
_PATH = re.compile(rb"\d+<((?:\\x[0-9a-f]{2})*)>(?!\(deleted\))")
_LAST_NUMBER = re.compile(rb", (-?\d+)$")
_RESULT = re.compile(rb"\) += (-?\d+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one thread: its name, what it was given as strace writes it, and its result."""

    name: str
    thread: int
    arguments: bytes
    result: int
    ended: bool
    """Whether it has ended; otherwise it only begins, and `result` means nothing."""

    @property
    def descriptor(self) -> int:
        """The number of the file that it was given first, or that it opened."""
        number = re.match(rb"\d+", self.arguments)
        return int(number[0]) if number else self.result

    @property
    def path(self) -> str:
        """Where the file that it was given first lies; empty for what is no file, or deleted."""
        found = _PATH.match(self.arguments)
        text = _bytes(found[1]).decode(errors="replace") if found else ""
        return text if text.startswith("/") else ""

    @property
    def paths(self) -> list[str]:
        """The paths that it was given as text, made absolute where it says from which folder they go."""
        found: list[str] = []
        folder = ""
        for part in re.finditer(rb'<((?:\\x[0-9a-f]{2})*)>|"((?:\\x[0-9a-f]{2})*)"', self.arguments):
            if part[1] is not None:
                folder = _bytes(part[1]).decode(errors="replace")
            else:
                path = _bytes(part[2]).decode(errors="replace")
                found.append(path if path.startswith("/") or not folder else f"{folder}/{path}")
        return found

    @property
    def data(self) -> bytes:
        """The bytes that it was given to write or to send, in one piece."""
        return b"".join(_bytes(part) for part in re.findall(rb'"((?:\\x[0-9a-f]{2})*)"', self.arguments))

    @property
    def last_number(self) -> int:
        """Its last argument: the place of a `pwrite`, the length of an `ftruncate`."""
        found = _LAST_NUMBER.search(self.arguments)
        assert found is not None, (self.name, self.arguments[-100:])
        return int(found[1])


def tracing(output: Path) -> list[str]:
    """The words before a command that have it traced into a file; its process id is the command's own.

    Without strace, or the right to trace, the test is skipped and says so; on CI it fails.
    """
    demand_strace()
    return _command(output)


def demand_strace() -> None:
    """Without strace, or the right to trace, the test is skipped and says so; on CI it fails."""
    reason = _unable()
    if reason is not None:
        skip_or_fail(reason)


def calls(trace: Path) -> Iterator[Call]:
    """Every call of a trace, once when it begins and once when it has ended."""
    begun: dict[int, tuple[str, bytes]] = {}
    with trace.open("rb") as lines:
        for line in lines:
            found = _LINE.match(line.rstrip())
            if found is None or found[3].startswith((b"+++", b"---")):
                continue
            thread, rest = int(found[1]), found[3]
            if found[2] is not None:
                name, arguments = begun.pop(thread, (found[2].decode(), b""))
            else:
                head, _, rest = rest.partition(b"(")
                name = head.decode()
                arguments = rest.partition(b" <unfinished ...>")[0]
                if len(arguments) == len(rest):
                    arguments = rest[: rest.rfind(b") =")].rstrip()
                yield Call(name, thread, arguments, 0, ended=False)
                if rest.endswith(b"<unfinished ...>"):
                    begun[thread] = name, arguments
                    continue
            result = _RESULT.search(rest, max(rest.rfind(b") ="), 0) if found[2] is None else 0)
            # A thread that is killed in the middle of a call has no result.
            if result is not None:
                yield Call(name, thread, arguments, int(result[1]), ended=True)


def wait_for_end(trace: Path) -> None:
    """Wait until everything that was traced has ended, and is noted."""
    with trace.open("rb") as file:

        def ended() -> bool:
            try:
                # A lease to read is given only when nobody has the file open for writing (fcntl(2)).
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            except BlockingIOError:
                return False
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            return True

        wait_until(ended, f"something that is traced into {trace} goes on")


def _command(output: Path) -> list[str]:
    traced = ",".join((*_FILES, *_SOCKETS))
    # -D: the command stays a child of its own parent. `?`: not every machine knows every name.
    options = ["-D", "-f", "--seccomp-bpf", "-q", "-y", "-xx", "-s", str(_LONGEST), "-e", "signal=none"]
    return ["strace", *options, "-e", f"trace=?{traced.replace(',', ',?')}", "-o", str(output)]


@cache
def _unable() -> str | None:
    """Why nothing can be traced here."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "trace"
        try:
            done = subprocess.run(
                [*_command(output), "touch", f"{folder}/made"], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            return "this machine has no strace: `tests/install-tools strace` installs it"
        if done.returncode != 0 or not output.exists():
            return f"this machine does not let strace trace a program: {done.stderr.strip()}"
        wait_for_end(output)
        made = any(call.paths == [f"{folder}/made"] for call in calls(output))
        return None if made else f"this machine does not let strace see calls: {done.stderr.strip()}"


def _bytes(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode("ascii"))
