"""`make compile`: which modules are compiled, and that those are what a compiled gateway runs."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.support.compiled import modules

COMPILED = Path(__file__).parents[3] / "build" / "compiled"


def test_every_module_is_compiled_or_none() -> None:
    compiled = str(COMPILED) in sys.path
    found = {name: find_spec(name) for name in modules()}
    origins = {
        name: spec.origin for name, spec in found.items() if spec is not None and spec.origin is not None
    }
    assert len(origins) == len(modules()) > 20
    ending = (".so", ".pyd") if compiled else ".py"
    assert [name for name, origin in origins.items() if not origin.endswith(ending)] == []


def test_no_compiled_module_makes_a_struct() -> None:
    # msgspec reads what stands behind the base class of a struct, which a compiler leaves out.
    sources = {name: _source(name) for name in modules()}
    assert [name for name, text in sources.items() if "msgspec.Struct" in text] == []


def test_no_compiled_class_has_a_final_attribute() -> None:
    # mypyc 2.4.1 takes no reference to what it reads of one, and may use it after the object has gone.
    sources = {name: _source(name) for name in modules()}
    assert [name for name, text in sources.items() if re.search(r"\bself\.\w+: Final", text)] == []


def _source(module: str) -> str:
    path = Path(__file__).parents[3] / "gateway" / "src" / Path(*module.split("."))
    return path.with_suffix(".py").read_text()
