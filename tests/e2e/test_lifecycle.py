"""Start, stop, start again: state is kept, nothing is left behind, a second run beside it is refused."""

from __future__ import annotations

from pathlib import Path

from lienthong.client import operations
from tests.e2e.province import LIENTHONG, Province, launch, run
from tests.support.ports import take_free_offset
from tests.support.promises import allowed_s
from tests.support.waiting import wait_until

PARCELS = "H11.05/land/parcels-v1"
PARCEL = "/parcels/59301-4-113"
SECOND_START_S = 20.0
"""How long a second start may take on a machine of its own."""
README = Path(__file__).resolve().parents[2] / "examples" / "binh-thuan" / "README.md"


def readme_commands() -> list[tuple[str, int]]:
    """The commands of the province's README for the second terminal, and the status that each ends with."""
    text = README.read_text(encoding="utf-8")
    lines = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ lienthong ")]
    assert len(lines) >= 7
    return [(line, 4 if line.endswith("# refused") else 0) for line in lines]


def alive(pids: set[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def wait_until_gone(pids: set[int], seconds: float = 60.0) -> None:
    wait_until(lambda: not alive(pids), lambda: f"still there: {alive(pids)}", within=seconds)


def test_the_second_start_is_quick_and_keeps_the_state_of_the_first(tmp_path: Path) -> None:
    home, offset = tmp_path / "home", take_free_offset()
    first = Province.start(home, offset)
    try:
        with first.client("one-stop") as one_stop:
            mortgage = {"kind": "mortgage", "reason": "Hợp đồng 12/2025"}
            registered = one_stop.call(PARCELS, "POST", f"{PARCEL}/changes", json=mortgage)
            assert registered.status == 201
            receipt = one_stop.receipt(registered.transaction_id or "")
        for line, status in readme_commands():
            done = first.shell(line)
            assert done.returncode == status, (line, done.stdout, done.stderr)
        with first.client("operator") as operator:
            operator.perform(
                operations.decide_agreement("portal-officials", "revoke", legal_ground=None, reason="Hết hạn")
            )
        pids = first.pids()
        assert len(pids) >= 14
    finally:
        status = first.stop()

    assert status == 0
    assert alive(pids) == []

    for call in first.calls:
        verified = run([LIENTHONG, "audit", "verify", call["receipt_file"]], first.environment)
        assert verified.returncode == 0, verified.stderr
    earlier = first.calls

    second = Province.start(home, offset)
    try:
        assert second.ready_after < allowed_s(SECOND_START_S)
        with second.client("one-stop") as one_stop, second.client("auditor") as auditor:
            assert one_stop.call(PARCELS, "GET", PARCEL).json()["mortgaged"] is True
            assert (
                one_stop.receipt(registered.transaction_id or "").splitlines()[1] == receipt.splitlines()[1]
            )
            for call in earlier:
                assert len(list(auditor.entries({"tx": call["transaction_id"]}))) >= 1
        by_title = {call["title"]["en"]: call for call in second.calls}
        officials = by_title["The ward's officials"]
        assert (officials["status"], officials["error"]) == (403, "agreement-revoked")
        assert by_title["What is the state of the parcel?"]["status"] == 200

        beside = launch(home, offset)
        told, _ = beside.communicate(timeout=120)
        assert beside.returncode == 1
        assert "already running" in told
        taken = launch(tmp_path / "other", offset)
        told, _ = taken.communicate(timeout=120)
        assert taken.returncode == 1
        assert f"{8080 + offset} (gateway)" in told
        assert "LIENTHONG_PORT_OFFSET" in told
        with second.client("one-stop") as one_stop:
            assert one_stop.call(PARCELS, "GET", PARCEL).status == 200
        pids = second.pids()
    except BaseException:
        second.stop()
        raise
    # Even killed outright it takes everything with it, and the next start finds everything.
    second.kill()
    wait_until_gone(pids)
    once = launch(home, offset, "--once")
    told, _ = once.communicate(timeout=120)
    assert once.returncode == 1, "the officials' agreement is revoked, so not everything went as told"
    assert "READY" not in told
    assert [line for line in told.splitlines() if "✗" in line and "portal" not in line] == []
