"""How well a service's document serves those who call by it, as it is shown."""

from typing import Annotated

from pydantic import BaseModel, Field


class RuleAnswer(BaseModel):
    """A rule: how many places it looked at, and in how many something is missing."""

    rule: str
    weight: int
    checked: int
    failed: int


class FindingAnswer(BaseModel):
    """A place where something is missing, and what to do."""

    rule: str
    pointer: Annotated[str, Field(description="A JSON pointer (RFC 6901) into the document.")]
    detail: str
    detail_vi: str


class QualityAnswer(BaseModel):
    """The quality of a service's OpenAPI document."""

    score: Annotated[int, Field(description="What is in order, of a hundred.", ge=0, le=100)]
    rules: list[RuleAnswer]
    findings: Annotated[list[FindingAnswer], Field(description="The first hundred.")]
    more_findings: Annotated[int, Field(description="How many others there are.", ge=0)]
