"""The reference lists the errors of the token endpoint; those of people stand in the list of problems."""

from __future__ import annotations

import re
from pathlib import Path

from lienthong.kit.problems import general, oauth, people
from lienthong.kit.problems.registry import declared_in
from tests.support.problems import kinds_raised_in

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "identity.md").read_text(encoding="utf-8")


def test_every_error_is_described_with_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| `([a-z_]+)` \|", REFERENCE, re.MULTILINE)
    described = {(code, int(status)) for statuses, code in rows for status in statuses.split(", ")}
    own = {(kind.code, kind.status) for kind in declared_in(oauth)}
    assert own <= described
    assert {code for code, _ in described} == {code for code, _ in own}
    elsewhere = {kind.code for area in (general, people) for kind in declared_in(area)}
    raised = {kind.code for kind in kinds_raised_in("services/identity")}
    assert raised - elsewhere == {code for code, _ in own}
