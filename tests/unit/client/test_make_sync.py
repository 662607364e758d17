"""The synchronous half of the SDK is made from the asynchronous one, and a difference is refused."""

from __future__ import annotations

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

from lienthong.client import AsyncClient, Client

SCRIPT = Path(__file__).parents[3] / "libs/client/make_sync.py"
PACKAGE = SCRIPT.parent / "src/lienthong/client"


def make_sync(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, words)], capture_output=True, check=False, encoding="utf-8"
    )


def test_a_changed_half_is_refused_and_made_again(tmp_path: Path) -> None:
    for name in ("async_client.py", "async_auth.py", "sync_client.py", "sync_auth.py"):
        shutil.copy(PACKAGE / name, tmp_path)
    assert make_sync("--check", "--package", tmp_path).returncode == 0
    source = (tmp_path / "async_client.py").read_text("utf-8")
    (tmp_path / "async_client.py").write_text(source.replace("def unsubscribe", "def stop"), "utf-8")
    stale = make_sync("--check", "--package", tmp_path)
    assert stale.returncode == 1
    assert "+    def stop(self, name: str) -> None:" in stale.stdout
    assert "make sync" in stale.stderr
    assert make_sync("--package", tmp_path).returncode == 0
    assert make_sync("--check", "--package", tmp_path).returncode == 0
    (tmp_path / "sync_auth.py").unlink()
    assert make_sync("--check", "--package", tmp_path).returncode == 1


def test_both_clients_have_the_same_methods_parameters_and_documentation() -> None:
    for name, method in inspect.getmembers(AsyncClient, inspect.isfunction):
        if name.startswith("_"):
            continue
        twin = getattr(Client, name)
        assert twin.__doc__ == method.__doc__
        assert list(inspect.signature(twin).parameters) == list(inspect.signature(method).parameters)
    assert Client.__doc__ is not None
    assert "async" not in Client.__doc__
    assert "with Client.from_folder" in Client.__doc__


def test_nothing_asynchronous_is_left_in_the_synchronous_half() -> None:
    for name in ("sync_client.py", "sync_auth.py"):
        tree = ast.parse((PACKAGE / name).read_text("utf-8"))
        kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
        assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]
