"""A program that supervisord forks behaves as one that it executes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import xmlrpc.client
from typing import TYPE_CHECKING

import pytest

from lienthong.local.prepared import ModuleProgram
from lienthong.local.programs import Program
from lienthong.local.supervisor import Supervisor, write_config
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import atexit, os, signal, sys, threading, time
from pathlib import Path

def told(what):
    with Path(os.environ["TOLD"]).open("a") as file:
        file.write(what + "\\n")

if __name__ == "__main__":
    atexit.register(told, "atexit")
    threading.Thread(target=lambda: (time.sleep(0.05), told("thread"))).start()
    match sys.argv[1]:
        case "return": pass
        case "number": sys.exit(7)
        case "sentence": sys.exit("why it ends")
        case "error": raise ValueError("what went wrong")
        case "signal":
            told(str(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL))
            os.kill(os.getpid(), signal.SIGTERM)
"""
FORKS = """
import os, signal, sys
from lienthong.local.prepared import ModuleProgram

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: None)
program, arguments = ModuleProgram.of([sys.executable, "-m", *sys.argv[1:]])
child = os.fork()
if child == 0:
    os._exit(program.run(arguments, os.environ.copy()))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
AT_ITS_END = ["thread", "atexit"]


@pytest.mark.parametrize(
    ("way", "status", "told", "said"),
    [
        ("return", 0, AT_ITS_END, ""),
        ("number", 7, AT_ITS_END, ""),
        ("sentence", 1, AT_ITS_END, "why it ends\n"),
        ("error", 1, AT_ITS_END, "ValueError: what went wrong\n"),
        ("signal", -15, ["True"], ""),
    ],
)
def test_its_end_is_that_of_the_program(
    tmp_path: Path, way: str, status: int, told: list[str], said: str
) -> None:
    (tmp_path / "some_program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TOLD": str(tmp_path / "told")}
    command = [sys.executable, "-c", FORKS, "some_program", way]
    executed = [sys.executable, "-m", "some_program", way]

    forked = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(forked.stdout) == status
    assert forked.stderr.endswith(said)
    assert (tmp_path / "told").read_text().splitlines() == told

    (tmp_path / "told").unlink()
    done = subprocess.run(executed, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[-len(said) :] if said else "") == (status, said)
    assert (tmp_path / "told").read_text().splitlines() == told


def test_only_modules_of_this_python_are_forked() -> None:
    python = sys.executable
    found = ModuleProgram.of(["/usr/bin/env", 'A="x" = y', "B=", python, "-m", "some.module", "-m", "x=y"])
    assert found == (ModuleProgram("some.module", {"A": '"x" = y', "B": ""}), ["-m", "x=y"])
    assert ModuleProgram.of([python, "-m", "some.module"]) == (ModuleProgram("some.module", {}), [])
    for other in (
        [],
        [python],
        [python, "-m"],
        [python, "-c", "pass"],
        ["/usr/bin/env", "A=b"],
        ["ls", "-m", "x"],
    ):
        assert ModuleProgram.of(other) is None


SHOWS = """
import json, os, sys, time
from pathlib import Path

shown = {
    "arguments": sys.argv[1:],
    "variable": os.environ["VARIABLE"],
    "process": os.getpid(),
    "command": Path("/proc/self/cmdline").read_bytes().decode().split("\\0"),
    "name": Path("/proc/self/comm").read_text().strip(),
    "loaded": "sqlalchemy" in sys.modules,
}
place = Path(sys.argv[1])
place.with_suffix(".new").write_text(json.dumps(shown))
place.with_suffix(".new").rename(place)
print("output", flush=True)
time.sleep(60)
"""


async def test_the_supervisor_forks_modules_and_executes_what_is_not_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it_shows_what_it_is.py").write_text(SHOWS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    python, value = sys.executable, 'a "quoted" 50 % = value'
    script = str(tmp_path / "it_shows_what_it_is.py")
    commands = {
        "forked": [python, "-m", "it_shows_what_it_is", str(tmp_path / "forked")],
        "executed": [python, script, str(tmp_path / "executed")],
    }
    programs = [
        Program(name, command, "", [], 0, environment={"VARIABLE": value})
        for name, command in commands.items()
    ]
    config = write_config(tmp_path / "run", tmp_path / "logs", programs)
    daemon = subprocess.Popen(  # noqa: ASYNC220 - it does not wait
        [python, "-m", "lienthong.local.supervised", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        supervisor = Supervisor(tmp_path / "run")
        await eventually(supervisor.answers)
        for name in commands:
            supervisor.start(name)
        await eventually(lambda: all((tmp_path / name).exists() for name in commands))
        shown = {name: json.loads((tmp_path / name).read_text()) for name in commands}
        for name in commands:
            assert shown[name]["process"] == supervisor.pid(name)
            assert shown[name]["variable"] == value
            assert shown[name]["arguments"] == [str(tmp_path / name)]
            assert (tmp_path / "logs" / f"{name}.log").read_text() == "output\n"
            # Killed, it would be started again: stopped at that moment, it is not.
            os.kill(supervisor.pid(name), signal.SIGKILL)
            supervisor.stop(name)
            assert supervisor.state(name) == "STOPPED"
            with pytest.raises(xmlrpc.client.Fault):
                supervisor.stop(name)
        assert [shown[name]["loaded"] for name in commands] == [True, False]
        assert shown["forked"]["name"] == "it_shows_what_it_is"[:15]
        assert script in shown["executed"]["command"]
    finally:
        daemon.terminate()
        daemon.wait(30)
