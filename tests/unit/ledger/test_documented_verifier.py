"""The verifier that the reference prints, which uses nothing of ours, agrees with our receipts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lienthong.tlog import (
    Checkpoint,
    Receipt,
    RightEdge,
    SigningKey,
    TileAddress,
    grow,
    inclusion_proof,
    inclusion_tiles,
    leaf_hash,
)

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "ledger.md"
KEY = SigningKey("lgsp/VN-BTN/ledger", bytes(range(32)))
ENTRIES = [f'{{"id":"{number}","note":"một cửa"}}'.encode() for number in range(300)]


def receipt_text(index: int) -> str:
    edge, stored = grow(RightEdge(), map(leaf_hash, ENTRIES))
    tiles: dict[TileAddress, bytes] = {
        address: stored[address.level, address.index] for address in inclusion_tiles(index, edge.size)
    }
    proof = inclusion_proof(index, edge.size, tiles)
    checkpoint = Checkpoint(KEY.name, edge.size, edge.root).signed(KEY)
    return str(Receipt(index, proof, checkpoint, ENTRIES[index]))


@pytest.fixture
def verify(tmp_path: Path) -> Path:
    (code,) = re.findall(r"```python\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path / "verify.py"
    script.write_text(code, encoding="utf-8")
    (tmp_path / "ledger.vkey").write_text(f"{KEY.verifier}\n")
    return script


def run(script: Path, receipt: str) -> subprocess.CompletedProcess[str]:
    (script.parent / "receipt").write_text(receipt, encoding="utf-8")
    command = [sys.executable, script.name, "ledger.vkey", "receipt"]
    return subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False)


def test_the_documented_verifier_accepts_genuine_receipts_and_refuses_changed_ones(verify: Path) -> None:
    for index in (0, 255, 299):
        done = run(verify, receipt_text(index))
        assert done.returncode == 0, done.stderr
        assert ENTRIES[index].decode() in done.stdout
    genuine = receipt_text(255)
    for changed in (
        genuine.replace("index 255", "index 254"),
        genuine.replace("\n300\n", "\n301\n"),
        genuine.replace("extra ey", "extra eZ"),
    ):
        assert changed != genuine
        assert run(verify, changed).returncode == 1
