"""What keeps a provider that fails or is slow from harming others: a part of a service's manifest."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.schemas.answers import AnswerModel
from lienthong.catalog.schemas.fields import OperationName, StrictModel, checked, unique
from lienthong.catalog.schemas.messages import pydantic_error

_CHECK_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/%?-]{0,499}")


def check_path(text: str) -> str:
    """Return the path of a health check, which may have a query.

    Raises:
        InvalidValueError: it could not stand in a request as it is.
    """
    if not _CHECK_PATH.fullmatch(text):
        raise InvalidValueError(
            "write a path like '/health': it begins with '/', has no '#', and at most 500 ASCII characters",
            "hãy viết đường dẫn như '/health': bắt đầu bằng '/', không quá 500 ký tự ASCII nhìn thấy được,"
            " không có '#'",
        )
    return text


def _sorted(names: list[str] | None) -> list[str] | None:
    return sorted(unique(names)) if names is not None else None


def _in_order(values: list[int]) -> list[int]:
    return sorted(set(values))


Statuses = Annotated[
    list[Annotated[int, Field(ge=200, le=599)]], Field(min_length=1, max_length=16), AfterValidator(_in_order)
]
Weights = Annotated[list[Annotated[int, Field(ge=1, le=100)]], Field(min_length=1, max_length=16)]


class BreakerSpec(StrictModel):
    """When an address of the service is left alone, and calls are refused while all are."""

    failures: Annotated[
        int, Field(ge=1, le=1000, description="Exchanges in a row that came to no answer.")
    ] = 5
    failure_percent: Annotated[
        int | None, Field(ge=1, le=100, description="Of the exchanges of the last seconds.")
    ] = None
    minimum_calls: Annotated[
        int, Field(ge=1, le=100_000, description="Exchanges from which on that share says something.")
    ] = 20
    window_s: Annotated[int, Field(ge=1, le=600, description="Which seconds the share is of.")] = 10
    open_s: Annotated[
        int, Field(ge=1, le=600, description="How long at first; twice as long each time, up to a minute.")
    ] = 1
    trials: Annotated[
        int, Field(ge=1, le=100, description="Calls at a time that try it then; as many have to succeed.")
    ] = 1
    statuses: Annotated[
        Statuses | None, Field(description="Statuses of answers that count as failures, such as 502.")
    ] = None


class BulkheadSpec(StrictModel):
    """How many calls of the service each process of a gateway forwards at a time."""

    calls: Annotated[int, Field(ge=1, le=100_000, description="Under way at a time.")]
    waiting: Annotated[int, Field(ge=0, le=100_000, description="How many more wait for a place.")] = 0
    wait_ms: Annotated[int, Field(ge=1, le=60_000, description="How long each of them waits.")] = 1000


class HealthCheckSpec(StrictModel):
    """How gateways ask by themselves whether an address is well: GET, without credentials."""

    path: Annotated[str, checked(check_path), Field(description="Behind the base address.")]
    interval_s: Annotated[int, Field(ge=1, le=3600, description="Seconds between two questions.")] = 10
    timeout_ms: Annotated[int, Field(ge=10, le=60_000, description="For connection and answer.")] = 2000
    statuses: Annotated[Statuses, Field(description="Statuses of answers that pass.")] = Field([200, 204])
    healthy_after: Annotated[int, Field(ge=1, le=20, description="Checks in a row that passed.")] = 2
    unhealthy_after: Annotated[int, Field(ge=1, le=20, description="Checks in a row that failed.")] = 3

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        if self.timeout_ms > self.interval_s * 1000:
            raise pydantic_error(
                InvalidValueError(
                    "'timeoutMs' is longer than 'intervalS': a check has to be over before the next begins",
                    "'timeoutMs' dài hơn 'intervalS': lần kiểm tra này phải xong trước lần kế tiếp",
                )
            )
        return self


class IdempotencySpec(StrictModel):
    """Whether answers are kept for those who ask again with the same `Idempotency-Key`."""

    operations: Annotated[
        list[OperationName] | None,
        Field(min_length=1, max_length=500, description="Those it is for; all whose methods are not safe."),
        AfterValidator(_sorted),
    ] = None
    required: Annotated[bool, Field(description="Whether calls of these have to carry a key.")] = False
    retain_s: Annotated[
        int, Field(ge=60, le=86_400, description="How long an answer is kept, in seconds.")
    ] = 86_400


class BreakerAnswer(AnswerModel):
    """When an address of the service is left alone, and calls are refused while all are."""

    failures: int
    failure_percent: int | None = None
    minimum_calls: int
    window_s: int
    open_s: int
    trials: int
    statuses: list[int] | None = None


class BulkheadAnswer(AnswerModel):
    """How many calls of the service each process of a gateway forwards at a time."""

    calls: int
    waiting: int
    wait_ms: int


class HealthCheckAnswer(AnswerModel):
    """How gateways ask by themselves whether an address is well."""

    path: str
    interval_s: int
    timeout_ms: int
    statuses: list[int]
    healthy_after: int
    unhealthy_after: int


class IdempotencyAnswer(AnswerModel):
    """Whether answers are kept for those who ask again with the same `Idempotency-Key`."""

    operations: list[str] | None = None
    required: bool
    retain_s: int
