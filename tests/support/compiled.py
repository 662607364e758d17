"""Whether the gateway's modules are compiled ones: `make test-compiled`."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "gateway" / "compile.py"


def gateway_is_compiled() -> bool:
    """Whether Python finds the modules that `make compile` has made before the others."""
    spec = find_spec("lienthong.gateway.app")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def modules() -> list[str]:
    """The names of the modules that are compiled, as the script has them."""
    for statement in ast.parse(SCRIPT.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "MODULES":
            return [
                f"lienthong.gateway.{name.replace('/', '.')}" for name in ast.literal_eval(statement.value)
            ]
    raise LookupError(f"{SCRIPT} names no modules")
