"""Rows for one statement are split by their size in bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.bulk import MAX_CHUNK, chunks

ASYNCPG_PIECE = 4 * 32_768


def test_rows_are_split_before_they_are_too_large_together() -> None:
    rows = [{"id": number, "data": b"x" * 20_000} for number in range(8)]
    assert [[row["id"] for row in chunk] for chunk in chunks(rows)] == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_row_larger_than_a_chunk_goes_alone() -> None:
    rows = [{"data": b"x" * size} for size in (10, 1_000_000, 10)]
    assert list(chunks(rows)) == [[row] for row in rows]


def test_many_rows_of_few_bytes_are_split_too() -> None:
    found = list(chunks({"id": number} for number in range(5_000)))
    assert sum(map(len, found)) == 5_000
    assert all(len(chunk) <= MAX_CHUNK // 64 for chunk in found)


@pytest.mark.parametrize("value", ["đ" * 30_000, b"x" * 60_000, {"a": ["đ" * 10_000]}, ["x" * 60_000]])
def test_the_size_is_that_of_the_encoded_value(value: object) -> None:
    assert [len(chunk) for chunk in chunks([{"value": value}] * 3)] == [1, 1, 1]


def test_without_rows_there_are_no_chunks() -> None:
    assert list(chunks([])) == []


row_values = st.one_of(st.none(), st.integers(), st.text(max_size=2_000), st.binary(max_size=9_000))


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), row_values), max_size=40))
def test_no_row_is_lost_and_every_chunk_of_several_fits_into_one_piece(rows: list[dict[str, Any]]) -> None:
    found = list(chunks(rows))
    assert [row for chunk in found for row in chunk] == rows
    for chunk in found:
        values = [value for row in chunk for value in row.values()]
        encoded = [value.encode() if isinstance(value, str) else value for value in values]
        size = sum(len(value) + 4 if isinstance(value, bytes) else 12 for value in encoded)
        assert len(chunk) == 1 or size + 40 * len(chunk) < ASYNCPG_PIECE
