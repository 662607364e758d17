"""How the workers of a parallel run share out the tests, and what the tests of one group use together."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import pytest
    from xdist.remote import Producer

T = TypeVar("T")

_DATABASE = re.compile(r"[\[-](sqlite|postgresql)[\]-]")
_ON_ONE_PLATFORM = re.compile(
    r"tests/faults/test_(?:"
    r"(?P<stores>lost_stores|damaged_journal)\.py"
    # The last one leaves streams that are made anew at each start of NATS.
    r"|(?P<buses>damaged_changes|damaged_events|damaged_indexes)\.py"
    r"|(?P<databases>damaged_databases|rolled_back_databases)\.py"
    r"|(?P<processes>full_disks\.py|killed_processes\.py::test_(?:a_killed|calls_go_on_without_the_bus))"
    r")"
)
_PROVINCE = ("tests/e2e/test_first_round.py", "tests/e2e/test_resilience.py")


class ByProcess(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Tests that use the same running processes meet in one worker; the slowest groups start first.

    xdist's own `loadgroup` does nothing under pytest 9.2 (pytest-xdist 3.8.0 sets a name that pytest no
    longer reads), without a word.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        # In the order of collection, e2e and faults before integration and unit, and not by number of tests.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test: its file, and the database where a file runs on two.

    The files that share the demo province are one group. A fault run has processes of its own, or shares them
    with others.
    """
    path, _, name = nodeid.partition("::")
    if path in _PROVINCE:
        return "province"
    for folder in ("hostile", "integration/practice"):
        if path.startswith(f"tests/{folder}/"):
            return folder
    if path.startswith("tests/faults/"):
        return platform_of(nodeid) or nodeid
    database = _DATABASE.search(name)
    return f"{path}-{database.group(1)}" if database else path


def platform_of(nodeid: str) -> str | None:
    """The name of the platform that a fault run shares with others; None for one of its own.

    To start one takes longer than most of them do. Each leaves it as it found it: well.
    """
    found = None if "long" in nodeid.partition("[")[2] else _ON_ONE_PLATFORM.match(nodeid)
    return None if found is None else f"faults-{found.lastgroup}"


class KeptForGroup:
    """What the tests of a group use one after the other: made for the first that asks, ended after the last.

    A fixture of the session would keep it until the whole run ends, and a platform that waits takes a tenth
    of a core.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[ExitStack, Any]] = {}

    def use(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What `make` gives; the same for each test of the group that asks under this name."""
        if name not in self._kept:
            with ExitStack() as stack:
                made = stack.enter_context(make())
                self._kept[name] = stack.pop_all(), made
        found: T = self._kept[name][1]
        return found

    def end(self, *names: str) -> None:
        """End what is kept under these names, or everything, the last that was made first."""
        with ExitStack() as ending:
            for name in [name for name in self._kept if not names or name in names]:
                ending.push(self._kept.pop(name)[0])
