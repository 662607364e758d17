"""What the documents name exists: links, tests, decisions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "deploy/**/*.md")
    for page in ROOT.glob(pattern)
)
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_STATUS = re.compile(r"^Status: (accepted|accepted; .+|replaced by .+) · Date: \d{4}-\d{2}-\d{2}$")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosting pages make them."""
    headings = (re.sub(r"[`*]", "", found) for found in _HEADING.findall(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: no heading gives this anchor"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    for path, function in _TEST.findall(page.read_text()):
        tree = ast.parse((ROOT / path).read_text())
        functions = {
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert function in functions, f"{path} has no {function}"


def test_every_promise_names_a_test() -> None:
    promises = re.findall(r"^\d+\. .+?(?=^\d+\. |^## )", _section("Promises"), re.MULTILINE | re.DOTALL)
    assert len(promises) >= 8
    for promise in promises:
        assert _TEST.search(promise), promise


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_every_decision_has_a_status_and_a_date_and_stands_in_the_list(decision: Path) -> None:
    title, empty, status = decision.read_text().split("\n")[:3]
    assert re.fullmatch(rf"# {decision.name[:4]} .+", title)
    assert not empty
    assert _STATUS.fullmatch(status), "the third line is: Status: accepted · Date: 2026-11-28"
    assert f"]({decision.name})" in (ROOT / "docs" / "adr" / "README.md").read_text()


@pytest.mark.parametrize("package", ["kit", "tlog", "client", "gateway", "local"])
def test_the_map_names_every_module(package: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    [folder] = (
        (found for found in ROOT.glob(f"*/src/lienthong/{package}"))
        if package == "gateway"
        else (ROOT.glob(f"*/*/src/lienthong/{package}"))
    )
    names = {
        f"{entry.stem}/" if entry.is_dir() else entry.stem
        for entry in folder.iterdir()
        if (entry.is_dir() or entry.suffix == ".py") and not entry.name.startswith("__")
    }
    assert names, folder
    assert {name for name in names if f"`{name}`" not in text} == set()


def _section(name: str) -> str:
    text = (ROOT / "docs" / "architecture.md").read_text()
    return text[text.index(f"## {name}") : text.index("## Deliberately")] + "## "
