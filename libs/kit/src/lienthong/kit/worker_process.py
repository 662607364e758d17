"""A worker of `workers`: reads calls from its standard input, writes their results to its standard output."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from lienthong.kit.workers import FRAME

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of addresses; a worker that has loaded the platform's modules uses about a quarter of them."""
_NICER: Final = 5
"""Than the process that answers callers (nice(2))."""
_NO_MEMORY: Final = 3
"""The exit status of a worker whose work needed more."""


def main(modules: list[str]) -> None:
    """Serve calls until the standard input ends."""
    # The process that started this ends it, by closing the socket. Signals to the whole group, from a
    # terminal or a supervisor, are for that process: it finishes what is under way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.nice(_NICER)
    calls, results = sys.stdin.buffer, sys.stdout.buffer
    # Whatever prints would break the frames.
    sys.stdout = sys.stderr
    for module in modules:
        import_module(module)
    _write(results, b"")
    while (request := _read(calls)) is not None:
        _write(results, _called(request))


def _called(request: bytes) -> bytes:
    started = time.process_time()
    cpu_seconds, function, arguments = pickle.loads(request)  # noqa: S301 - of the process that started this
    failed, value = _within(cpu_seconds, function, arguments)
    spent = time.process_time() - started
    try:
        result = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - an exception of any library's
        failed, result = True, pickle.dumps(RuntimeError(f"cannot be sent: {error!r}"))
    # Two pickles: what was spent is known also where the result cannot be read.
    return pickle.dumps((spent, failed)) + result


def _within(cpu_seconds: float, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    # The signal's default is to end the process, in the middle of a library's loop too.
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return False, function(*arguments)
    except MemoryError:
        # Not the sender's exception: the process ends, and with it what it has in memory.
        raise
    except Exception as error:  # noqa: BLE001 - raised again where it was asked for
        return True, error
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    (length,) = FRAME.unpack(head)
    return source.read(length)


def _write(target: BinaryIO, data: bytes) -> None:
    target.write(FRAME.pack(len(data)))
    target.write(data)
    target.flush()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BrokenPipeError:
        pass
    except MemoryError:
        os._exit(_NO_MEMORY)
