"""The shapes of mergers at the REST door."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from lienthong.catalog.schemas.fields import AgencyCode, PeriodStart, StrictModel, unique

MOST_AT_ONCE = 50


class MergerRequest(StrictModel):
    """Which agencies end, which one takes over what they have, and since when."""

    agencies: Annotated[
        list[AgencyCode],
        Field(min_length=1, max_length=MOST_AT_ONCE, description="The codes that end."),
        AfterValidator(unique),
    ]
    into: Annotated[AgencyCode, Field(description="The agency that goes on.")]
    on: Annotated[
        PeriodStart,
        Field(description="Since when: a day in Vietnam, or an instant. The codes end at its beginning."),
    ]


class ClosedAgency(BaseModel):
    """An agency that ends."""

    id: str
    action: Annotated[
        Literal["merged", "unchanged"], Field(description="`unchanged` where it was merged so before.")
    ]


class MovedIds(BaseModel):
    """What goes over to the other agency; ids stay."""

    agencies: Annotated[list[str], Field(description="Those right below, which come below the other one.")]
    systems: list[str]
    services: list[str]
    event_types: list[str]
    agreements: Annotated[list[str], Field(description="Of systems that go over, on either side.")]


class MergerAnswer(BaseModel):
    """What a merger did, or in a dry run would do."""

    dry_run: bool
    version: Annotated[int, Field(description="The catalog's version afterwards.", ge=0)]
    into: str
    on: AwareDatetime
    agencies: list[ClosedAgency]
    moved: MovedIds
