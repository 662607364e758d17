"""Pydantic's validation errors in English and Vietnamese: what is wrong and how to correct it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic_core import ErrorDetails

    from lienthong.catalog.errors import InvalidValueError

_OWN = "invalid_value"

_TEXT = BilingualText("must be text; put it in quotes", "phải là chuỗi ký tự; hãy để trong dấu ngoặc kép")
_NUMBER = BilingualText("must be a whole number, without quotes", "phải là số nguyên, không có dấu ngoặc")
_BOOLEAN = BilingualText(
    "must be true or false, without quotes", "phải là true hoặc false, không có dấu ngoặc"
)
_OBJECT = BilingualText("must be an object with members", "phải là một đối tượng gồm các trường")
_LIST = BilingualText("must be a list", "phải là một danh sách")

_TEMPLATES: dict[str, BilingualText] = {
    "missing": BilingualText("is missing; add it", "còn thiếu; hãy bổ sung"),
    "string_type": _TEXT,
    "int_type": _NUMBER,
    "bool_type": _BOOLEAN,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "list_type": _LIST,
    "literal_error": BilingualText("must be one of: {expected}", "phải là một trong: {expected}"),
    "enum": BilingualText("must be one of: {expected}", "phải là một trong: {expected}"),
    "greater_than_equal": BilingualText("must be at least {ge}", "phải từ {ge} trở lên"),
    "less_than_equal": BilingualText("must be at most {le}", "không được quá {le}"),
    "too_short": BilingualText("needs at least {min_length} entry", "cần ít nhất {min_length} mục"),
    "too_long": BilingualText("has more than {max_length} entries", "có hơn {max_length} mục"),
}


def pydantic_error(reason: InvalidValueError) -> PydanticCustomError:
    """Turn an error with both texts into one that Pydantic passes on with them."""
    return PydanticCustomError(_OWN, "{en}", {"en": reason.text.en, "vi": reason.text.vi})


def messages(
    error: ErrorDetails, known_members: Callable[[tuple[str | int, ...]], Collection[str]]
) -> BilingualText:
    """Return the text of one validation error.

    `known_members` returns the members that the object at a path may have, to suggest the nearest to an
    unknown one.
    """
    context: dict[str, Any] = error.get("ctx") or {}
    if error["type"] == _OWN:
        return BilingualText(context["en"], context["vi"])
    if error["type"] == "extra_forbidden":
        return _unknown_member(error["loc"], known_members(error["loc"][:-1]))
    other = BilingualText(error["msg"], "giá trị không hợp lệ: " + error["msg"])
    template = _TEMPLATES.get(error["type"], other)
    values = {name: _expected(value) for name, value in context.items()}
    return BilingualText(template.en.format_map(values), template.vi.format_map(values))


def _unknown_member(path: tuple[str | int, ...], known: Collection[str]) -> BilingualText:
    name = str(path[-1])[:60]
    bare = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.replace("_", "").lower(), list(bare), n=1, cutoff=0.7)
    if near:
        meant = bare[near[0]]
        return BilingualText(
            f"'{name}' is not known here; did you mean '{meant}'?",
            f"không có trường '{name}'; có phải ý bạn là '{meant}'?",
        )
    listed = ", ".join(sorted(known))
    return BilingualText(
        f"'{name}' is not known here; known are: {listed}",
        f"không có trường '{name}'; các trường hợp lệ: {listed}",
    )


def _expected(value: object) -> str:
    return str(value).replace(" or ", ", ")
