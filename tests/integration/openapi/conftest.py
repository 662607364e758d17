"""Each operation of a document is a test with an identifier of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the operation into the identifier of its test.

    schemathesis writes it into the name alone, of which pytest 9.2 makes no identifier any more
    (findings/schemathesis-equal-ids.sh).
    """
    for item in items:
        if item.path.parent == _HERE and isinstance(item, pytest.Function):
            operation = item.name.removeprefix(item.originalname)
            if not item.nodeid.endswith(operation):
                item._id = item.id.parse(item.nodeid + operation)
