"""Pydantic's validation errors in English and Vietnamese: what is wrong and how to correct it.

Pydantic's own messages are English only. No text repeats the value that was sent: it may be personal data.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticCustomError

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

_BILINGUAL: Final = "invalid_value"

_TEXT: Final = BilingualText(
    "must be text; put it in quotes", "phải là chuỗi ký tự; hãy để trong dấu ngoặc kép"
)
_NUMBER: Final = BilingualText(
    "must be a whole number, without quotes", "phải là số nguyên, không có dấu ngoặc"
)
_BOOLEAN: Final = BilingualText(
    "must be true or false, without quotes", "phải là true hoặc false, không có dấu ngoặc"
)
_OBJECT: Final = BilingualText("must be an object with members", "phải là một đối tượng gồm các trường")
_CHOICE: Final = BilingualText("must be one of: {expected}", "phải là một trong: {expected}")
_DATE: Final = BilingualText(
    "must be a date like 2026-11-23", "phải là ngày theo dạng năm-tháng-ngày, ví dụ 2026-11-23"
)
_TIME: Final = BilingualText(
    "must be a time with its zone like 2026-11-23T06:30:00Z (RFC 3339)",
    "phải là thời điểm kèm múi giờ, ví dụ 2026-11-23T06:30:00Z (RFC 3339)",
)

TEMPLATES: Final[Mapping[str, BilingualText]] = MappingProxyType(
    {
        "missing": BilingualText("is missing; add it", "còn thiếu; hãy bổ sung"),
        "extra_forbidden": BilingualText("is not known here; remove it", "không hợp lệ ở đây; hãy bỏ đi"),
        "string_type": _TEXT,
        "string_too_short": BilingualText(
            "must have at least {min_length} characters", "phải có ít nhất {min_length} ký tự"
        ),
        "string_too_long": BilingualText(
            "must have at most {max_length} characters", "không được quá {max_length} ký tự"
        ),
        "string_pattern_mismatch": BilingualText(
            "must match the regular expression {pattern}", "phải khớp với biểu thức chính quy {pattern}"
        ),
        "int_type": _NUMBER,
        "int_parsing": BilingualText("must be a whole number", "phải là số nguyên"),
        "int_parsing_size": BilingualText("has too many digits", "có quá nhiều chữ số"),
        "int_from_float": BilingualText("must be a whole number", "phải là số nguyên"),
        "float_type": BilingualText("must be a number, without quotes", "phải là số, không có dấu ngoặc"),
        "float_parsing": BilingualText("must be a number", "phải là số"),
        "bool_type": _BOOLEAN,
        "bool_parsing": BilingualText("must be true or false", "phải là true hoặc false"),
        "date_type": _DATE,
        "date_parsing": _DATE,
        "date_from_datetime_parsing": _DATE,
        "datetime_type": _TIME,
        "datetime_parsing": _TIME,
        "datetime_from_date_parsing": _TIME,
        "timezone_aware": _TIME,
        "uuid_parsing": BilingualText("must be a UUID", "phải là một UUID"),
        "url_parsing": BilingualText("must be a URL", "phải là một URL"),
        "dict_type": _OBJECT,
        "model_type": _OBJECT,
        "model_attributes_type": _OBJECT,
        "list_type": BilingualText("must be a list", "phải là một danh sách"),
        "literal_error": _CHOICE,
        "enum": _CHOICE,
        "greater_than": BilingualText("must be greater than {gt}", "phải lớn hơn {gt}"),
        "greater_than_equal": BilingualText("must be at least {ge}", "phải từ {ge} trở lên"),
        "less_than": BilingualText("must be less than {lt}", "phải nhỏ hơn {lt}"),
        "less_than_equal": BilingualText("must be at most {le}", "không được quá {le}"),
        "multiple_of": BilingualText(
            "must be a multiple of {multiple_of}", "phải là bội số của {multiple_of}"
        ),
        "too_short": BilingualText("needs at least {min_length} entry", "cần ít nhất {min_length} mục"),
        "too_long": BilingualText("has more than {max_length} entries", "có hơn {max_length} mục"),
    }
)
"""The text for each type of error (pydantic's `type`), with the names of its context in braces."""


def bilingual_error(text: BilingualText) -> PydanticCustomError:
    """An error for a validator to raise; `error_text` gives back `text` in both languages."""
    return PydanticCustomError(_BILINGUAL, "{en}", {"en": text.en, "vi": text.vi})


def error_details(location: tuple[str | int, ...], text: BilingualText) -> dict[str, Any]:
    """An error with its text, in the form in which pydantic lists errors, found without pydantic."""
    return {
        "type": _BILINGUAL,
        "loc": location,
        "msg": text.en,
        "ctx": {"en": text.en, "vi": text.vi},
    }


def error_text(error: Mapping[str, Any]) -> BilingualText:
    """The text of one validation error, as pydantic's `ValidationError.errors()` lists it.

    An error of a type without a template keeps pydantic's English message; the Vietnamese text quotes it.
    """
    context: Mapping[str, Any] = error.get("ctx") or {}
    if error["type"] == _BILINGUAL:
        return BilingualText(context["en"], context["vi"])
    template = TEMPLATES.get(error["type"])
    if template is None:
        return BilingualText(error["msg"], f"giá trị không hợp lệ: {error['msg']}")
    values = {name: str(value).replace(" or ", ", ") for name, value in context.items()}
    return BilingualText(template.en.format_map(values), template.vi.format_map(values))
