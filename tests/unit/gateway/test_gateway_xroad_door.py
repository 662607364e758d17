"""X-Road's door does not take more of what callers write than it has a use for."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.xroad.stated import for_provider
from tests.unit.gateway.way import Way

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "path",
    ["/listClients", "/r1/VN-BTN/GOV/H11.05/land/listMethods", "/r1/VN-BTN/GOV/H11.05/land/getOpenAPI"],
)
async def test_a_query_of_very_many_parameters_is_the_callers_fault(tmp_path: Path, path: str) -> None:
    way = Way(tmp_path, None, 0)
    await way.open()
    headers = {"X-Road-Client": "VN-BTN/GOV/H11.01/one-stop"}
    try:
        found = await way.call("GET", path, "&".join(["a=b"] * 101), headers=headers, token=way.token())
        assert found["answer"]["status"] == 400
        assert "lgsp-error: malformed-request" in found["answer"]["headers"]
    finally:
        await way.close()


def test_long_names_of_fields_are_not_remembered() -> None:
    tracemalloc.start()
    try:
        for number in range(200):
            fields = [field_prefix(b"x-%d-" % number + b"x" * 30_000), b"1"]
            assert for_provider(fields, [])[:2] == fields
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
