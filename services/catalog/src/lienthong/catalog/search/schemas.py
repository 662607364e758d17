"""The shapes of what was found."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

SearchedKind = Literal["Agency", "System", "Service", "EventType"]


class FoundName(BaseModel):
    """A name in both languages."""

    vi: str
    en: str | None = None


class FoundAgency(BaseModel):
    """An agency, by its code; the name is null where the catalog does not have the agency."""

    code: str
    name: FoundName | None


class FoundOperation(BaseModel):
    """An operation of a service in which words were found."""

    id: str
    summary: str


class Highlight(BaseModel):
    """Where in a text of an entry the words are."""

    pointer: Annotated[str, Field(description="A JSON pointer (RFC 6901) to the text, from the entry.")]
    ranges: Annotated[
        list[list[int]],
        Field(description="Of each word its first character and the one after its last, in code points."),
    ]


class FoundEntry(BaseModel):
    """Something that was found; its kind and id say what."""

    kind: SearchedKind
    id: str
    agency: FoundAgency
    name: FoundName
    description: Annotated[
        str, Field(description="The part of its descriptions with the words; may be empty.")
    ]
    operations: Annotated[list[FoundOperation], Field(description="Those with words in them, at most three.")]
    highlights: list[Highlight]


class KindFacet(BaseModel):
    """How many were found of a kind."""

    kind: SearchedKind
    count: int


class AgencyFacet(BaseModel):
    """How many were found of an agency."""

    agency: FoundAgency
    count: int


class Facets(BaseModel):
    """How many were found of what. Each is counted without regard to the filter by itself."""

    kinds: list[KindFacet]
    agencies: Annotated[list[AgencyFacet], Field(description="Those with the most, at most fifty.")]


class FoundPage(BaseModel):
    """What was found, the best first."""

    items: list[FoundEntry]
    total: Annotated[int, Field(description="How many were found, on all pages.")]
    facets: Facets
    next: Annotated[str | None, Field(description="The cursor of the next page; null at the end.")]
