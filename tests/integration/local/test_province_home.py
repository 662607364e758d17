"""The demo province keeps its folder to its owner from the first moment, before anything runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from binh_thuan.run import Run
from binh_thuan.screen import DemoScreen
from lienthong.edge import EdgeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def careless_umask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_nobody_else_looks_into_a_new_province(tmp_path: Path) -> None:
    Run(EdgeSettings(home=tmp_path / "home"), DemoScreen()).prepare()

    assert oct((tmp_path / "home").stat().st_mode & 0o777) == "0o700"
