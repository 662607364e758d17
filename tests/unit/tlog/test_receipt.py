"""Receipts that anyone checks off line with only the log's public key."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.tlog import (
    Checkpoint,
    MalformedReceiptError,
    ProofRefusedError,
    Receipt,
    RightEdge,
    SigningKey,
    TileAddress,
    TlogError,
    VerifiedReceipt,
    WrongOriginError,
    grow,
    inclusion_proof,
    inclusion_tiles,
    leaf_hash,
    verify_receipt,
)

KEY = SigningKey("lgsp/VN-BTN/ledger", bytes(range(32)))
ENTRIES = [f'{{"v":1,"id":"{number}","khách":"một cửa"}}'.encode() for number in range(300)]
EDGE, STORED = grow(RightEdge(), map(leaf_hash, ENTRIES))
CHECKPOINT = Checkpoint(KEY.name, EDGE.size, EDGE.root)


def receipt_of(index: int, *, extra: bytes | None = None) -> Receipt:
    tiles: dict[TileAddress, bytes] = {
        address: STORED[address.level, address.index] for address in inclusion_tiles(index, EDGE.size)
    }
    return Receipt(index, inclusion_proof(index, EDGE.size, tiles), CHECKPOINT.signed(KEY), extra)


@given(st.integers(0, len(ENTRIES) - 1))
def test_the_receipt_of_any_entry_verifies_and_gives_the_entry_back(index: int) -> None:
    text = str(receipt_of(index, extra=ENTRIES[index]))
    assert verify_receipt(text, KEY.verifier) == VerifiedReceipt(ENTRIES[index], index, CHECKPOINT)
    assert str(Receipt.parse(text)) == text


def test_a_receipt_is_written_as_the_specification_says() -> None:
    lines = str(receipt_of(299, extra=b"entry")).split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZW50cnk=", "index 299"]
    blank = lines.index("")
    assert all(len(base64.b64decode(line)) == 32 for line in lines[3:blank])
    assert "\n".join(lines[blank + 1 :]) == CHECKPOINT.signed(KEY)


def test_without_extra_the_entry_must_come_another_way() -> None:
    text = str(receipt_of(5))
    assert "extra" not in text
    assert verify_receipt(text, KEY.verifier, entry=ENTRIES[5]).index == 5
    with pytest.raises(MalformedReceiptError, match="does not carry its entry"):
        verify_receipt(text, KEY.verifier)


def test_another_entry_is_not_proven() -> None:
    with pytest.raises(ProofRefusedError):
        verify_receipt(str(receipt_of(5, extra=ENTRIES[6])), KEY.verifier)
    with pytest.raises(ProofRefusedError):
        verify_receipt(str(receipt_of(5, extra=ENTRIES[5])), KEY.verifier, entry=ENTRIES[6])


def test_a_receipt_of_another_log_is_refused() -> None:
    with pytest.raises(WrongOriginError):
        verify_receipt(str(receipt_of(5, extra=ENTRIES[5])), KEY.verifier, origin="lgsp/VN-HNI/ledger")


@given(st.data())
def test_a_receipt_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    raw = bytearray(str(receipt_of(17, extra=ENTRIES[17])).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(TlogError):
        verify_receipt(bytes(raw), KEY.verifier)


PROOF_LINE = "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 1\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex -1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 1 \n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nextra AA\nindex 1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\ncheckpoint",
        f"c2sp.org/tlog-proof@v1\nindex 1\n{PROOF_LINE[:-2]}R=\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + f"{PROOF_LINE}\n" * 65 + "\ncheckpoint",
        b"\xff",
    ],
)
def test_what_is_not_exactly_a_receipt_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedReceiptError):
        Receipt.parse(text)
