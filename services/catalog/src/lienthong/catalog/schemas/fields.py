"""The types of the fields that several kinds of manifests have, and how to make others."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from lienthong.catalog.domain import identifiers, validity
from lienthong.catalog.domain.operation_names import operation_name
from lienthong.catalog.domain.plain_text import plain_text
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.messages import pydantic_error

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_MOST_MEMBERS = 64


PersonalData: TypeAlias = Annotated[
    bool,
    Field(
        description="Whether the data are about people, so that two people approve each agreement on them. "
        "Left out: they are where an operation of the agreement names a person (x-lgsp-person)."
    ),
]


def checked(check: Callable[[T], T]) -> AfterValidator:
    """Make a validator of a function that returns the canonical form or raises InvalidValueError."""

    def validate(value: T) -> T:
        try:
            return check(value)
        except InvalidValueError as reason:
            raise pydantic_error(reason) from None

    return AfterValidator(validate)


def text(limit: int, *, lines: bool = False) -> AfterValidator:
    """Make a validator of text for people, as `plain_text` has it."""

    def check(value: str) -> str:
        return plain_text(value, limit, lines=lines)

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
OperationName = Annotated[str, checked(operation_name)]
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
