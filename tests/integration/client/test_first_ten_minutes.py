"""What a stranger does first on a whole platform, with nothing but the command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lienthong.client.cli import app
from tests.integration.client.own_api import own_api
from tests.support.platform import PURPOSE, SERVICE, running_platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.client.conftest import Run, Said
    from tests.support.platform import Platform

MINE = """\
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H11.77}
spec:
  class: GOV
  name: {vi: Sở Thử nghiệm, en: Department of Trials}
---
apiVersion: lienthong/v1
kind: System
metadata: {id: H11.77/hello}
spec:
  name: {vi: Chào hỏi, en: Hello}
  jwksFile: keys/public.jwks
---
apiVersion: lienthong/v1
kind: Service
metadata: {id: H11.77/hello/greetings-v1}
spec:
  name: {vi: Lời chào, en: Greetings}
  upstreams: ["$HELLO"]
  openapiFile: openapi.yaml
---
apiVersion: lienthong/v1
kind: EventType
metadata: {id: H11.77/hello/greeted-v1}
spec:
  name: {vi: Đã chào, en: Greeted}
  dataSchema: {type: object, required: [name], properties: {name: {type: string}}}
"""
OPENAPI = """\
openapi: 3.1.0
info: {title: Lời chào, version: 1.0}
paths:
  /hello/{name}:
    get:
      operationId: sayHello
      responses: {200: {description: Lời chào}}
"""


@pytest.fixture(scope="module")
def hello() -> Iterator[str]:
    """The address of the stranger's API."""
    with own_api() as address:
        yield address


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, hello: str) -> Iterator[Platform]:
    """A whole installation."""
    with running_platform(tmp_path_factory.mktemp("province"), hello) as platform:
        platform.consumer.save(platform.home / "demo/one-stop")
        yield platform


