"""The shell is offered names, kinds and ids; when nothing answers it is offered nothing, and soon."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lienthong.client.cli import app
from lienthong.client.completion import LONGEST
from tests.support.promises import allowed_s

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.client.conftest import Run
    from tests.integration.client.small_gateway import SmallGateway

SERVICE = "H11.05/land/parcels-v1"
KINDS_OF_RECORDS = ("call", "opening", "continuing", "intent", "refused-sample", "admin")


@pytest.fixture
def catalog(gateway: SmallGateway) -> SmallGateway:
    """A catalog with something of each kind."""
    for kind, name in (
        ("Agency", "H11.01"),
        ("Agency", "H11.05"),
        ("System", "H11.05/land"),
        ("Agreement", "one-stop-parcels"),
        ("EventType", "H11.05/land/parcel-changed-v1"),
    ):
        gateway.manifests[kind, name] = {"kind": kind, "metadata": {"id": name}, "spec": {}}
    operations = [
        {"id": "getParcel", "method": "get", "path": "/parcels/{parcelId}"},
        {"id": "registerParcel", "method": "post", "path": "/parcels"},
    ]
    gateway.manifests["Service", SERVICE] = {
        "kind": "Service",
        "metadata": {"id": SERVICE},
        "spec": {},
        "operations": operations,
    }
    return gateway


def offered(line: str) -> list[str]:
    """What bash is offered for the last word of a line."""
    words = line.split(" ")
    environment = {
        "_LIENTHONG_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = CliRunner().invoke(app, [], prog_name="lienthong", env=environment)
    assert done.exit_code == 0
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.usefixtures("home", "catalog")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("lienthong aud", ["audit"]),
        ("lienthong agreement re", ["reject", "resume", "revoke", "request"]),
        ("lienthong keys import --pass", ["--passphrase-file"]),
        ("lienthong token --as o", ["one-stop", "operator"]),
        ("lienthong get ag", ["agencies", "agreements"]),
        ("lienthong get agency ", ["H11.01", "H11.05"]),
        ("lienthong get agencies H11.05", ["H11.05"]),
        ("lienthong get services H11.05/la", [SERVICE]),
        ("lienthong get nonsense ", []),
        ("lienthong get agreements --status re", ["requested", "rejected", "revoked"]),
        ("lienthong get agreements --service H11", [SERVICE]),
        ("lienthong get agreements --consumer H11", ["H11.05/land"]),
        ("lienthong get services --agency H11.0", ["H11.01", "H11.05"]),
        ("lienthong agreement approve one", ["one-stop-parcels"]),
        ("lienthong agreement request x --service H11", [SERVICE]),
        ("lienthong agreement request x --event-type H11", ["H11.05/land/parcel-changed-v1"]),
        ("lienthong system suspend H11", ["H11.05/land"]),
        ("lienthong audit search --agency H11.0", ["H11.01", "H11.05"]),
        ("lienthong audit search --kind ", [*KINDS_OF_RECORDS]),
        ("lienthong call P", ["POST", "PUT", "PATCH"]),
        ("lienthong call GET H", [f"{SERVICE}/parcels/{{parcelId}}"]),
        ("lienthong call POST H", [f"{SERVICE}/parcels"]),
        ("lienthong events pull --as one-stop m", ["moves"]),
        ("lienthong events pull m", []),
    ],
)
def test_the_shell_is_offered_what_there_is(line: str, words: list[str]) -> None:
    assert offered(line) == words


@pytest.mark.usefixtures("home")
def test_nothing_is_offered_when_nothing_answers(
    gateway: SmallGateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gateway.garbage = True
    assert offered("lienthong get agencies H") == []
    monkeypatch.setenv("LIENTHONG_GATEWAY", "http://127.0.0.1:9")
    assert offered("lienthong get agencies H") == []
    # An address that swallows every packet: the time-out ends it.
    monkeypatch.setenv("LIENTHONG_GATEWAY", "http://192.0.2.1")
    start = time.monotonic()
    assert offered("lienthong get agencies H") == []
    assert time.monotonic() - start < allowed_s(8)
    monkeypatch.setenv("LIENTHONG_GATEWAY", "not an address")
    assert offered("lienthong get agencies H") == []
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "nowhere"))
    assert offered("lienthong get agencies H") == []
    assert offered("lienthong token --as ") == []


@pytest.mark.usefixtures("home")
def test_a_gateway_that_takes_connections_and_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("LIENTHONG_GATEWAY", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        assert offered("lienthong get agencies H") == []
        assert time.monotonic() - start < LONGEST + allowed_s(7)


def test_a_home_that_cannot_be_written_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    done = run("--install-completion", "zsh")
    assert (done.code, "code input-output" in done.err) == (2, True)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("shell", "file", "says"),
    [
        ("zsh", ".zfunc/_lienthong", "#compdef lienthong"),
        ("bash", ".bash_completions/lienthong.sh", "complete -o default -F"),
        ("fish", ".config/fish/completions/lienthong.fish", "complete --command lienthong"),
    ],
)
def test_the_shell_that_is_named_is_installed_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, file: str, says: str
) -> None:
    own = tmp_path / "user"
    monkeypatch.setenv("HOME", str(own))
    done = run("--install-completion", shell)
    assert done.code == 0
    assert file in done.out
    script = (own / file).read_text()
    assert says in script
    assert "_LIENTHONG_COMPLETE" in script
    others = {".zshrc", ".bashrc"} - {f".{shell}rc"}
    assert not any((own / other).exists() for other in others)
    assert script.strip() == run("--show-completion", shell).out.strip()


def test_without_a_name_it_is_the_shell_in_use(home: Path, tmp_path: Path) -> None:
    bash = str(shutil.which("bash"))
    command = f"{sys.executable} -m lienthong.client --show-completion; true"
    environment = {**os.environ, "LIENTHONG_HOME": str(home), "HOME": str(tmp_path)}
    done = subprocess.run([bash, "-c", command], capture_output=True, check=True, env=environment)
    assert b"complete -o default -F _lienthong_completion lienthong" in done.stdout


def test_an_unknown_shell_is_refused_with_those_that_are_known(run: Run) -> None:
    refused = run("--install-completion", "tcsh")
    assert refused.code == 2
    assert "zsh" in refused.err
