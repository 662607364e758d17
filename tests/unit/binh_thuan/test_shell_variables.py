"""The file that a shell reads to speak to the demo province."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from binh_thuan.province import shell_variables
from lienthong.kit.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("chosen", "shown"), [({}, "both"), ({"LIENTHONG_LANG": "vi"}, "vi")])
def test_both_languages_are_shown_unless_one_was_chosen(
    tmp_path: Path, chosen: dict[str, str], shown: str
) -> None:
    (tmp_path / "env").write_text(shell_variables(Settings(home=tmp_path)), encoding="utf-8")
    script = ". ./env && echo $LIENTHONG_LANG"
    done = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, text=True, cwd=tmp_path, env=chosen
    )
    assert done.stdout.strip() == shown