@pytest.fixture
def home(platform: Platform, hello: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LIENTHONG_HOME of the installation, as its users have it set."""
    monkeypatch.setenv("LIENTHONG_HOME", str(platform.home))
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", str(platform.settings.port_offset))
    monkeypatch.setenv("HELLO", hello)
    for name in ("LIENTHONG_GATEWAY", "LIENTHONG_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return platform.home


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stranger's working folder."""
    return tmp_path_factory.mktemp("stranger")


def soon(run: Run, *words: str) -> Said:
    """Run the command until it succeeds: what was decided reaches the gateways within a second."""
    for _ in range(100):
        said = run(*words)
        if said.code == 0:
            return said
        time.sleep(0.1)
    return said


def test_from_nothing_to_a_proved_call(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert run("doctor").code == 0
    assert run("keys", "new", "--client-id", "H11.77/hello", "--dir", "keys").code == 0
    (folder / "openapi.yaml").write_text(OPENAPI, encoding="utf-8")
    (folder / "mine.yaml").write_text(MINE, encoding="utf-8")
    assert "4 tạo mới/created" in run("apply", "-f", "mine.yaml", "--dry-run").out
    assert "4 tạo mới/created" in run("apply", "-f", "mine.yaml").out
    assert "4 giữ nguyên/unchanged" in run("apply", "-f", ".").out
    assert run("token", "--as", "keys", "--json").json["claims"]["client_id"] == "H11.77/hello"

    early = run("call", "GET", "H11.77/hello/greetings-v1/hello/An", "--as", "one-stop", "--json")
    assert (early.code, early.json["error"]["code"]) == (4, "no-agreement")
    asked = run(
        "agreement", "request", "greet", "--service", "H11.77/hello/greetings-v1", "--operation", "sayHello",
        "--purpose", "greeting", "--legal-ground", "Thử nghiệm", "--as", "one-stop",
    )  # fmt: skip
    assert asked.code == 0
    assert "H11.01.one-stop.greet" in asked.out
    assert run("agreement", "approve", "H11.01.one-stop.greet", "--as", "keys").code == 0
    called = soon(run, "call", "GET", "H11.77/hello/greetings-v1/hello/An", "--as", "one-stop", "--json")
    assert called.json["body"] == {"hello": "/hello/An", "for": "H11.01/one-stop"}

    tx = called.json["transaction_id"]
    shown = run("audit", "show", tx, "--json").json
    assert shown["receipt"]["verified"] is True
    assert shown["receipt"]["record"]["purpose"] == "greeting"
    assert run("audit", "receipt", tx, "-o", "receipt.txt", "--as", "one-stop").code == 0
    assert run("audit", "verify", "receipt.txt").code == 0
    found = run("audit", "search", "--service", "H11.77/hello/greetings-v1", "--from", "1h", "--json").json
    assert tx in [item["record"]["tx"] for item in found["items"]]
    assert run("audit", "fsck", "--json").json["sound"] is True


def test_yaml_with_mistakes_is_judged_by_the_catalog_at_its_lines(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    bad = MINE.replace("class: GOV", "clas: GOV").replace("H11.77/hello}", "H11.78/hello}")
    (folder / "bad.yml").write_text(bad, encoding="utf-8")
    said = run("apply", "-f", "bad.yml", "--json")
    errors = said.json["error"]["errors"]
    assert said.code == 2
    places = [(error["file"], error["line"], error["field"]) for error in errors]
    assert ("bad.yml", 5, "spec.clas") in places
    assert ("bad.yml", 10, "metadata.id") in places
    assert all(error["detail"] and error["detail_vi"] for error in errors)


def test_events_go_from_provider_to_subscriber(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "openapi.yaml").write_text(OPENAPI, encoding="utf-8")
    (folder / "mine.yaml").write_text(MINE, encoding="utf-8")
    run("keys", "new", "--client-id", "H11.77/hello", "--dir", "keys")
    assert run("apply", "-f", "mine.yaml").code == 0
    type_ = "H11.77/hello/greeted-v1"
    assert soon(run, "events", "subscribe", "greeted", "--type", type_, "--as", "keys").code == 0
    assert run("events", "publish", type_, "-d", '{"name": 1}', "--as", "keys").code == 4
    sent = run("events", "publish", type_, "-d", '{"name": "An"}', "--id", "e1", "--as", "keys", "--json")
    assert sent.json["duplicate"] is False
    pulled = run("events", "pull", "greeted", "--wait", "5", "--as", "keys", "--json")
    assert [item["event"]["data"] for item in pulled.json["events"]] == [{"name": "An"}]
    assert run("events", "pull", "greeted", "--as", "keys", "--json").json["events"] == []
    assert [item["name"] for item in run("events", "list", "--as", "keys", "--json").json["items"]] == [
        "greeted"
    ]
    assert run("events", "unsubscribe", "greeted", "--as", "keys").code == 0


def test_the_command_works_as_a_process_and_starts_at_once(platform: Platform, home: Path) -> None:
    assert home.is_dir()
    words = ["call", "GET", f"{SERVICE}/parcels/1", "--purpose", PURPOSE, "--as", "one-stop"]
    command = [sys.executable, "-m", "lienthong.client", *words]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert json.loads(done.stdout)["hello"] == "/parcels/1"
    assert "transaction" in done.stderr
    help_ = subprocess.run([*command[:3], "--help"], capture_output=True, check=True, text=True)
    assert "audit" in help_.stdout
    assert str(platform.settings.port_offset) not in help_.stdout


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom lienthong.client.cli import app\n"
        "from typer.testing import CliRunner\nCliRunner().invoke(app, ['--help'])\n"
        "print([name for name in ('httpx', 'joserfc', 'yaml', 'cryptography') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_command_has_help_in_both_languages() -> None:
    for words in (["--help"], ["apply", "--help"], ["audit", "--help"], ["call", "--help"], ["--version"]):
        assert CliRunner().invoke(app, words).exit_code == 0
