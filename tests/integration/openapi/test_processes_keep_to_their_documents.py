"""Requests made from each OpenAPI document: no process fails, and each answers only as its document says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lienthong.client import Client
from tests.documents import openapi
from tests.support.platform import running_platform
from tests.support.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemathesis import Case

    from tests.support.platform import Platform

ROOT = Path(__file__).parents[3]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CASES = 20
"""Of each operation; the whole file sends a few thousand requests at most."""
SEED = 1


TestT = TypeVar("TestT", bound=Callable[..., None])


def requests_to(process: str) -> Callable[[TestT], TestT]:
    """Run a test with requests to each operation of a process, the same ones every time."""
    # Without a seed of its own, what is not made by hypothesis differs from run to run.
    config = SchemathesisConfig(seed=SEED)
    schema = schemathesis.openapi.from_path(ROOT / openapi.FOLDER / f"{process}.json", config=config)
    bounded = settings(
        max_examples=CASES, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
    )

    def decorated(test: TestT) -> TestT:
        found: TestT = schema.parametrize()(bounded(test))
        return found

    return decorated


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of this file's own: who knows what the requests leave behind."""
    folder = tmp_path_factory.mktemp("platform")
    with running_upstream() as upstream, running_platform(folder, upstream) as running:
        yield running


@pytest.fixture(scope="module")
def clients(platform: Platform) -> Iterator[Mapping[str, Client]]:
    """Who calls each process."""
    with platform.operator() as operator, platform.auditor() as auditor, Client(platform.consumer) as system:
        yield {
            "catalog": operator,
            "identity": operator,
            "ledger": auditor,
            "exchange": system,
            "gateway": system,
        }


def _validate(case: Case[Any], process: str, platform: Platform, clients: Mapping[str, Client]) -> None:
    headers = {}
    if process in clients:
        headers["Authorization"] = f"Bearer {clients[process].token().value}"
    case.call_and_validate(
        base_url=f"http://127.0.0.1:{platform.settings.port(process)}",
        headers=headers,
        checks=CHECKS,
        timeout=20,
    )


@requests_to("catalog")
def test_the_catalog(case: Case[Any], platform: Platform, clients: Mapping[str, Client]) -> None:
    _validate(case, "catalog", platform, clients)


@requests_to("exchange")
def test_the_exchange(case: Case[Any], platform: Platform, clients: Mapping[str, Client]) -> None:
    _validate(case, "exchange", platform, clients)


@requests_to("gateway")
def test_the_gateway(case: Case[Any], platform: Platform, clients: Mapping[str, Client]) -> None:
    _validate(case, "gateway", platform, clients)


@requests_to("identity")
def test_identity(case: Case[Any], platform: Platform, clients: Mapping[str, Client]) -> None:
    _validate(case, "identity", platform, clients)


@requests_to("ledger")
def test_the_ledger(case: Case[Any], platform: Platform, clients: Mapping[str, Client]) -> None:
    _validate(case, "ledger", platform, clients)


@pytest.mark.parametrize(
    ("process", "path"),
    [
        ("catalog", "/catalog/v1/openapi.json"),
        ("exchange", "/exchange/v1/openapi.json"),
        ("gateway", "/openapi.json"),
        ("identity", "/oauth2/openapi.json"),
        ("ledger", "/audit/v1/openapi.json"),
    ],
)
def test_the_document_that_is_checked_in_is_served_through_the_gateway(
    platform: Platform, process: str, path: str
) -> None:
    answer = httpx.get(platform.gateway + path)
    assert answer.status_code == 200
    assert answer.json() == json.loads((ROOT / openapi.FOLDER / f"{process}.json").read_text())
