"""What parameters and bodies of an operation's calls have to be, where a service wants them checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lienthong.catalog.domain.persons import ParameterLocation

if TYPE_CHECKING:
    from lienthong.kit.json_text import JsonObject


@dataclass(frozen=True, slots=True)
class MediaForm:
    """A media type or range (`application/*`) that a body may have.

    `schema` is the JSON Schema (draft 2020-12) of its JSON document as text; empty: it is not looked into.
    """

    media_type: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class BodyForms:
    """What a body may be: one of these, `required` where there has to be one.

    Of an answer, `status` is a status, a range (`2XX`) or `default`.
    """

    media: tuple[MediaForm, ...]
    required: bool = False
    status: str = ""

    def document(self) -> dict[str, Any]:
        """Return the forms as JSON."""
        media = [{"mediaType": one.media_type, "schema": one.schema} for one in self.media]
        return {"media": media, "required": self.required, "status": self.status}

    @classmethod
    def read(cls, document: JsonObject) -> BodyForms:
        """Return the forms of what `document` returned."""
        media = tuple(MediaForm(one["mediaType"], one["schema"]) for one in document["media"])
        return cls(media, document["required"], document["status"])


class ParameterShape(Enum):
    """How the values of a parameter are written into it, each as the contract describes it."""

    VALUE = "value"
    JSON = "json"
    LIST = "list"
    ALTERNATING = "alternating"
    PAIRS = "pairs"
    MEMBERS = "members"
    BRACKETS = "brackets"


@dataclass(frozen=True, slots=True)
class Spelling:
    """Which text stands for something else than text: for the number, or the boolean, that JSON spells so."""

    numbers: bool = False
    booleans: bool = False


@dataclass(frozen=True, slots=True)
class ParameterForm:
    """How a parameter is read.

    `values` is of the value, of each of a list, and of the members of an object that `members` does not name.
    """

    location: ParameterLocation
    name: str
    required: bool = False
    shape: ParameterShape = ParameterShape.VALUE
    separator: str = ""
    values: Spelling = Spelling()
    members: tuple[tuple[str, Spelling], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the form as JSON."""
        return {
            "in": self.location.value,
            "name": self.name,
            "required": self.required,
            "shape": self.shape.value,
            "separator": self.separator,
            "values": _spelled(self.values),
            "members": {name: _spelled(spelling) for name, spelling in self.members},
        }

    @classmethod
    def read(cls, document: JsonObject) -> ParameterForm:
        """Return the form of what `document` returned."""
        return cls(
            ParameterLocation(document["in"]),
            document["name"],
            document["required"],
            ParameterShape(document["shape"]),
            document["separator"],
            Spelling(*document["values"]),
            tuple((name, Spelling(*spelling)) for name, spelling in document["members"].items()),
        )


@dataclass(frozen=True, slots=True)
class ParameterForms:
    """The parameters of an operation, and the JSON Schema (draft 2020-12) as text that they have to fit.

    The schema is of an object with the members `path`, `query` and `header`, each an object of the parameters
    there.
    """

    parameters: tuple[ParameterForm, ...]
    schema: str

    def document(self) -> dict[str, Any]:
        """Return the forms as JSON."""
        return {"parameters": [one.document() for one in self.parameters], "schema": self.schema}

    @classmethod
    def read(cls, document: JsonObject) -> ParameterForms:
        """Return the forms of what `document` returned."""
        return cls(tuple(map(ParameterForm.read, document["parameters"])), document["schema"])


@dataclass(frozen=True, slots=True)
class OperationChecks:
    """What is checked of an operation: its request and parameters, None where there is nothing to be checked,
    and answers."""

    request: BodyForms | None = None
    answers: tuple[BodyForms, ...] = ()
    parameters: ParameterForms | None = None

    def document(self) -> dict[str, Any]:
        """Return the checks as JSON."""
        request = self.request.document() if self.request is not None else None
        parameters = self.parameters.document() if self.parameters is not None else None
        answers = [one.document() for one in self.answers]
        return {"request": request, "answers": answers, "parameters": parameters}

    @classmethod
    def read(cls, document: JsonObject) -> OperationChecks:
        """Return the checks of what `document` returned."""
        # Services that were applied before parameters were checked have none.
        request, parameters = document["request"], document.get("parameters")
        return cls(
            BodyForms.read(request) if request is not None else None,
            tuple(map(BodyForms.read, document["answers"])),
            ParameterForms.read(parameters) if parameters is not None else None,
        )


def _spelled(spelling: Spelling) -> list[bool]:
    return [spelling.numbers, spelling.booleans]
