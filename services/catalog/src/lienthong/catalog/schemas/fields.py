"""The types of the fields that several kinds of manifests have, and how to make others."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from lienthong.catalog.domain import identifiers, validity
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.messages import pydantic_error

if TYPE_CHECKING:
    import re
    from collections.abc import Callable


def checked(check: Callable[[str], str]) -> AfterValidator:
    """Make a validator of a function that returns the canonical form or raises InvalidValueError."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except InvalidValueError as reason:
            raise pydantic_error(reason) from None

    return AfterValidator(validate)


def text(limit: int, *, lines: bool = False) -> AfterValidator:
    """Make a validator of text for people: trimmed, in Unicode NFC, not empty, without control characters.

    `lines` allows line breaks and tabs.
    """

    def check(value: str) -> str:
        value = unicodedata.normalize("NFC", value).strip()
        if not value:
            raise InvalidValueError("must not be empty", "không được để trống")
        if len(value) > limit:
            raise InvalidValueError(
                f"longer than {limit} characters; shorten it", f"dài hơn {limit} ký tự; hãy rút gọn"
            )
        if any(
            unicodedata.category(letter) in {"Cc", "Cs"} and not (lines and letter in "\n\t")
            for letter in value
        ):
            raise InvalidValueError(
                "holds control characters or line breaks; remove them",
                "có ký tự điều khiển hoặc xuống dòng; hãy bỏ đi",
            )
        return value

    return checked(check)


def matching(pattern: re.Pattern[str], en: str, vi: str) -> AfterValidator:
    """Make a validator of text that matches a pattern as a whole; the texts say what it should look like."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise InvalidValueError(en, vi)
        return value

    return checked(check)


def unique(values: list[str]) -> list[str]:
    """Return the list; refuse one that has a value twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise pydantic_error(
            InvalidValueError(
                f"'{twice[0]}' is listed twice; keep one", f"'{twice[0]}' được liệt kê hai lần; chỉ giữ một"
            )
        )
    return values


ShortText = Annotated[str, text(200)]
LongText = Annotated[str, text(2000, lines=True)]
AgencyCode = Annotated[str, checked(identifiers.agency_code)]
SystemRef = Annotated[str, checked(lambda value: str(identifiers.SystemId.parse(value)))]
ProvidedRef = Annotated[str, checked(lambda value: str(identifiers.ProvidedId.parse(value)))]
PeriodStart = Annotated[str, checked(lambda value: validity.instant(value, end=False))]
PeriodEnd = Annotated[str, checked(lambda value: validity.instant(value, end=True))]


class StrictModel(BaseModel):
    """A JSON object: members in camelCase, unknown ones refused, values never converted to another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class LocalizedName(StrictModel):
    """A short text in Vietnamese and English."""

    vi: ShortText
    en: ShortText


class LocalizedDescription(StrictModel):
    """A longer text in Vietnamese and English."""

    vi: LongText
    en: LongText
