"""The types of single fields."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from lienthong.catalog import identifiers, upstreams, validity
from lienthong.catalog.mistakes import ValueRefusedError
from lienthong.catalog.schemas.wording import custom

if TYPE_CHECKING:
    from collections.abc import Callable

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OPERATION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_EMAIL_MAX = 254


def checked(check: Callable[[str], str]) -> AfterValidator:
    """Make a validator of a function that returns the canonical form or raises a refusal."""

    def validate(text: str) -> str:
        try:
            return check(text)
        except ValueRefusedError as refusal:
            raise custom(refusal) from None

    return AfterValidator(validate)


def text(limit: int, *, lines: bool = False) -> AfterValidator:
    """Make a validator of human text: trimmed, composed (NFC), not empty, without control characters."""

    def check(value: str) -> str:
        value = unicodedata.normalize("NFC", value).strip()
        if not value:
            raise ValueRefusedError("must not be empty", "không được để trống")
        if len(value) > limit:
            raise ValueRefusedError(
                f"longer than {limit} characters; shorten it", f"dài hơn {limit} ký tự; hãy rút gọn"
            )
        if any(
            unicodedata.category(letter) in {"Cc", "Cs"} and not (lines and letter in "\n\t")
            for letter in value
        ):
            raise ValueRefusedError(
                "holds control characters or line breaks; remove them",
                "có ký tự điều khiển hoặc xuống dòng; hãy bỏ đi",
            )
        return value

    return checked(check)


def _matching(pattern: re.Pattern[str], en: str, vi: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueRefusedError(en, vi)
        return value

    return checked(check)


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value) or len(value) > _EMAIL_MAX:
        raise ValueRefusedError(
            "write an address like 'land@example.vn'", "hãy viết địa chỉ thư như 'land@example.vn'"
        )
    return value


def unique(values: list[str]) -> list[str]:
    """Refuse a list that names something twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise custom(
            ValueRefusedError(
                f"'{twice[0]}' stands here twice; keep one", f"'{twice[0]}' xuất hiện hai lần; chỉ giữ một"
            )
        )
    return values


Line = Annotated[str, text(200)]
Paragraph = Annotated[str, text(2000, lines=True)]
AgencyCode = Annotated[str, checked(identifiers.agency_code)]
SystemRef = Annotated[str, checked(lambda value: str(identifiers.SystemId.parse(value)))]
OfferRef = Annotated[str, checked(lambda value: str(identifiers.OfferId.parse(value)))]
Upstream = Annotated[str, checked(upstreams.upstream)]
Email = Annotated[str, checked(_email)]
Since = Annotated[str, checked(lambda value: validity.instant(value, end=False))]
Until = Annotated[str, checked(lambda value: validity.instant(value, end=True))]
Purpose = Annotated[
    str,
    _matching(
        _CODE,
        "a purpose is a code of 1 to 64 letters, digits, '.', '_' and '-', like 'land-registration'",
        "mục đích là mã từ 1 đến 64 chữ cái không dấu, chữ số, '.', '_' và '-', ví dụ 'land-registration'",
    ),
]
OperationId = Annotated[
    str,
    _matching(
        _OPERATION,
        "an operation is named by its operationId, like 'getParcel'",
        "thao tác được gọi bằng operationId, ví dụ 'getParcel'",
    ),
]


class Part(BaseModel):
    """An object of a manifest: members in camelCase, unknown ones refused, nothing converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class Name(Part):
    """A short text in both languages."""

    vi: Line
    en: Line


class Description(Part):
    """A longer text in both languages."""

    vi: Paragraph
    en: Paragraph


Purposes = Annotated[list[Purpose], Field(min_length=1, max_length=50), AfterValidator(unique)]
Operations = Annotated[list[OperationId], Field(max_length=500), AfterValidator(unique)]
Upstreams = Annotated[list[Upstream], Field(min_length=1, max_length=16), AfterValidator(unique)]
