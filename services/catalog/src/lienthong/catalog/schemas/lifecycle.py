"""Where in its life a service is: a part of its manifest."""

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import model_validator

from lienthong.catalog.domain import validity
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.answers import AnswerModel
from lienthong.catalog.schemas.fields import PeriodEnd, PeriodStart, ProvidedRef, StrictModel, checked
from lienthong.catalog.schemas.messages import pydantic_error

Stage: TypeAlias = Literal["draft", "in-review", "published", "deprecated", "retired"]
# What may stand between < and > in a field of an answer (RFC 8288 section 3).
_LINK = re.compile(r"https?://[A-Za-z0-9.\[\]:-]{1,255}(/[A-Za-z0-9._~!$&'()*+,;=:@/%?#-]{0,499})?")


def page_address(text: str) -> str:
    """Return the address of a page for people.

    Raises:
        InvalidValueError: it could not stand in a field of an answer as it is.
    """
    if not _LINK.fullmatch(text):
        raise InvalidValueError(
            "write an address like 'https://example.vn/v2', at most 500 ASCII characters after the host",
            "hãy viết địa chỉ như 'https://example.vn/v2', không quá 500 ký tự ASCII sau tên máy chủ",
        )
    return text


class LifecycleSpec(StrictModel):
    """Where in its life a service is, and what comes after it."""

    stage: Stage
    deprecated_at: PeriodStart | None = None
    sunset_at: PeriodEnd | None = None
    successor: ProvidedRef | None = None
    link: Annotated[str, checked(page_address)] | None = None

    @model_validator(mode="after")
    def _of_the_stage(self) -> Self:
        stated = [
            name
            for name, value in (
                ("deprecatedAt", self.deprecated_at),
                ("sunsetAt", self.sunset_at),
                ("successor", self.successor),
                ("link", self.link),
            )
            if value is not None
        ]
        if stated and self.stage not in {"deprecated", "retired"}:
            raise pydantic_error(
                InvalidValueError(
                    f"'{stated[0]}' does not belong to the stage '{self.stage}'; leave it out",
                    f"'{stated[0]}' không thuộc giai đoạn '{self.stage}'; hãy bỏ đi",
                )
            )
        if self.stage == "deprecated" and self.deprecated_at is None:
            raise pydantic_error(
                InvalidValueError(
                    "'deprecatedAt' is missing: since when, or from when on, the service is deprecated",
                    "còn thiếu 'deprecatedAt': dịch vụ được báo sắp ngừng từ ngày nào",
                )
            )
        if self.deprecated_at is None or self.sunset_at is None:
            return self
        # RFC 9745 section 4.
        if validity.read(self.sunset_at) < validity.read(self.deprecated_at):
            raise pydantic_error(
                InvalidValueError(
                    "'sunsetAt' must not be earlier than 'deprecatedAt'",
                    "'sunsetAt' không được sớm hơn 'deprecatedAt'",
                )
            )
        return self


class LifecycleAnswer(AnswerModel):
    """Where in its life a service is, and what comes after it."""

    stage: Stage
    deprecated_at: str | None = None
    sunset_at: str | None = None
    successor: str | None = None
    link: str | None = None
