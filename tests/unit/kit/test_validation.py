"""Pydantic's validation errors have a text in both languages, and never repeat what was sent."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core.core_schema import ErrorType

from lienthong.kit.text import BilingualText
from lienthong.kit.validation import TEMPLATES, bilingual_error, error_text


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


def _refuse(value: str) -> str:
    raise bilingual_error(BilingualText("is {refused}", "bị {từ chối}")) from None


CASES: list[tuple[Any, object, str, str]] = [
    (Closed, {}, "is missing; add it", "còn thiếu; hãy bổ sung"),
    (Closed, {"name": "x", "other": 1}, "is not known here; remove it", "không hợp lệ ở đây; hãy bỏ đi"),
    (int, "ten", "must be a whole number", "phải là số nguyên"),
    (int, 1.5, "must be a whole number", "phải là số nguyên"),
    (float, "ten", "must be a number", "phải là số"),
    (bool, "ja", "must be true or false", "phải là true hoặc false"),
    (date, "x", "must be a date like 2026-11-23", "phải là ngày theo dạng năm-tháng-ngày, ví dụ 2026-11-23"),
    (
        AwareDatetime,
        "2026-11-23T06:30:00",
        "must be a time with its zone like 2026-11-23T06:30:00Z (RFC 3339)",
        "phải là thời điểm kèm múi giờ, ví dụ 2026-11-23T06:30:00Z (RFC 3339)",
    ),
    (Annotated[int, Field(gt=3)], 3, "must be greater than 3", "phải lớn hơn 3"),
    (Annotated[int, Field(ge=3)], 2, "must be at least 3", "phải từ 3 trở lên"),
    (Annotated[int, Field(lt=3)], 3, "must be less than 3", "phải nhỏ hơn 3"),
    (Annotated[int, Field(le=3)], 4, "must be at most 3", "không được quá 3"),
    (
        Annotated[str, StringConstraints(min_length=2)],
        "x",
        "must have at least 2 characters",
        "phải có ít nhất 2 ký tự",
    ),
    (
        Annotated[str, StringConstraints(max_length=2)],
        "xyz",
        "must have at most 2 characters",
        "không được quá 2 ký tự",
    ),
    (
        Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")],
        "xyz",
        "must match the regular expression ^[0-9]{12}$",
        "phải khớp với biểu thức chính quy ^[0-9]{12}$",
    ),
    (Literal["a", "b"], "c", "must be one of: 'a', 'b'", "phải là một trong: 'a', 'b'"),
    (Colour, "green", "must be one of: 'red', 'blue'", "phải là một trong: 'red', 'blue'"),
    (
        Annotated[list[int], Field(min_length=1)],
        [],
        "needs at least 1 entry",
        "cần ít nhất 1 mục",
    ),
    (Annotated[str, AfterValidator(_refuse)], "x", "is {refused}", "bị {từ chối}"),
]


def _text(shape: Any, value: object) -> BilingualText:  # noqa: ANN401 - any type form
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(shape).validate_python(value)
    [error] = caught.value.errors()
    return error_text(error)


@pytest.mark.parametrize(("shape", "value", "en", "vi"), CASES, ids=[en for _, _, en, _ in CASES])
def test_an_error_has_its_text_in_both_languages(shape: object, value: object, en: str, vi: str) -> None:
    assert _text(shape, value) == BilingualText(en, vi)


def test_an_error_without_a_template_keeps_the_message_of_pydantic_even_with_braces() -> None:
    def refuse(value: str) -> str:
        raise ValueError("no {braces} here")

    assert _text(Annotated[str, AfterValidator(refuse)], "x") == BilingualText(
        "Value error, no {braces} here", "giá trị không hợp lệ: Value error, no {braces} here"
    )


def test_every_template_is_of_an_error_that_pydantic_has() -> None:
    assert set(TEMPLATES) <= set(get_args(ErrorType))
