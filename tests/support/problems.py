"""Which kinds of problem the sources raise, read from their syntax trees."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.kit.problems import callers, load, not_in_force
from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.problems.registry import AREAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "libs/kit",
    "libs/pages",
    "gateway",
    "services/catalog",
    "services/exchange",
    "services/identity",
    "services/ledger",
)
KIT = "lienthong.kit.problems"
_AREAS = {area.__name__.rpartition(".")[2]: area for area in AREAS}


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    """The modules of components (`gateway`, `services/ledger`), each with its syntax tree."""
    for package in packages:
        for path in sorted((ROOT / package / "src").rglob("*.py")):
            yield path, _tree_of(path)


@cache
def _tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    """The last name of what is called: `c` of `a.b.c()`; nothing where it has none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


@cache
def kinds_raised_by(tree: ast.Module) -> frozenset[ProblemType]:
    """The kinds that a module makes errors of itself: `ProblemError(area.KIND, …)`, `TokenError(…)`."""
    kinds = _kinds_named_in(tree)
    first = {
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and _makes_an_error(node)
    }
    # A module that makes errors of a variable's kind may do so of every kind that it names.
    chosen = "kind" in first
    return frozenset(kind for name, kind in kinds.items() if chosen or name in first)


def _makes_an_error(node: ast.Call) -> bool:
    if called(node) == "__init__":
        return ast.unparse(node.func) == "super().__init__"
    return isinstance(node.func, ast.Name) and node.func.id in {"ProblemError", "TokenError"}


def _kinds_named_in(tree: ast.Module) -> dict[str, ProblemType]:
    """The kinds that a module names, each under its name there: `area.KIND`, or a KIND that it imports."""
    areas: dict[str, str] = {}
    found: dict[str, ProblemType] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == KIT:
            areas |= {name.asname or name.name: name.name for name in node.names if name.name in _AREAS}
        elif isinstance(node, ast.ImportFrom) and node.module in {f"{KIT}.{area}" for area in _AREAS}:
            area = import_module(node.module)
            imported = {name.asname or name.name: getattr(area, name.name) for name in node.names}
            found |= {name: kind for name, kind in imported.items() if isinstance(kind, ProblemType)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in areas:
            kind = getattr(_AREAS[areas[node.value.id]], node.attr)
            if isinstance(kind, ProblemType):
                found[ast.unparse(node)] = kind
    return found


@cache
def kinds_of_shared_refusals(tree: ast.Module) -> frozenset[ProblemType]:
    """The kinds behind those functions of `callers`, `load`, `not_in_force` that a module imports."""
    return frozenset(kind for module in (callers, load, not_in_force) for kind in _kinds_behind(module, tree))


def _kinds_behind(module: ModuleType, tree: ast.Module) -> frozenset[ProblemType]:
    whole = _tree_of(Path(str(module.__file__)))
    imports = [node for node in whole.body if isinstance(node, ast.ImportFrom)]
    wanted = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module.__name__
        for name in node.names
    }
    functions = [node for node in whole.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    return kinds_raised_by(ast.Module([*imports, *functions], []))


def kinds_raised_in(*packages: str) -> frozenset[ProblemType]:
    """Every kind that the modules of components raise, themselves or by refusals shared in the kit."""
    trees = [tree for _, tree in sources(*packages)]
    return frozenset(
        kind for tree in trees for kind in kinds_raised_by(tree) | kinds_of_shared_refusals(tree)
    )
