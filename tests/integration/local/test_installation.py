"""An installation that cannot start says why, soon, and leaves nothing behind."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest

from lienthong.kit.processes import PORTS
from lienthong.kit.settings import Settings
from lienthong.local import Installation, InstallationError, Program, read_settings
from tests.support.ports import take_free_offset


def _settings(home: Path) -> Settings:
    return Settings(home=home, port_offset=take_free_offset())


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    port = settings.rpc_port("catalog")
    taken = pytest.raises(InstallationError, match=rf"{port} \(catalog\)")
    with socket.create_server(("127.0.0.1", port)), taken:
        Installation(settings).start()
    assert not (tmp_path / "run").exists()


def test_a_program_that_keeps_ending_is_given_up_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = Program(
        name="broken",
        command=[sys.executable, "-c", "raise SystemExit('the roof is on fire')"],
        ready_url="http://127.0.0.1:9/health/ready",
        ports=[],
        wave=0,
    )
    installation = Installation(_settings(tmp_path), extra=[broken])
    try:
        with pytest.raises(InstallationError, match="the roof is on fire"):
            installation.start(timeout=60)
    finally:
        installation.stop()
    assert not installation.running()


def test_a_second_installation_on_the_same_home_is_refused_and_the_first_ends_in_order(
    tmp_path: Path,
) -> None:
    with Installation(_settings(tmp_path)), pytest.raises(InstallationError, match="already running"):
        Installation(_settings(tmp_path)).start()
    log = (tmp_path / "logs" / "supervisord.log").read_text(encoding="utf-8")
    stopped = re.findall(r"stopped: (\w+) \(exit status 0\)", log)
    assert (stopped[:2], stopped[-1]) == (["console", "gateway"], "nats")
    assert set(stopped) == {"nats", "console", *PORTS}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_programs_end_with_a_supervisor_that_is_killed_and_the_next_start_works(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    first = Installation(settings)
    try:
        first.start()
        pids = [first.supervisor.pid(name) for name in ("nats", *PORTS)]
        assert first._daemon is not None
        first._daemon.kill()
        first._daemon.wait()
        with Installation(settings) as second:
            assert second.running()
            assert not [pid for pid in pids if _is_ours(pid, tmp_path)]
    finally:
        first.stop()


def _is_ours(pid: int, home: Path) -> bool:
    """Whether this process of the home still lives; one that nobody has waited for yet is dead."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bytes(home) in environment


def test_the_offset_advised_for_taken_ports_leads_to_other_ports(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    port = settings.rpc_port("catalog")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(InstallationError) as refused:
        Installation(settings).start()
    advised = int(str(refused.value).rpartition("LIENTHONG_PORT_OFFSET=")[2])
    used, other = (
        {of(name) for of in (each.port, each.rpc_port, each.health_port) for name in PORTS}
        for each in (settings, Settings(home=tmp_path, port_offset=advised))
    )
    assert used.isdisjoint(other)


@pytest.mark.parametrize("offset", ["abc", "60000"])
def test_a_wrong_variable_is_named_and_nothing_else(offset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", offset)
    with pytest.raises(InstallationError) as refused:
        read_settings(Settings)
    first, named = str(refused.value).splitlines()
    assert first.startswith("biến môi trường")
    assert named.startswith(f"  LIENTHONG_PORT_OFFSET={offset}: Input should be ")
