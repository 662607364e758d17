"""Terms of an agreement on the command line: what can be written, and what is refused with an example."""

from __future__ import annotations

import pytest

from lienthong.client.commands import terms
from lienthong.client.errors import InputError

WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri 07:00-17:30", WEEK[:5]),
        ("sat,sun 07:00-17:30", WEEK[5:]),
        ("MON 07:00-17:30", ["mon"]),
        ("mon-wed,tue-thu 07:00-17:30", WEEK[:4]),
        ("fri-mon 07:00-17:30", ["fri", "sat", "sun", "mon"]),
        ("sun-sun  07:00-17:30", ["sun"]),
    ],
)
def test_hours_name_days_and_ranges_of_them(text: str, days: list[str]) -> None:
    assert terms.hours([text]) == {"open": [{"days": days, "from": "07:00", "to": "17:30"}]}


@pytest.mark.parametrize(
    "text",
    ["", "mon", "07:00-17:30", "mon-frei 07:00-17:30", "mon- 07:00", "mon-fri-sat 07:00-17:30", "mon, 7-17"],
)
def test_what_are_no_hours_is_told_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as raised:
        terms.hours([text])
    assert raised.value.title.en == f"--hours {text} cannot be read"
    assert raised.value.advice is not None
    assert "mon-fri 07:00-17:30" in raised.value.advice.vi


def test_fields_are_gathered_by_operation() -> None:
    given = ["getParcel=area", "*=$", "getParcel=owners[*].fullName", 'getParcel=["a=b"]']
    assert terms.fields(given) == {"getParcel": ["area", "owners[*].fullName", '["a=b"]'], "*": ["$"]}


@pytest.mark.parametrize("text", ["area", "=area", "getParcel="])
def test_a_field_needs_its_operation(text: str) -> None:
    with pytest.raises(InputError, match="field"):
        terms.fields([text])
