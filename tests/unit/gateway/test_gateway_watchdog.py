"""Which workers stand still, when they are started again, and the signs of life in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.gateway import watchdog
from lienthong.gateway.heartbeat import Beats, Reason
from lienthong.gateway.watchdog import Starts, Watch, Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_process_stands_still_when_so_many_looks_in_a_row_show_nothing_new() -> None:
    watch = Watch(3)
    looks = [watch.look([1, 2], {1: 7, 2: number}, number) for number in range(4)]
    assert looks == [[], [], [], [1]]


def test_one_sign_of_life_begins_the_count_anew() -> None:
    watch = Watch(2)
    assert [watch.look([1], {1: beat}, now) for now, beat in enumerate((1, 1, 2, 2, 2))] == [
        [],
        [],
        [],
        [],
        [1],
    ]


def test_a_process_that_has_not_started_is_not_watched() -> None:
    watch = Watch(1)
    assert [watch.look([1], {}, now) for now in range(5)] == [[]] * 5


def test_a_look_after_a_long_suspension_is_one_look() -> None:
    watch = Watch(2)
    assert watch.look([1], {1: 1}, 1.0) == []
    # However long the machine slept between the two.
    assert watch.look([1], {1: 1}, 3600.0) == []
    assert watch.look([1], {1: 2}, 3601.0) == []


def test_looks_that_follow_each_other_at_once_are_one_look() -> None:
    watch = Watch(2)
    # Each worker that ends wakes the main process.
    assert [watch.look([1], {1: 1}, 5.0 + number / 100) for number in range(20)] == [[]] * 20
    assert [watch.look([1], {1: 1}, now) for now in (6.0, 6.1, 7.0)] == [[], [], [1]]


def test_what_had_started_is_started_at_once_however_often() -> None:
    starts = Starts()
    for now in (1.0, 1.1, 1.2):
        starts.ended(0, had_started=True, now=now)
        assert starts.due(now) == [0]
        assert starts.due(now) == []
    assert not starts.hopeless


def test_what_does_not_start_is_tried_after_growing_pauses() -> None:
    starts, pauses = Starts(), []
    for _ in range(6):
        starts.ended(0, had_started=False, now=100.0)
        pauses.append(next(pause for pause in range(1, 20) if starts.due(100.0 + pause)))
    assert pauses == [1, 2, 4, 8, 10, 10]
    assert starts.hopeless
    starts.ended(0, had_started=True, now=200.0)
    assert not starts.hopeless


def test_the_places_have_their_room_on_the_disk_from_the_beginning(tmp_path: Path) -> None:
    Beats(tmp_path)
    [file] = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= file.stat().st_size > 0


def test_parent_and_workers_see_the_same_places(tmp_path: Path) -> None:
    parent, worker = Beats(tmp_path), Beats(tmp_path)
    worker.beat(1, 4711)
    first = parent.of_processes()
    worker.beat(1, 4711)
    second = parent.of_processes()
    assert first.keys() == second.keys() == {4711}
    assert first != second
    assert parent.seat_of(4711) == 1
    assert parent.seat_of(1) is None
    parent.count(1, Reason.STUCK)
    parent.forget(1)
    assert parent.of_processes() == {}
    assert worker.counted(1) == {Reason.ENDED: 0, Reason.STUCK: 1}
    assert worker.counted(0) == {Reason.ENDED: 0, Reason.STUCK: 0}


def test_a_worker_that_cannot_be_started_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    class Processes:
        """In place of multiprocessing: the machine has no process left."""

        @staticmethod
        def Process(**options: object) -> Processes:  # noqa: N802 - multiprocessing's name
            started.append(str(options["name"]))
            return Processes()

        def start(self) -> None:
            raise BlockingIOError("no process is left")

    monkeypatch.setattr(watchdog, "_CONTEXT", Processes)
    monkeypatch.setattr(watchdog, "_LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr(watchdog, "LOOK_EVERY_S", 0.01)
    stopped: list[str] = []
    watched = Watchdog(
        lambda: None, workers=2, beats=Beats(tmp_path), timeout=10, on_stop=lambda: stopped.append("ports")
    )
    assert watched.run() == 1
    assert stopped == ["ports"]
    assert started.count("worker 0") == 3
