"""An operation is found by its OpenAPI path template."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.gateway.operations import OperationRoute, OperationTree, SegmentShape
from tests.support.growth import grows_at_most


def tree(*templates: str) -> OperationTree:
    return OperationTree(OperationRoute(template, "GET", template) for template in templates)


def found(operations: OperationTree, path: str) -> str | None:
    methods = operations.find([segment.encode() for segment in path[1:].split("/")])
    return methods["GET"].template if methods is not None else None


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/parcels", "/parcels"),
        ("/parcels/", None),
        ("/parcels/1", "/parcels/{id}"),
        ("/parcels/search", "/parcels/search"),
        ("/parcels/searching", "/parcels/{id}"),
        ("/parcels/7.json", "/parcels/{id}.json"),
        ("/parcels/.json", "/parcels/{id}"),
        ("/parcels/1/owners/2", "/parcels/{id}/owners/{n}"),
        ("/parcels/search/owners/2", "/parcels/{id}/owners/{n}"),
        ("/parcels/1/owners", None),
        ("/parcels//owners/2", None),
        ("/đất", "/đất"),
        ("/a:b", "/{x}:{y}"),
        ("/", "/"),
        ("/PARCELS", None),
    ],
)
def test_literals_beat_patterns_and_patterns_beat_parameters(path: str, template: str | None) -> None:
    operations = tree(
        *("/", "/parcels", "/parcels/{id}", "/parcels/search", "/parcels/{id}.json"),
        *("/parcels/{id}/owners/{n}", "/%C4%91%E1%BA%A5t", "/{x}:{y}"),
    )
    expected = "/%C4%91%E1%BA%A5t" if template == "/đất" else template
    assert found(operations, path) == expected


def test_the_methods_of_a_path_are_found_together() -> None:
    operations = OperationTree(
        [
            OperationRoute("a", "GET", "/x/{id}"),
            OperationRoute("b", "PUT", "/x/{other}"),
            OperationRoute("c", "GET", "/y"),
        ]
    )
    methods = operations.find([b"x", b"1"])
    assert methods is not None
    assert {method: operation.id for method, operation in methods.items()} == {
        "GET": "a",
        "HEAD": "a",
        "PUT": "b",
    }


GET, PUT = OperationRoute("get", "GET", "/x/{id}"), OperationRoute("put", "PUT", "/x/{id}")
HEAD, SAME = OperationRoute("head", "HEAD", "/x/{id}"), OperationRoute("same", "GET", "/x/{other}")


@pytest.mark.parametrize(
    ("declared", "head"),
    [
        ([GET], "get"),
        ([PUT], None),
        ([GET, HEAD], "head"),
        ([HEAD, GET], "head"),
        ([GET, SAME], "same"),
        ([GET, HEAD, SAME], "head"),
    ],
    ids=["get", "no get", "own", "own, first", "get of the last template", "own between two"],
)
def test_head_is_the_operation_of_get_unless_it_is_declared(
    declared: list[OperationRoute], head: str | None
) -> None:
    methods = OperationTree(declared).find([b"x", b"1"])
    assert methods is not None
    assert (methods["HEAD"].id if "HEAD" in methods else None) == head


SEGMENT = st.sampled_from(["a", "b", "{p}", "{q}", "c"])
TEMPLATES = st.sets(
    st.lists(SEGMENT, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=8
)
PATHS = st.lists(st.sampled_from(["a", "b", "c", "z"]), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(TEMPLATES, PATHS)
def test_what_is_found_is_the_most_literal_of_all_that_match(templates: set[str], path: str) -> None:
    matching = [
        template
        for template in templates
        if re.fullmatch(re.sub(r"\{.\}", "[^/]+", template), path) is not None
    ]
    result = found(tree(*templates), path)
    if not matching:
        assert result is None
        return

    def literalness(template: str) -> list[bool]:
        return [not segment.startswith("{") for segment in template.split("/")]

    assert result is not None
    assert result in matching
    assert literalness(result) == max(map(literalness, matching))


LITERALS = st.lists(st.text("ab.", max_size=3).map(str.encode), min_size=2, max_size=5)


@given(LITERALS, st.text("ab.", max_size=14).map(str.encode))
def test_a_shape_matches_what_its_regular_expression_does(literals: list[bytes], segment: bytes) -> None:
    expression = b".+".join(re.escape(literal) for literal in literals)
    expected = re.fullmatch(expression, segment, re.DOTALL) is not None
    assert SegmentShape(literals).matches(segment) == expected


async def test_matching_takes_time_that_grows_with_the_length_only() -> None:
    # Seven parameters and text between them that fits anywhere: no match, and the last place decides.
    shape = SegmentShape([b"", *[b"aa"] * 6, b"z"])

    def match(length: int) -> None:
        segment = b"a" * length + b"z"
        for _ in range(2_000):
            shape.matches(segment)
            shape.matches(segment[:-1])

    # Ten times as long: a backtracking match took a million times as long.
    assert await grows_at_most(match, 1_000, 10_000, times=100)
