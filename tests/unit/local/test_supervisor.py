"""What supervisord reads says what the programs are, and what it is asked for is done."""

import shlex
from pathlib import Path
from xmlrpc.client import Fault

import pytest
from supervisor.options import ServerOptions
from supervisor.xmlrpc import Faults

from lienthong.local.programs import Program
from lienthong.local.supervisor import UNIX_PATH_LIMIT, Supervisor, socket_path, write_config


def test_supervisord_reads_back_command_environment_and_log(tmp_path: Path) -> None:
    program = Program(
        name="odd",
        command=["/bin/echo", 'a "quoted" word', "100%", "back\\slash"],
        ready_url="http://127.0.0.1:1/",
        ports=[],
        wave=0,
        environment={"TEXT": 'Liên "thông" 50%'},
    )

    config = write_config(tmp_path / "run", tmp_path / "logs", [program])

    options = ServerOptions()
    options.configfile = str(config)
    options.process_config(do_usage=False)
    (group,) = options.process_group_configs
    (read,) = group.process_configs
    assert read.name == "odd"
    assert shlex.split(read.command) == ["/usr/bin/env", 'TEXT=Liên "thông" 50%', *program.command]
    assert read.stdout_logfile == str(tmp_path / "logs" / "odd.log")
    assert read.autostart is False


def test_the_socket_is_beside_the_state_when_its_path_is_short() -> None:
    home = Path("/tmp/x")  # noqa: S108 - nothing is written there

    assert socket_path(home) == home / "supervisor.sock"


def test_a_long_home_gets_a_short_socket_of_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    assert len(bytes(socket_path(deep))) <= UNIX_PATH_LIMIT
    assert socket_path(deep) != socket_path(deep / "other")


@pytest.mark.parametrize("again", ["EXITED", "STARTING", "RUNNING"])
def test_a_program_that_has_just_died_is_stopped_as_soon_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    refusals = [Fault(Faults.NOT_RUNNING, "NOT_RUNNING: catalog")] * 2
    stopped = []

    def ask(self: Supervisor, method: str, *arguments: object) -> object:
        del self
        if method == "getProcessInfo":
            return {"statename": again}
        if refusals:
            raise refusals.pop()
        stopped.append(arguments)
        return True

    monkeypatch.setattr(Supervisor, "_ask", ask)
    Supervisor(tmp_path).stop("catalog")
    assert stopped == [("catalog", True)]


@pytest.mark.parametrize(
    ("code", "state"),
    [(Faults.NOT_RUNNING, "STOPPED"), (Faults.NOT_RUNNING, "FATAL"), (Faults.FAILED, "EXITED")],
)
def test_what_stays_down_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    asked = []

    def ask(self: Supervisor, method: str, *arguments: object) -> object:
        del self, arguments
        asked.append(method)
        if method == "getProcessInfo":
            return {"statename": state}
        raise Fault(code, "refused")

    monkeypatch.setattr(Supervisor, "_ask", ask)
    with pytest.raises(Fault):
        Supervisor(tmp_path).stop("catalog")
    assert asked.count("stopProcess") == 1
