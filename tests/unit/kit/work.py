"""Work for the tests of workers, which find it by its name."""

from __future__ import annotations

import os
import time
from pathlib import Path

from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText


def add(one: int, other: int) -> int:
    return one + other


def spin(seconds: float) -> float:
    """Use processor time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return seconds


def stay(until: str) -> None:
    """Wait, using next to no processor time, until there is such a file."""
    while not Path(until).exists():
        time.sleep(0.01)


def process_id() -> int:
    return os.getpid()


def parent_process_id() -> int:
    return os.getppid()


def refuse(detail: str) -> None:
    raise ProblemError(general.MALFORMED_REQUEST, BilingualText(detail, "vi"), extra={"errors": [1]})


def fill(size: int) -> int:
    return len(bytearray(size))


class Unsendable:
    """A result for which there is no memory when it is to be sent."""

    def __reduce__(self) -> str:
        raise MemoryError


def unsendable(_: object) -> Unsendable:
    return Unsendable()


class StrangeError(Exception):
    """What can be pickled and not made again from that: its arguments are not those of the constructor."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def refuse_strangely(raised: bool) -> StrangeError:
    error = StrangeError("so ", "strange")
    if raised:
        raise error
    return error


def end() -> None:
    os._exit(3)
