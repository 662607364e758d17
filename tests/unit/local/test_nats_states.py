"""The state of a consumer that NATS cannot read is taken away, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.local.nats_states import DamagedStates

if TYPE_CHECKING:
    from pathlib import Path

LINE = (
    "[7] 2026/11/29 12:08:13 [ERR] Consumer create failed for 'EVENTS > EVENTS > {name}': error creating"
    " store for consumer: corrupt state file (10104)\n"
)


def state(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / "nats/jetstream/EVENTS/streams/EVENTS/obs" / name
    folder.mkdir(parents=True)
    (folder / "o.dat").write_bytes(b"half")
    return folder


def test_what_nats_refuses_from_now_on_is_taken_away(tmp_path: Path) -> None:
    log, told = tmp_path / "nats.log", list[str]()
    before, refused, other = (state(tmp_path, name) for name in ("before", "refused", "other"))
    log.write_text(LINE.format(name="before"))
    states = DamagedStates(log, tmp_path / "nats", told.append)
    states.look()

    with log.open("a") as added:
        added.write(LINE.format(name="refused") + LINE.format(name="other")[:-1])
    states.look()
    assert [folder.exists() for folder in (before, refused, other)] == [True, False, True]
    with log.open("a") as added:
        added.write("\n")
    states.look()
    assert [folder.exists() for folder in (before, refused, other)] == [True, False, False]
    assert [one.split("consumer ")[1].split()[0] for one in told] == ["refused", "other"]


def test_a_log_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    log, folder = tmp_path / "nats.log", state(tmp_path, "refused")
    log.write_text("x" * 1000)
    states = DamagedStates(log, tmp_path / "nats", lambda _: None)
    log.write_text(LINE.format(name="refused"))
    states.look()
    assert not folder.exists()


def test_no_name_leads_elsewhere(tmp_path: Path) -> None:
    log, folder = tmp_path / "nats.log", state(tmp_path, "refused")
    states = DamagedStates(log, tmp_path / "nats", lambda _: None)
    log.write_text(LINE.format(name="../obs/refused") + LINE.format(name="*"))
    states.look()
    assert folder.exists()
