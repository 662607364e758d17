"""What leaves a process as its log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from lienthong.kit.logs import strike_out_secrets

PROGRAM = """
import logging, structlog
from lienthong.kit.logs import configure_logs
configure_logs("catalog", "info", "json")
log = structlog.get_logger()
log.debug("unseen")
log.info("called", client="H11.05/land", authorization="Bearer abc", n=1)
logging.getLogger("some.library").warning("tiếng %s", "Việt")
logging.getLogger("httpx").info("GET http://secret")
try:
    raise RuntimeError("boom")
except RuntimeError:
    log.exception("failed")
"""


def lines() -> list[dict[str, Any]]:
    """The log of a process of its own: logging is global."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_log_is_one_json_object_a_line_whoever_wrote_it() -> None:
    ours, foreign, failed = lines()
    assert (ours["event"], ours["level"], ours["process"], ours["n"]) == ("called", "info", "catalog", 1)
    assert ours["at"].endswith("Z")
    assert (foreign["event"], foreign["logger"], foreign["process"]) == (
        "tiếng Việt",
        "some.library",
        "catalog",
    )
    assert "RuntimeError: boom" in failed["exception"]


def test_secrets_are_struck_out() -> None:
    assert lines()[0]["authorization"] == "[struck out]"
    assert strike_out_secrets(None, "info", {"token": "x", "jti": "y"}) == {
        "token": "[struck out]",
        "jti": "y",
    }
