"""No process starts to serve when it is asked for help or given an argument that it does not know."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.arguments import SETTINGS_PAGE
from lienthong.kit.processes import PORTS
from tests.support.fork_server import run_module
from tests.support.ports import take_free_port

if TYPE_CHECKING:
    from subprocess import CompletedProcess

MODULES = (
    *(f"lienthong.{process}" for process in PORTS),
    "lienthong.local",
    "lienthong.local.supervised",
    "binh_thuan",
    "binh_thuan.departments",
)


def run(module: str, *arguments: str) -> CompletedProcess[str]:
    """Ends by itself, or this raises TimeoutExpired."""
    environment = os.environ | {"LIENTHONG_PORT_OFFSET": str(take_free_port() % 15_000 + 2000)}
    return run_module(module, environment, *arguments)


@pytest.mark.parametrize("module", MODULES)
def test_help_is_given_in_both_languages_and_names_the_page_of_settings(module: str) -> None:
    done = run(module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m {module}" in done.stdout
    assert done.stdout.count(SETTINGS_PAGE) == 2
    assert "hiện hướng dẫn này" in done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_an_argument_that_is_not_known_is_refused(module: str) -> None:
    done = run(module, "--frobnicate", "now")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tham số không hợp lệ" in done.stderr
    assert SETTINGS_PAGE in done.stderr
