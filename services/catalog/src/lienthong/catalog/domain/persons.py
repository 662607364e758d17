"""Which values of an operation's calls name a person, as its OpenAPI document declares it (x-lgsp-person)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lienthong.kit.json_text import JsonObject


class ParameterLocation(Enum):
    """Where in a request a parameter is; cookies do not pass the gateway."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class ParameterPlace:
    """A parameter. `separator` stands between its values; empty where there is one, or each comes alone."""

    location: ParameterLocation
    name: str
    separator: str = ""


@dataclass(frozen=True, slots=True)
class PersonPlaces:
    """The places of an operation: parameters, and paths of fields (`kit.field_paths`) of JSON bodies."""

    parameters: tuple[ParameterPlace, ...] = ()
    request: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the places as JSON."""
        return {
            "parameters": [
                {"in": one.location.value, "name": one.name, "separator": one.separator}
                for one in self.parameters
            ],
            "request": list(self.request),
            "answer": list(self.answer),
        }

    @classmethod
    def read(cls, document: JsonObject) -> PersonPlaces:
        """Return the places of what `document` returned."""
        return cls(
            tuple(
                ParameterPlace(ParameterLocation(one["in"]), one["name"], one["separator"])
                for one in document["parameters"]
            ),
            tuple(document["request"]),
            tuple(document["answer"]),
        )
