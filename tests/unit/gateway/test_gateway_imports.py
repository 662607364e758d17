"""The gateway's process loads nothing of the services' REST edge, and no database."""

from __future__ import annotations

import subprocess
import sys

import pytest

UNWANTED = ("fastapi", "sqlalchemy", "alembic", "lienthong.kit.access", "lienthong.kit.rest")
PROGRAM = """
import importlib, sys
importlib.import_module(sys.argv[1])
print("\\n".join(sys.modules))
"""


@pytest.mark.parametrize("module", ["lienthong.gateway.bootstrap", "lienthong.gateway.__main__"])
def test_a_fresh_gateway_loads_no_rest_framework_and_no_database(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, module], check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert module in loaded
    assert [name for name in loaded if name in UNWANTED] == []
