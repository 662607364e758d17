"""Python programs that supervisord forks instead of executing, after it has imported what they share.

To import what a service is made of takes about a second of processor time, more than all the rest of its
start, and tens of megabytes that each would have for itself. Here `python -m MODULE` is not executed: the
process that supervisord forked for it becomes that program. In everything else it is one: it has its own
environment, output, signals and exit status, and a name of its own in lists of processes.
"""

from __future__ import annotations

import atexit
import importlib
import os
import runpy
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supervisor.options import ServerOptions

from lienthong.kit.loading import uncollected
from lienthong.kit.processes import CONSOLE, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENV: Final = "/usr/bin/env"
_NAME_BYTES: Final = 15
"""Of a process in lists of processes (proc_pid_comm(5))."""
_SUPERVISORS: Final = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGCHLD", "SIGUSR2")
"""The signals that supervisord handles, in a process that it forks too."""


@dataclass(frozen=True, slots=True)
class ModuleProgram:
    """`env NAME=VALUE … python -m MODULE`, by this Python."""

    module: str
    variables: Mapping[str, str]

    @classmethod
    def of(cls, command: Sequence[str]) -> tuple[ModuleProgram, list[str]] | None:
        """The program and its arguments; None for any other command."""
        words, variables = list(command), {}
        if words[:1] == [ENV]:
            del words[0]
            while words and "=" in words[0]:
                name, _, variables[name] = words.pop(0).partition("=")
        if words[:2] != [sys.executable, "-m"] or len(words) < 3:
            return None
        return cls(words[2], variables), words[3:]

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Be this program in a process that was just forked; returns its exit status when it ends."""
        for name in _SUPERVISORS:
            signal.signal(signal.Signals[name], signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update({**environment, **self.variables})
        with suppress(OSError):
            Path("/proc/self/comm").write_bytes(self.module.rpartition(".")[2].encode()[:_NAME_BYTES])
        sys.argv = [self.module, *arguments]
        status = self._run()
        # What the interpreter does at its end. There it would find supervisord's own end on the stack.
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
        atexit._run_exitfuncs()  # noqa: SLF001
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        return status

    def _run(self) -> int:
        try:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - whatever ends a program
            traceback.print_exc()
            return 1
        return 0


def fork_module_programs() -> None:
    """Import what our processes are made of, and have supervisord fork; for the whole process."""
    with uncollected():
        for name in (*PROCESSES, CONSOLE):
            importlib.import_module(f"lienthong.{name}.bootstrap")
    ServerOptions.execve = _become


_execve = ServerOptions.execve


def _become(
    options: Any,  # noqa: ANN401 - supervisord has no types
    filename: str,
    command: Sequence[str],
    environment: dict[str, str],
) -> None:
    """In place of execve(2), which supervisord calls in the process that it forked."""
    found = ModuleProgram.of(command)
    if found is None:
        _execve(options, filename, command, environment)
        return
    program, arguments = found
    os._exit(program.run(arguments, environment))
