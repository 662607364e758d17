"""A packed map is a map: compared with a dictionary through any sequence of changes."""

from __future__ import annotations

import zlib
from itertools import count, islice

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.kit.packed import SECRET_BYTES, PackedMap, _with_entry

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
        dict(
            PackedMap.of_blocks(
                ((number, block) for number, block in blocks.items() if block), found.secret
            ).items()
        )
        == expected
    )
    again = PackedMap.of_blocks(found.blocks(), found.secret)
    assert dict(again.items()) == expected
    assert all(again.get(key) == value for key, value in expected.items())


def test_what_no_change_touched_is_shared() -> None:
    before = PackedMap.of({b"%d" % number: b"x" * 10 for number in range(5000)})
    after = changed(before, [(b"7", b"y"), (b"new", b"z")])
    assert len(list(after.changed_blocks(before))) == 2
    assert list(after.changed_blocks(after)) == []


def test_a_block_of_no_place_is_refused() -> None:
    with pytest.raises(IndexError):
        PackedMap.of_blocks([(256 * 256, b"\x80")], PackedMap().secret)


def keys_with_one_checksum(bits: int) -> set[bytes]:
    """2**`bits` keys of eight bytes whose CRC-32 ends in the same 16 bits: it is linear."""
    nothing = zlib.crc32(bytes(8))
    same = (n for n in count(1) if not (zlib.crc32(n.to_bytes(8)) ^ nothing) & 0xFFFF)
    found = {0}
    for number in islice(same, bits):
        found |= {one ^ number for one in found}
    return {one.to_bytes(8) for one in found}


def test_whoever_chooses_keys_does_not_choose_their_blocks() -> None:
    keys = keys_with_one_checksum(8)
    assert len({zlib.crc32(key) & 0xFFFF for key in keys}) == 1
    packed = PackedMap.of(dict.fromkeys(keys, b"x"))
    assert len(list(packed.blocks())) > len(keys) / 2


def test_blocks_are_numbered_with_a_secret() -> None:
    keys = [b"%d" % number for number in range(100)]
    one, other = (_changed_with(secret, keys) for secret in (b"1" * SECRET_BYTES, b"2" * SECRET_BYTES))
    assert dict(one.items()) == dict(other.items())
    assert [number for number, _ in one.blocks()] != [number for number, _ in other.blocks()]
    assert one.edit().finish().secret == one.secret


def _changed_with(secret: bytes, keys: list[bytes]) -> PackedMap:
    return changed(PackedMap(secret=secret), [(key, b"x") for key in keys])


def test_a_map_without_entries_is_empty() -> None:
    assert (PackedMap().get(b"x"), list(PackedMap().items()), list(PackedMap().blocks())) == (None, [], [])


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 255, 65_534, 65_535, 65_536])
def test_an_entry_is_added_to_a_block_of_any_size(size: int) -> None:
    entries = {b"%d" % number: b"x" for number in range(size)}
    block = msgspec.msgpack.encode(entries) if entries else b""
    entry = msgspec.msgpack.encode({b"new": b"y"})[1:]
    after = msgspec.msgpack.decode(_with_entry(block, entry), type=dict[bytes, bytes])
    assert after == entries | {b"new": b"y"}


def test_what_a_value_holds_is_no_key_of_its_block() -> None:
    keys = [b"%d" % number for number in range(2000)]
    blocks = (block for _, block in changed(PackedMap(), [(key, b"") for key in keys]).blocks())
    shared = next(found for block in blocks if len(found := list(msgspec.msgpack.decode(block))) > 1)
    one, other = shared[:2]
    draft = PackedMap().edit()
    draft.set(one, b"before " + other + b" after")
    assert (draft.get(other), draft.pop(other), draft.set(other, b"x")) == (None, None, None)
    assert (draft.set(other, b"y"), draft.pop(other)) == (b"x", b"y")
    assert dict(draft.finish().items()) == {one: b"before " + other + b" after"}
