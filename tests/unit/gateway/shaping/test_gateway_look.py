"""What processes beside the gateway say of bodies and parameters, whatever is in them."""

from __future__ import annotations

import pickle
import string

import pytest

from lienthong.gateway.body_checks import CheckMode
from lienthong.gateway.parameter_checks import (
    ParameterChecks,
    ParameterForm,
    Shape,
    Spelling,
    StatedParameters,
)
from lienthong.gateway.shaping import look as looks
from lienthong.gateway.shaping.look import look, look_at_packed
from lienthong.kit.field_paths import tree

HALF = b"\\ud800"
SCHEMAS = (
    "{}",
    '{"type":"object","required":["b"]}',
    '{"additionalProperties":false}',
    '{"properties":{"a":{"type":"string","pattern":"^a$"}}}',
    '{"properties":{"a":{"enum":["a"]}}}',
    '{"properties":{"a":{"const":"x"}}}',
    '{"properties":{"a":{"type":"integer"}}}',
)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize(
    ("document", "place"),
    [
        (b'{"a":"%b"}' % HALF, "/a"),
        (b'{"%b":1}' % HALF, ""),
        (b'{"%b":{"a":"%b"}}' % (HALF, HALF), ""),
        (b'{"a":1e999}', "/a"),
    ],
    ids=["text", "name", "both", "number"],
)
def test_what_others_could_not_take_as_it_is_fits_no_schema(document: bytes, place: str, schema: str) -> None:
    [flaw], _ = look(document, schema, None)
    assert (flaw.pointer, flaw.place) == (place, "")
    assert flaw.detail.encode()


def test_persons_of_such_a_document_are_found_all_the_same() -> None:
    [flaw], named = look(b'{"spouse":"079203001234","a":"%b"}' % HALF, "{}", tree(["spouse"]))
    assert (flaw.pointer, named) == ("/a", [b"079203001234"])


def test_what_the_engine_cannot_take_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("079203001234")

    monkeypatch.setattr(looks, "mismatches", fails)
    [flaw], _ = look(b"{}", "{}", None)
    assert flaw.detail == "cannot be checked against its schema"


def test_what_a_call_is_sent_with_does_not_grow_with_the_members_of_its_operation() -> None:
    """Forms are made ready once: an object for each of them at each call is what takes the gateway time."""
    members = {letters: Spelling(numbers=True) for letters in string.ascii_letters}
    forms = [
        ParameterForm("query", f"p{n}", False, Shape.BRACKETS, "", Spelling(), members) for n in range(64)
    ]
    checks = ParameterChecks(CheckMode.ENFORCE, "/", forms, "{}")
    assert isinstance(checks.packed, bytes)
    assert pickle.loads(checks.packed) == tuple(forms)  # noqa: S301 - just made
    [flaw] = look_at_packed(StatedParameters({}, b"p1[a]=1&p1[a]=2", {}), checks.packed, "{}")
    assert flaw.pointer == "/query/p1/a"
    kept = looks._forms(checks.packed)
    assert looks._forms(bytes(bytearray(checks.packed))) is kept
