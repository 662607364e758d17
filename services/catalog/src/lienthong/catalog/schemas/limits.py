"""How much may be used under an agreement: the part of a manifest that agreements and services share."""

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.answers import AnswerModel
from lienthong.catalog.schemas.fields import StrictModel
from lienthong.catalog.schemas.messages import pydantic_error

_Calls: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000_000)]
_Bytes: TypeAlias = Annotated[int, Field(ge=1, le=10**15)]


class LimitsSpec(StrictModel):
    """How much may be used under one agreement, counted over all gateways; what is left out has no limit."""

    per_second: Annotated[_Calls | None, Field(description="Calls in any second.")] = None
    per_minute: Annotated[_Calls | None, Field(description="Calls in any minute.")] = None
    per_day: Annotated[
        _Calls | None, Field(description="Calls from midnight to midnight, in the installation's time zone.")
    ] = None
    bytes_per_day: Annotated[
        _Bytes | None, Field(description="Bytes of bodies, of requests and answers, in such a day.")
    ] = None
    concurrent: Annotated[_Calls | None, Field(description="Calls under way at a time.")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise pydantic_error(
                InvalidValueError(
                    "sets no limit; name one, like 'perMinute: 600', or leave it out",
                    "không đặt hạn mức nào; hãy nêu một hạn mức, ví dụ 'perMinute: 600', hoặc bỏ đi",
                )
            )
        return self


class ServiceLimitsSpec(StrictModel):
    """What a service says of the limits of the agreements on it."""

    default: Annotated[
        LimitsSpec | None, Field(description="For each agreement that does not set the limit itself.")
    ] = None
    maximum: Annotated[
        LimitsSpec | None, Field(description="For each agreement: one that states more has this.")
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.default is None and self.maximum is None:
            raise pydantic_error(
                InvalidValueError(
                    "is empty; name 'default' or 'maximum', or leave it out",
                    "đang trống; hãy nêu 'default' hoặc 'maximum', hoặc bỏ đi",
                )
            )
        return self


class LimitsAnswer(AnswerModel):
    """How much may be used under one agreement, counted over all gateways."""

    per_second: int | None = None
    per_minute: int | None = None
    per_day: int | None = None
    bytes_per_day: int | None = None
    concurrent: int | None = None


class ServiceLimitsAnswer(AnswerModel):
    """What a service says of the limits of the agreements on it."""

    default: LimitsAnswer | None = None
    maximum: LimitsAnswer | None = None
