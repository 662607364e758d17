"""A stream that fills up is told once for each further step, and again after it was emptied."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from lienthong.kit.bus import Bus
from lienthong.kit.stream_space import StreamSpace


def told(space: StreamSpace, limit: int | None, *sizes: int) -> list[tuple[str, int]]:
    """The level and size of what is logged for these sizes of a stream, one after another."""
    with capture_logs() as logs:
        for size in sizes:
            space.note(size, limit)
    return [(entry["log_level"], entry["bytes"]) for entry in logs]


def space() -> StreamSpace:
    return StreamSpace(Bus("nats://127.0.0.1:1", "test"), "S")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0, 500, 799), []),
        ((799, 800, 810, 849), [("warning", 800)]),
        ((800, 850, 901, 949), [("warning", 800), ("warning", 850), ("warning", 901)]),
        ((950, 960, 1000), [("error", 950), ("error", 1000)]),
        ((990, 500, 820), [("error", 990), ("warning", 820)]),
    ],
)
def test_each_step_is_told_once(sizes: tuple[int, ...], expected: list[tuple[str, int]]) -> None:
    assert told(space(), 1000, *sizes) == expected


@pytest.mark.parametrize(
    ("size", "limit", "full"), [(949, 1000, False), (950, 1000, True), (950, 2000, False)]
)
def test_it_counts_as_full_before_it_is(size: int, limit: int, full: bool) -> None:
    found = space()
    found.note(999, 1000)
    found.note(size, limit)
    assert found.full is full


def test_without_a_limit_there_is_nothing_to_tell() -> None:
    found = space()
    assert told(found, None, 10**12) == []
    assert found.filled is None
