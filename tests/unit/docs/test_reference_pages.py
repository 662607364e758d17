"""The reference pages name what the code has: problems with their status, variables, OpenAPI documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lienthong.kit.problems.registry import REGISTRY
from tests.documents.settings import SECTIONS

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference"
SERVED = {
    "catalog": "/catalog/v1/openapi.json",
    "identity": "/oauth2/openapi.json",
    "exchange": "/exchange/v1/openapi.json",
    "ledger": "/audit/v1/openapi.json",
    "gateway": "/openapi.json",
}
VARIABLE = re.compile(r"\bLIENTHONG_[A-Z][A-Z_]*[A-Z]\b")
COMMANDS_OWN = {"LIENTHONG_GATEWAY", "LIENTHONG_CREDENTIALS", "LIENTHONG_LANG"}
"""Variables of the `lienthong` command, which its own page describes."""


def rows(page: str) -> list[list[str]]:
    """The cells of every row of every table."""
    text = (REFERENCE / f"{page}.md").read_text("utf-8")
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def problems(page: str) -> list[tuple[str, str]]:
    """Status and code of every row that a page has on problems."""
    return [
        (row[0], code)
        for row in rows(page)
        if re.fullmatch(r"\d{3}(, \d{3})*", row[0])
        for code in re.findall(r"`([a-z_-]+)`", row[1])
    ]


def test_problems_of_the_ledger_have_the_status_of_the_registry() -> None:
    listed = problems("ledger")
    assert len(listed) > 3
    for status, code in listed:
        assert str(REGISTRY[code].status) == status, code


def test_errors_of_the_token_endpoint_have_statuses_that_it_documents() -> None:
    document = json.loads((REFERENCE / "openapi/identity.json").read_text("utf-8"))
    documented = set(document["paths"]["/oauth2/token"]["post"]["responses"])
    listed = {status for statuses, _ in problems("identity") for status in statuses.split(", ")}
    assert len(listed) > 3
    assert listed <= documented


@pytest.mark.parametrize(("page", "address"), SERVED.items())
def test_a_page_leads_to_its_openapi_document(page: str, address: str) -> None:
    text = (REFERENCE / f"{page}.md").read_text("utf-8")
    assert f"(openapi/{page}.json)" in text
    assert f"{address}`" in text


def test_variables_are_listed_on_the_page_of_settings_alone() -> None:
    for path in REFERENCE.glob("*.md"):
        if path.stem not in {"settings", "command"}:
            first = [row[0] for row in rows(path.stem)]
            assert not [cell for cell in first if re.fullmatch(r"`[A-Z]+(_[A-Z]+)+`", cell)], path


def test_every_variable_that_is_named_anywhere_exists() -> None:
    known = {f"LIENTHONG_{name.upper()}" for *_, settings in SECTIONS for name in settings.model_fields}
    pages = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("README*.md"), *ROOT.glob("examples/**/*.md")]
    assert len(pages) > 20
    for path in pages:
        named = set(VARIABLE.findall(path.read_text("utf-8")))
        assert named <= known | COMMANDS_OWN, path
