"""The types of the fields that several kinds of manifests have, and how to make others."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lienthong.catalog.domain import identifiers, validity
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.messages import pydantic_error

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MOST_MEMBERS = 64
_LETTER = 4
"""Characters that one letter may come as."""
_MOST_MARKS = 30
"""On one letter, as in the stream-safe text format (Unicode Standard Annex 15, section 13)."""
# Characters without a shape that are not of the category Cf (Default_Ignorable_Code_Point), and blanks of
# which each looks like none or like another.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def checked(check: Callable[[T], T]) -> AfterValidator:
    """Make a validator of a function that returns the canonical form or raises InvalidValueError."""

    def validate(value: T) -> T:
        try:
            return check(value)
        except InvalidValueError as reason:
            raise pydantic_error(reason) from None

    return AfterValidator(validate)


def text(limit: int, *, lines: bool = False) -> AfterValidator:
    """Make a validator of text for people: trimmed, in Unicode NFC, not empty, and nothing in it unseen.

    `lines` allows line breaks and tabs. Other control characters are refused, and so are characters that no
    one sees: they make two names look the same, or, as those that turn the direction of writing (Unicode
    Technical Report 36, section 2.10.2), show one text while another is stored. Vietnamese needs none.
    """

    def check(value: str) -> str:
        # Before anything else is done with it: NFC makes a letter of at most three characters.
        if len(value) > _LETTER * limit:
            raise _too_long(limit)
        # Bringing marks in order takes time that grows with the square of their number.
        if _most_marks(value) > _MOST_MARKS:
            raise InvalidValueError(
                f"a letter has more than {_MOST_MARKS} marks; remove them",
                f"một chữ cái có hơn {_MOST_MARKS} dấu; hãy bỏ bớt",
            )
        value = unicodedata.normalize("NFC", value).strip()
        if not value:
            raise InvalidValueError("must not be empty", "không được để trống")
        if len(value) > limit:
            raise _too_long(limit)
        _check_seen(value, "\n\t" if lines else "")
        return value

    return checked(check)


def _too_long(limit: int) -> InvalidValueError:
    return InvalidValueError(
        f"longer than {limit} characters; shorten it", f"dài hơn {limit} ký tự; hãy rút gọn"
    )


def _most_marks(value: str) -> int:
    marks = (unicodedata.combining(letter) != 0 for letter in value)
    return max((sum(1 for _ in run) for is_mark, run in groupby(marks) if is_mark), default=0)


def _check_seen(value: str, allowed: str) -> None:
    for letter in value:
        category = unicodedata.category(letter)
        if category in {"Cc", "Cs", "Zl", "Zp"} and letter not in allowed:
            raise InvalidValueError(
                "holds control characters or line breaks; remove them",
                "có ký tự điều khiển hoặc xuống dòng; hãy bỏ đi",
            )
        if category in {"Cf", "Cn", "Co"} or _UNSEEN.match(letter):
            raise InvalidValueError(
                f"holds a character that is not seen (U+{ord(letter):04X}); remove it, or type the text anew",
                f"có ký tự không nhìn thấy được (U+{ord(letter):04X}); hãy bỏ đi hoặc gõ lại",
            )


def matching(pattern: re.Pattern[str], en: str, vi: str) -> AfterValidator:
    """Make a validator of text that matches a pattern as a whole; the texts say what it should look like."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise InvalidValueError(en, vi)
        return value

    return checked(check)


def unique(values: list[str]) -> list[str]:
    """Return the list; refuse one that has a value twice."""
    twice = sorted(value for value, count in Counter(values).items() if count > 1)
    if twice:
        raise pydantic_error(
            InvalidValueError(
                f"'{twice[0]}' is listed twice; keep one", f"'{twice[0]}' được liệt kê hai lần; chỉ giữ một"
            )
        )
    return values


Statement: TypeAlias = Literal["purpose", "case", "user", "bound-token"]
"""What callers may state about a call, LGSP-Purpose, LGSP-Case-Id, LGSP-User, or show with it."""
_STATEMENTS: Final[tuple[str, ...]] = get_args(Statement)


def _in_one_order(statements: list[str]) -> list[str]:
    return sorted(statements, key=_STATEMENTS.index)


Requires = Annotated[
    list[Statement],
    Field(min_length=1, max_length=len(_STATEMENTS)),
    AfterValidator(unique),
    AfterValidator(_in_one_order),
]
"""What every call has to state; kept in one order, so that another order is no other spec."""
Purpose = Annotated[
    str,
    matching(
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        "a purpose is a code of 1 to 64 letters, digits, '.', '_' and '-', like 'land-registration'",
        "mục đích là mã từ 1 đến 64 chữ cái không dấu, chữ số, '.', '_' và '-', ví dụ 'land-registration'",
    ),
]
ShortText = Annotated[str, text(200)]
LongText = Annotated[str, text(2000, lines=True)]
AgencyCode = Annotated[str, checked(identifiers.agency_code)]
SystemRef = Annotated[str, checked(lambda value: str(identifiers.SystemId.parse(value)))]
ProvidedRef = Annotated[str, checked(lambda value: str(identifiers.ProvidedId.parse(value)))]
PeriodStart = Annotated[str, checked(lambda value: validity.instant(value, end=False))]
PeriodEnd = Annotated[str, checked(lambda value: validity.instant(value, end=True))]


class BoundedModel(BaseModel):
    """A JSON object: unknown members refused, values never converted to another type.

    One with very many members is refused as a whole: nobody reads what is wrong with each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _few_members(cls, value: object) -> object:
        if isinstance(value, dict) and len(value) > _MOST_MEMBERS:
            raise pydantic_error(
                InvalidValueError(
                    f"has {len(value)} members; no object here has more than {_MOST_MEMBERS}",
                    f"có {len(value)} trường; ở đây không có đối tượng nào quá {_MOST_MEMBERS} trường",
                )
            )
        return value


class StrictModel(BoundedModel):
    """A bounded object with members in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class LocalizedName(StrictModel):
    """A short text in Vietnamese and English."""

    vi: ShortText
    en: ShortText


class LocalizedDescription(StrictModel):
    """A longer text in Vietnamese and English."""

    vi: LongText
    en: LongText
