"""What a user sees: whole ids at 80 columns, UTF-8 on every console, the chosen language alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import COMMAND, at_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.client.small_gateway import SmallGateway

SERVICE = "H11.36.01/dich-vu-cong-truc-tuyen/tra-cuu-thua-dat-v1"


@pytest.fixture
def catalog(gateway: SmallGateway) -> SmallGateway:
    """A catalog whose ids and names are as long as real ones."""
    name = {"vi": "Tra cứu thông tin thửa đất và tài sản gắn liền với đất", "en": "Parcels"}
    gateway.manifests["System", SERVICE.rpartition("/")[0]] = {
        "metadata": {"id": SERVICE.rpartition("/")[0]},
        "spec": {"name": name, "jwks": {"keys": [{}, {}]}},
        "status": "active",
    }
    gateway.manifests["Agreement", "mot-cua-tra-cuu-thua-dat"] = {
        "metadata": {"id": "mot-cua-tra-cuu-thua-dat"},
        "status": "approved",
        "spec": {"consumer": "H11.01/one-stop", "service": SERVICE, "purposes": ["land", "appeal"]},
    }
    return gateway


def words_of(lines: list[str]) -> set[str]:
    return {word for line in lines for word in line.split()}


@pytest.mark.usefixtures("catalog")
def test_ids_are_whole_at_80_columns(home: Path) -> None:
    agreements = at_terminal(home, "get", "agreements")
    assert {"mot-cua-tra-cuu-thua-dat", "H11.01/one-stop", SERVICE, "land", "appeal"} <= words_of(agreements)
    systems = at_terminal(home, "get", "systems", LIENTHONG_LANG="en")
    assert SERVICE.rpartition("/")[0] in words_of(systems)
    for lines in (agreements, systems):
        assert all(len(line.rstrip()) <= 80 for line in lines)


def test_records_and_errors_are_whole_at_80_columns(home: Path) -> None:
    path = f"{SERVICE}/thua-dat/so-to-12/so-thua-345"
    assert at_terminal(home, "call", "GET", path, "--as", "one-stop")
    found = at_terminal(home, "audit", "search")
    assert {"tx-0", "H11.01/one-stop", "2026-11-23T06:30:00Z"} <= words_of(found)
    refused = at_terminal(home, "call", "GET", f"{path}/forbidden", "--as", "one-stop")
    assert all(len(line) <= 80 for line in refused)
    assert {"lienthong", "--legal-ground", "no-agreement", "tx-1"} <= words_of(refused)


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("language", ["vi", "en"])
def test_one_language_is_shown_alone(home: Path, language: str) -> None:
    lines = "\n".join(at_terminal(home, "get", "systems", LIENTHONG_LANG=language))
    assert ("TRẠNG THÁI" in lines, "STATUS" in lines) == (language == "vi", language == "en")
    assert ("Tra cứu" in lines, "Parcels" in lines) == (language == "vi", language == "en")
    doctor = "\n".join(at_terminal(home, "doctor", LIENTHONG_LANG=language))
    assert ("Cổng" in doctor, "Gateway" in doctor) == (language == "vi", language == "en")


def test_a_language_that_is_not_known_is_told_without_a_traceback(home: Path) -> None:
    lines = at_terminal(home, "get", "systems", LIENTHONG_LANG="fr")
    assert any("LIENTHONG_LANG=vi, en" in line for line in lines)
    assert not any("Traceback" in line for line in lines)


def piped(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    given: Mapping[str, str] = {**os.environ, "LIENTHONG_HOME": str(home), **environment}
    return subprocess.run([*COMMAND, *words], capture_output=True, check=False, env=given)


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize("encoding", ["cp1252", "cp1258"])
def test_output_is_utf_8_whatever_the_console_is(home: Path, encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding, "LIENTHONG_LANG": "both"}
    for words, code, says in (
        (("--help",), 0, "Đăng ký, gọi và kiểm chứng"),
        (("get", "systems"), 0, "Tra cứu thông tin thửa đất"),
        (("call", "GET", f"{SERVICE}/absent", "--as", "one-stop"), 1, "không có thửa này"),
        (("get", "nonsense"), 2, "Không có loại"),
        (("doctor",), 0, "Sổ nhật ký"),
    ):
        done = piped(home, *words, **environment)
        assert done.returncode == code, done.stderr
        shown = done.stdout.decode("utf-8") + done.stderr.decode("utf-8")
        assert says in shown
        assert "Traceback" not in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
@pytest.mark.usefixtures("catalog")
def test_output_that_cannot_be_written_is_told(home: Path) -> None:
    environment = {**os.environ, "LIENTHONG_HOME": str(home), "LIENTHONG_LANG": "en"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "get", "agreements"], stdout=full, stderr=subprocess.PIPE, env=environment, check=False
        )
    assert (done.returncode, b"code input-output" in done.stderr) == (2, True)
    assert b"Traceback" not in done.stderr
