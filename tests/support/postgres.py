"""A PostgreSQL cluster of our own, from the machine's binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.full_disk import no_room_in, room_in_files_again
from tests.support.stopping import family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DATABASE = "lienthong"
_PROGRAMS = ("initdb", "postgres", "pg_isready", "createdb")


class PostgresMissingError(Exception):
    """The machine has no PostgreSQL server."""


class PostgresCluster:
    """initdb and postgres in one folder, on one port, with fsync as PostgreSQL has it by default.

    Raises:
        PostgresMissingError: there are no binaries, or nobody to run them as.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"postgresql+asyncpg://lienthong@127.0.0.1:{port}/{_DATABASE}"
        self._binaries = _binaries()
        user = _unprivileged()
        self._owner = user.pw_uid if user is not None else None
        self._group = user.pw_gid if user is not None else None
        self._no_groups: list[int] | None = [] if user is not None else None
        self._folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Create the cluster and return when it takes connections."""
        if self._owner is not None and self._group is not None:
            os.chown(self._folder, self._owner, self._group)
        # Nobody but this machine reaches it, and it holds nothing but tests.
        self._run(
            "initdb", "-D", str(self._data), "-U", "lienthong", "-A", "trust", "-E", "UTF8", "--locale=C"
        )
        self.start_again()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "lienthong", _DATABASE)
        return self

    def start_again(self, before: Sequence[str] = ()) -> None:
        """Start the server on what is there, and return when it takes connections.

        `before` are the words of a command that runs it.
        """
        if self._owner is not None and self._group is not None:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, self._owner, self._group)
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*before, *self._command("postgres", "-D", str(self._data), *self._options())],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=self._owner,
                group=self._group,
                extra_groups=self._no_groups,
            )
        deadline = time.monotonic() + 60
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"postgres did not start:\n{(self._folder / 'postgres.log').read_text()}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """The process id of the server's main process, the parent of all others."""
        if self._process is None:
            raise RuntimeError("postgres does not run")
        return self._process.pid

    @property
    def data(self) -> Path:
        """Where its files lie."""
        return self._data

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    @contextmanager
    def no_room(self) -> Iterator[None]:
        """Let it make no file larger, nor write any, during the block (see `tests.support.full_disk`)."""
        self._limit_files("0")
        yield
        self._limit_files("unlimited")

    @contextmanager
    def no_room_for_tables(self) -> Iterator[None]:
        """Start again, and let no table and no index be written during the block, as on a full disk of their
        own: its log, which is elsewhere, may."""
        self.stop()
        self.start_again(no_room_in(self._data.glob("base/*/*")))
        yield
        room_in_files_again(self.pid)

    def _limit_files(self, most: str) -> None:
        # As the user that it runs as: another one needs a right for it.
        for pid in family(self.pid):
            subprocess.run(
                ["prlimit", "--pid", str(pid), f"--fsize={most}:unlimited"],
                stderr=subprocess.DEVNULL,
                cwd="/",
                check=False,
                user=self._owner,
                group=self._group,
                extra_groups=self._no_groups,
            )

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def _options(self) -> list[str]:
        return ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]

    def _ready(self) -> bool:
        asked = subprocess.run(
            self._command("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-U", "lienthong", "-q"),
            check=False,
        )
        return asked.returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments),
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            user=self._owner,
            group=self._group,
            extra_groups=self._no_groups,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(self._binaries / program), *arguments]


def _binaries() -> Path:
    """The folder with initdb and postgres."""
    candidates: list[Path] = []
    if config := shutil.which("pg_config"):
        asked = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        candidates.append(Path(asked.stdout.strip()))
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    if postgres := shutil.which("postgres"):
        candidates += [Path(postgres).parent, Path(postgres).resolve().parent]
    for candidate in candidates:
        if all(
            (candidate / program).exists() for program in ("initdb", "postgres", "pg_isready", "createdb")
        ):
            return candidate
    raise PostgresMissingError(
        "this machine has no PostgreSQL server: `tests/install-tools postgresql` installs it"
    )


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as; PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresMissingError("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
