"""The parameters of questions about use, and the answer."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lienthong.ledger.schemas import Moment
from lienthong.ledger.usage.domain import DIMENSIONS, Dimension

DEFAULT_GROUPS = 100
MOST_GROUPS = 1_000


def _listed(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the query
    """Names that are separated by commas, or come several times, as one list."""
    if not isinstance(value, list):
        return value
    return [name.strip() for text in value for name in str(text).split(",")]


class UsageParameters(BaseModel):
    """Which calls are counted, and by what; an unknown parameter is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Moment | None = Field(
        None, alias="from", description="The beginning, by default a week before the end; its whole hour."
    )
    until: Moment | None = Field(
        None, alias="to", description="The end, by default now; at most 92 days after the beginning."
    )
    by: Annotated[list[Dimension], BeforeValidator(_listed)] = Field(
        ["consumer", "service", "operation", "purpose", "status"],
        min_length=1,
        max_length=len(DIMENSIONS),
        description="What calls are grouped by, with commas between.",
    )
    agency: str | None = Field(None, min_length=1, max_length=255, description="An agency on either side.")
    consumer: str | None = Field(None, min_length=1, max_length=255, description="The system that called.")
    consumer_agency: str | None = Field(None, min_length=1, max_length=255, description="The agency of it.")
    service: str | None = Field(None, min_length=1, max_length=255, description="The service called.")
    provider: str | None = Field(
        None, min_length=1, max_length=255, description="The agency whose service was called."
    )
    operation: str | None = Field(None, min_length=1, max_length=255, description="The operation called.")
    purpose: str | None = Field(None, min_length=1, max_length=255, description="The purpose of the calls.")
    status: int | None = Field(
        None, ge=0, le=5, description="The first digit of the status; 0 are calls without an answer."
    )
    error: str | None = Field(None, min_length=1, max_length=255, description="The code of the problem.")
    limit: int = Field(DEFAULT_GROUPS, ge=1, le=MOST_GROUPS, description="So many groups, the largest.")


class GroupDocument(msgspec.Struct, frozen=True):
    """A group: the values of what was asked for, null where records say nothing, and its calls.

    `status` is `2xx` and the like, null for calls that had no answer. `refused` are calls answered with 4xx,
    `failed` those answered with 5xx.
    """

    calls: int
    refused: int
    failed: int
    consumer: str | msgspec.UnsetType | None = msgspec.UNSET
    consumer_agency: str | msgspec.UnsetType | None = msgspec.UNSET
    service: str | msgspec.UnsetType | None = msgspec.UNSET
    provider: str | msgspec.UnsetType | None = msgspec.UNSET
    operation: str | msgspec.UnsetType | None = msgspec.UNSET
    purpose: str | msgspec.UnsetType | None = msgspec.UNSET
    status: str | msgspec.UnsetType | None = msgspec.UNSET
    error: str | msgspec.UnsetType | None = msgspec.UNSET


class TotalDocument(msgspec.Struct, frozen=True):
    """Calls of several groups together."""

    groups: int
    calls: int
    refused: int
    failed: int


class UsageDocument(msgspec.Struct, frozen=True):
    """How many calls there were from the beginning of an hour to the beginning of another.

    `groups` are the largest, `other` the rest of them together, `total` all. Of the `entries` of the log the
    first `counted` are in it.
    """

    from_: str = msgspec.field(name="from")
    to: str
    by: list[str]
    groups: list[GroupDocument]
    other: TotalDocument
    total: TotalDocument
    counted: int
    entries: int
