"""Tests that use the same processes run in one worker, others need not."""

from __future__ import annotations

import pytest

from tests.support.sharing import group_of

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
        ("tests/faults/test_lost_stores.py::test_a", "tests/faults/test_damaged_journal.py::test_b", True),
    ],
)
def test_what_meets_in_one_worker(one: str, other: str, *, together: bool) -> None:
    assert (group_of(one) == group_of(other)) is together
