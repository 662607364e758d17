"""Tests that use the same processes run in one worker, others need not."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.sharing import KeptForGroup, group_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

WATCH = "tests/integration/catalog/test_catalog_watch.py"
ROUND = "tests/e2e/test_first_round.py::test_the_last_line_says_where_everything_is"
KILLED = "tests/faults/test_killed_processes.py::test_a_killed_gateway_loses_and_doubles_no_record"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (f"{WATCH}::test_a[sqlite]", f"{WATCH}::test_b[sqlite-1]", True),
        (f"{WATCH}::test_a[sqlite]", f"{WATCH}::test_a[1-postgresql]", False),
        (f"{WATCH}::test_a", f"{WATCH}::test_b[1]", True),
        (f"{WATCH}::test_a", "tests/integration/catalog/test_catalog_apply.py::test_a", False),
        (ROUND, "tests/e2e/test_resilience.py::test_calls_go_on", True),
        (ROUND, "tests/e2e/test_lifecycle.py::test_the_second_start", False),
        (f"{KILLED}[short]", f"{KILLED}[long]", False),
        (f"{KILLED}[short]", KILLED.replace("gateway", "ledger") + "[short]", True),
        (f"{KILLED}[long]", KILLED.replace("gateway", "ledger") + "[long]", False),
        (f"{KILLED}[short]", "tests/faults/test_full_disks.py::test_a_ledger_on_a_full_disk", True),
        (
            "tests/integration/practice/test_16_yaml.py::a",
            "tests/integration/practice/test_18_sizes.py::b",
            True,
        ),
        ("tests/faults/test_lost_stores.py::test_a", "tests/faults/test_damaged_journal.py::test_b", True),
    ],
)
def test_what_meets_in_one_worker(one: str, other: str, *, together: bool) -> None:
    assert (group_of(one) == group_of(other)) is together


def test_what_is_kept_is_made_once_and_ended_in_reverse() -> None:
    said: list[str] = []

    @contextmanager
    def made(name: str) -> Iterator[str]:
        said.append(f"made {name}")
        yield name
        said.append(f"ended {name}")

    kept = KeptForGroup()
    asked = ["one", "two", "one"]
    assert [kept.use(name, partial(made, name)) for name in asked] == asked
    kept.end()
    kept.end()
    assert kept.use("one", lambda: made("one")) == "one"
    kept.end("two")
    kept.end("one")
    assert said == ["made one", "made two", "ended two", "ended one", "made one", "ended one"]


def test_what_could_not_be_made_is_tried_again() -> None:
    kept = KeptForGroup()

    def broken() -> AbstractContextManager[str]:
        raise OSError("no port is free")

    with pytest.raises(OSError, match="no port is free"):
        kept.use("one", broken)
    assert kept.use("one", lambda: nullcontext("well")) == "well"
    kept.end()
