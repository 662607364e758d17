"""The shapes of pages of the catalogue."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class JsonLdPage(BaseModel):
    """A page of the catalogue as JSON-LD 1.1."""

    model_config = ConfigDict(extra="forbid")

    context: dict[str, str] = Field(alias="@context")
    graph: list[dict[str, Any]] = Field(alias="@graph")
