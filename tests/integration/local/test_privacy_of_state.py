"""Whatever an embedded installation writes is for its owner only, also where the owner is less careful."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from lienthong.kit.settings import Settings
from lienthong.local import installation
from lienthong.local.installation import Installation
from lienthong.local.programs import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import http.server, pathlib, sys
home = pathlib.Path(sys.argv[1])
(home / "service").mkdir(parents=True)
(home / "service" / "trail.db").write_text("who asked for whom")
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def careless_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_nobody_else_reads_what_an_installation_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, port = tmp_path / "home", _free_port()
    script = tmp_path / "service.py"
    script.write_text(PROGRAM, encoding="utf-8")
    program = Program(
        name="service",
        command=[sys.executable, str(script), str(home), str(port)],
        ready_url=f"http://127.0.0.1:{port}/",
        ports=[port],
        wave=0,
    )
    monkeypatch.setattr(installation, "platform_programs", lambda _: [program])

    with Installation(Settings(home=home)):
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
        open_to_others = {
            str(path.relative_to(tmp_path)): oct(path.stat().st_mode)
            for path in (home, home / "service", home / "service" / "trail.db", home / "logs" / "service.log")
            if path.stat().st_mode & 0o077
        }

    assert open_to_others == {}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
