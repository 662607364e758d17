"""What forks the workers of `workers`, and such a worker: it reads calls from a socket, and writes results.

What a worker needs is imported once, before the first is forked: a worker that has to be replaced is there in
a few milliseconds, and the memory of the modules is shared.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import signal
import socket
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from lienthong.kit.loading import uncollected
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
    """Import `modules`, then fork a worker for each socket that comes over the standard input, until it ends.

    A worker ends when its socket is closed.
    """
    # The process that started this ends it, by closing the socket. Signals to the whole group, from a
    # terminal or a supervisor, are for that process: it finishes what is under way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Nobody waits for the workers here: the kernel forgets them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.nice(_NICER)
    with uncollected():
        for module in modules:
            import_module(module)
    worker = _forked(socket.socket(fileno=sys.stdin.fileno()))
    if worker is not None:
        with worker:
            _serve(worker)


def _forked(sockets: socket.socket) -> socket.socket | None:
    """Fork for each socket that comes.

    Returns the socket in the process that was forked for it, and None when no more come and all have ended.
    """
    with sockets:
        while True:
            _, descriptors, _, _ = socket.recv_fds(sockets, 1, 1)
            if not descriptors:
                break
            worker = socket.socket(fileno=descriptors[0])
            try:
                child = os.fork()
            except OSError as error:
                # Whoever waits sees that its socket is closed, and tries again.
                print(f"a worker cannot be forked: {error}", file=sys.stderr)
                child = None
            if child == 0:
                return worker
            worker.close()
    with contextlib.suppress(ChildProcessError):
        # As SIGCHLD is ignored, this returns when all workers have ended (wait(2)).
        os.wait()
    return None


def _serve(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with channel.makefile("rb") as calls, channel.makefile("wb") as results:
        _write(results, str(os.getpid()).encode())
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
