"""Text for people: what comes in is bounded before it is worked on, and holds nothing that no one sees."""

from __future__ import annotations

import time
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from lienthong.catalog.schemas.fields import LocalizedName, LongText, ShortText

SHORT, LONG = TypeAdapter[str](ShortText), TypeAdapter[str](LongText)


def reason(value: str, shape: TypeAdapter[str] = SHORT) -> str:
    with pytest.raises(ValidationError) as refused:
        shape.validate_python(value)
    [error] = refused.value.errors()
    assert error["ctx"]["vi"] != error["ctx"]["en"]
    return str(error["ctx"]["en"])


@pytest.mark.parametrize(
    "value",
    [
        "Sở Tài nguyên và Môi trường",
        "Ủy ban nhân dân xã Ế Tân",
        "Điều 12, Luật Đất đai 2024 – khoản 3",
        "☎ 1022",
    ],
)
def test_vietnamese_is_taken_composed_and_decomposed(value: str) -> None:
    assert SHORT.validate_python(value) == value
    assert SHORT.validate_python(unicodedata.normalize("NFD", value)) == value


def test_text_is_as_long_as_its_letters_however_they_come() -> None:
    assert SHORT.validate_python(unicodedata.normalize("NFD", "ế" * 200)) == "ế" * 200
    assert "longer than 200" in reason(unicodedata.normalize("NFD", "ế" * 201))


@pytest.mark.parametrize(
    "unseen",
    [
        *("\u202e", "\u202d", "\u2066", "\u2069", "\u200e", "\u061c"),  # turn the direction of writing
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\U000e0041"),  # have no width
        *("\u034f", "\ufe0f", "\u3164", "\u115f", "\u2800"),
        *("\ue000", "\u0378"),  # mean something in no or another place
    ],
)
def test_what_no_one_sees_is_refused(unseen: str) -> None:
    assert f"U+{ord(unseen):04X}" in reason(f"Căn cứ{unseen} pháp lý")
    assert f"U+{ord(unseen):04X}" in reason(f"Căn cứ{unseen} pháp lý", LONG)


@pytest.mark.parametrize("control", ["\x00", "\x1b", "\x85", "\ud800", "\u2028", "\u2029", "\n", "\t"])
def test_control_characters_are_refused(control: str) -> None:
    assert "control characters" in reason(f"a{control}b")


def test_longer_text_may_have_lines() -> None:
    assert LONG.validate_python("a\n\tb") == "a\n\tb"
    assert "control characters" in reason("a\rb", LONG)


def test_text_that_is_too_long_is_refused_before_it_is_brought_into_one_form() -> None:
    # Marks in the wrong order: to order them takes time that grows with the square of their number.
    huge = "a" + "\u0301" * 500_000 + "\u0323" * 500_000
    started = time.process_time()
    assert "longer than 200" in reason(huge)
    assert "30 marks" in reason(huge[499_900:500_200])
    assert "30 marks" in reason("a" + "\u0301" * 3_000 + "\u0323" * 3_000, LONG)
    assert time.process_time() - started < 1


def test_an_object_with_very_many_members_is_one_mistake() -> None:
    with pytest.raises(ValidationError) as refused:
        LocalizedName.model_validate({f"m{number}": 1 for number in range(100_000)})
    assert refused.value.error_count() == 1
    assert "100000 members" in refused.value.errors()[0]["msg"]
