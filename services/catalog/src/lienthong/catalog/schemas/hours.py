"""When calls may begin under an agreement: a part of its manifest."""

import re
from typing import Annotated, Final, Literal, Self, TypeAlias, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.fields import StrictModel, checked, matching, unique
from lienthong.catalog.schemas.messages import pydantic_error

VIETNAM: Final = "Asia/Ho_Chi_Minh"
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[str, ...]] = get_args(Day)


def _zone(name: str) -> str:
    if name == VIETNAM:
        return name
    try:
        if _ZONE.fullmatch(name):
            ZoneInfo(name).utcoffset(None)
            return name
    except (OSError, ValueError, KeyError):
        pass
    raise InvalidValueError(
        f"names no time zone of the IANA database, like '{VIETNAM}'",
        f"không phải tên múi giờ theo IANA, ví dụ '{VIETNAM}'",
    )


def _in_one_order(days: list[str]) -> list[str]:
    return sorted(days, key=DAYS.index)


_Time: TypeAlias = Annotated[
    str,
    matching(
        re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00"),
        "a time of day is written in quotes, from '00:00' to '24:00', like '07:30'",
        "thời điểm trong ngày viết trong dấu nháy, từ '00:00' đến '24:00', ví dụ '07:30'",
    ),
]


class OpenHoursSpec(StrictModel):
    """A part of some days."""

    days: Annotated[
        list[Day], Field(min_length=1, max_length=7), AfterValidator(unique), AfterValidator(_in_one_order)
    ]
    from_: Annotated[_Time, Field(alias="from", description="The first minute, like `07:00`.")]
    to: Annotated[_Time, Field(description="The first minute that does not belong to it, up to `24:00`.")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ >= self.to:
            raise pydantic_error(
                InvalidValueError(
                    f"ends at {self.to}, before it has begun at {self.from_}; hours through midnight are two"
                    " entries, up to '24:00' and from '00:00'",
                    f"kết thúc lúc {self.to}, trước khi bắt đầu lúc {self.from_}; giờ qua nửa đêm phải tách"
                    " thành hai mục, đến '24:00' và từ '00:00'",
                )
            )
        return self


class HoursSpec(StrictModel):
    """The times of the week at which calls may begin."""

    time_zone: Annotated[str, checked(_zone), Field(description="An IANA name.")] = VIETNAM
    open: Annotated[list[OpenHoursSpec], Field(min_length=1, max_length=21)]
