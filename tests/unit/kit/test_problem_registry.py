"""Every problem has one text, in the registry; every kind in the registry is raised by somebody."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.problems import oauth
from lienthong.kit.problems.registry import AREAS, REGISTRY, declared_in
from tests.support.problems import PACKAGES, ROOT, called, kinds_raised_in, sources

if TYPE_CHECKING:
    from lienthong.kit.problems.problem import ProblemType

KINDS = list(REGISTRY.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_kind_is_complete_in_both_languages(kind: ProblemType) -> None:
    assert re.fullmatch(r"[a-z]+([-_][a-z]+)*", kind.code)
    assert 400 <= kind.status <= 599
    for text in (kind.title, kind.advice):
        assert text.en.strip() == text.en != ""
        assert text.vi.strip() == text.vi != ""
        assert text.en != text.vi
    assert not kind.title.en.endswith(".")


def test_no_title_is_given_to_two_kinds() -> None:
    for titles in ([kind.title.en for kind in KINDS], [kind.title.vi for kind in KINDS]):
        assert len(titles) == len(set(titles))


def test_no_code_is_given_two_titles_or_two_advices() -> None:
    """A kind with other words is another kind: what a code means stands in the reference, once. What helps
    in one occurrence only is its `other_advice`.
    """
    words = {"code", "title", "advice"}
    reworded = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in sources(*PACKAGES, "console", "libs/relying")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) == "replace"
        if words & {keyword.arg for keyword in node.keywords}
    ]
    assert reworded == []


def test_codes_of_the_rfc_are_written_as_it_writes_them() -> None:
    assert {kind.code for kind in KINDS if "_" in kind.code} == {kind.code for kind in declared_in(oauth)}


def test_a_kind_is_declared_in_an_area_of_the_registry_and_nowhere_else() -> None:
    areas = {area.__file__ for area in AREAS}
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*PACKAGES)
        if str(path) not in areas
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) == "ProblemType"
    ]
    assert elsewhere == []


def test_every_kind_is_raised_and_every_kind_that_is_raised_is_registered() -> None:
    raised = {kind.code for kind in kinds_raised_in(*PACKAGES)}
    assert sorted(REGISTRY.keys() - raised) == []
    assert sorted(raised - REGISTRY.keys()) == []


def test_every_function_that_makes_a_problem_is_used() -> None:
    """A kind that only an unused function names would count as raised."""
    for package in PACKAGES:
        trees = dict(sources(package))
        made = {
            function.name: path
            for path, tree in trees.items()
            if path.name in {"errors.py", "problems.py", "callers.py", "load.py", "not_in_force.py"}
            for function in tree.body
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        }
        everywhere = trees if package != "libs/kit" else dict(sources(*PACKAGES))
        used = {
            name
            for path, tree in everywhere.items()
            for node in ast.walk(tree)
            for name in [getattr(node, "attr", None) or getattr(node, "id", None)]
            if name is not None
        }
        assert sorted(made.keys() - used) == [], package


def test_codes_that_the_sources_compare_with_exist() -> None:
    """`problem.code == "provider-unreachable"` must not outlive a code of that name."""
    known = set(REGISTRY)
    for path, tree in sources(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and getattr(node.left, "attr", None) == "code":
                compared = {
                    leaf.value
                    for leaf in ast.walk(node)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                }
                assert compared <= known, f"{path.relative_to(ROOT)}:{node.lineno}"
