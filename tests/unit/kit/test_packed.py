"""A packed map is a map: compared with a dictionary through any sequence of changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.packed import PackedMap

KEYS = st.binary(max_size=3)
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=5)), max_size=20)


def changed(before: PackedMap, changes: list[tuple[bytes, bytes | None]]) -> PackedMap:
    draft = before.edit()
    for key, value in changes:
        if value is None:
            draft.pop(key)
        else:
            draft.set(key, value)
        assert draft.get(key) == value
    return draft.finish()


@given(st.lists(CHANGES, max_size=5))
def test_any_changes_leave_what_they_leave_of_a_dictionary(
    rounds: list[list[tuple[bytes, bytes | None]]],
) -> None:
    found, expected, blocks = PackedMap(), dict[bytes, bytes](), dict[int, bytes]()
    for changes in rounds:
        before, was = found, dict(expected)
        found = changed(before, changes)
        for key, value in changes:
            expected.pop(key, None)
            if value is not None:
                expected[key] = value
        assert dict(found.items()) == expected
        assert all(found.get(key) == expected.get(key) for key, _ in changes)
        assert dict(before.items()) == was, "the map before has not changed"
        for number, old, new in found.changed_blocks(before):
            assert blocks.get(number, b"") == old
            blocks[number] = new
    assert (
        dict(PackedMap.of_blocks((number, block) for number, block in blocks.items() if block).items())
        == expected
    )
    assert dict(PackedMap.of_blocks(found.blocks()).items()) == expected


def test_what_no_change_touched_is_shared() -> None:
    before = PackedMap.of({b"%d" % number: b"x" * 10 for number in range(5000)})
    after = changed(before, [(b"7", b"y"), (b"new", b"z")])
    assert len(list(after.changed_blocks(before))) == 2
    assert list(after.changed_blocks(after)) == []


def test_a_block_of_no_place_is_refused() -> None:
    with pytest.raises(IndexError):
        PackedMap.of_blocks([(256 * 256, b"\x80")])


def test_a_map_without_entries_is_empty() -> None:
    assert (PackedMap().get(b"x"), list(PackedMap().items()), list(PackedMap().blocks())) == (None, [], [])
