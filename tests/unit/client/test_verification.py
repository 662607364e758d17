"""A receipt proves its record with nothing but the public key, and any changed byte of it proves nothing."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.client.errors import InputError, VerificationError
from lienthong.client.verification import read_key, verify
from tests.support.audit_log import ORIGIN, AuditLog

RECORDS = [json.dumps({"v": 1, "tx": f"tx-{number}", "status": 200}).encode() for number in range(300)]
LOG = AuditLog(RECORDS)
KEY = read_key(LOG.vkey)


@given(st.integers(0, 299))
@settings(max_examples=30)
def test_a_genuine_receipt_says_what_it_proves(index: int) -> None:
    proved = verify(LOG.receipt(index), KEY)
    assert proved.document() | {"root": ""} == {
        "verified": True,
        "index": index,
        "origin": ORIGIN,
        "size": 300,
        "root": "",
        "record": {"v": 1, "tx": f"tx-{index}", "status": 200},
    }
    assert proved.entry == RECORDS[index]


@given(st.data())
@settings(max_examples=200)
def test_no_changed_receipt_proves_another_record(data: st.DataObject) -> None:
    receipt = LOG.receipt(data.draw(st.integers(0, 299))).encode()
    genuine = verify(receipt, KEY)
    at = data.draw(st.integers(0, len(receipt) - 1))
    flipped = bytes([receipt[at] ^ data.draw(st.integers(1, 255))])
    try:
        proved = verify(receipt[:at] + flipped + receipt[at + 1 :], KEY)
    except VerificationError:
        return
    assert (proved.index, proved.entry, proved.root) == (genuine.index, genuine.entry, genuine.root)


def test_a_receipt_without_its_record_takes_it_from_beside() -> None:
    bare = LOG.receipt(7, with_entry=False)
    assert verify(bare, KEY, entry=RECORDS[7]).index == 7
    with pytest.raises(VerificationError, match="changed"):
        verify(bare, KEY, entry=RECORDS[8])
    with pytest.raises(VerificationError):
        verify(bare, KEY)


def test_another_ledgers_key_proves_nothing() -> None:
    other = AuditLog(RECORDS[:3], seed=bytes([7]) * 32)
    with pytest.raises(VerificationError) as refused:
        verify(LOG.receipt(1), read_key(other.vkey))
    assert refused.value.exit_code == 1
    assert "signature" in refused.value.title.en


def test_a_record_that_is_no_json_is_shown_as_text() -> None:
    log = AuditLog([b"\xff plain"])
    assert verify(log.receipt(0), read_key(log.vkey)).record == "� plain"


@pytest.mark.parametrize(
    "text", ["", "lgsp", "lgsp/VN-TEST/ledger+00000000+AAAA", base64.b64encode(b"x" * 33).decode()]
)
def test_a_key_that_is_none_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(InputError) as refused:
        read_key(text)
    assert "/audit/key" in refused.value.document()["advice"]
