"""`make audit` tells three things apart: nothing known, something known, and nobody asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.audit import CLEAN, NOT_AUDITED, VULNERABLE, audit

if TYPE_CHECKING:
    from collections.abc import Iterator

ADVISORY = {
    "id": "PYSEC-2026-1",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "pyyaml", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


@pytest.fixture
def advisories() -> dict[str, object]:
    """What the vulnerability service knows, by package."""
    return {}


@pytest.fixture
def service(advisories: dict[str, object]) -> Iterator[str]:
    """A server that speaks OSV's query."""

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = advisories.get(asked["package"]["name"])
            body = json.dumps({"vulns": [found]} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_every_locked_package_is_looked_up(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(["--osv-url", service]) == CLEAN
    audited = int(capsys.readouterr().out.split()[0])
    assert audited > 50


def test_a_vulnerable_package_is_named(
    service: str, advisories: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    advisories["pyyaml"] = ADVISORY
    assert audit(["--osv-url", service]) == VULNERABLE
    assert "PYSEC-2026-1, fixed in 99" in capsys.readouterr().out


def test_a_service_that_cannot_be_reached_is_no_clean_bill(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(["--osv-url", "http://127.0.0.1:1/"]) == NOT_AUDITED
    assert "could not be reached" in capsys.readouterr().out
