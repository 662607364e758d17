"""A small gateway, and a home with the credentials of an operator, an auditor and one system."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from lienthong.client import Credentials
from lienthong.client.cli import app
from tests.integration.client.small_gateway import SmallGateway, running

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Said:
    """What a run of the command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401
        """Standard output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def gateway() -> Iterator[SmallGateway]:
    """A small gateway of the test's own."""
    with running() as gateway:
        yield gateway


@pytest.fixture
def home(tmp_path: Path, gateway: SmallGateway, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LIENTHONG_HOME with credentials that the gateway knows."""
    home = tmp_path / "home"
    for name, client_id in {
        "operator": "operator",
        "auditor": "auditor",
        "demo/one-stop": "H11.01/one-stop",
    }.items():
        credentials = Credentials.new(client_id, gateway=gateway.address)
        credentials.save(home / name)
        gateway.register(credentials)
    monkeypatch.setenv("LIENTHONG_HOME", str(home))
    monkeypatch.setenv("LIENTHONG_LANG", "both")
    for name in ("LIENTHONG_GATEWAY", "LIENTHONG_CREDENTIALS", "LIENTHONG_PORT_OFFSET"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def run(home: Path) -> Run:
    """Run `lienthong` with words; `stdin` and `env` as they would be in a shell."""
    assert home.is_dir()

    def invoke(
        *words: object, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None
    ) -> Said:
        result = CliRunner().invoke(app, [str(word) for word in words], input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return invoke
