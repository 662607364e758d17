"""Reads `x-lgsp-person` out of an OpenAPI document: which values of the calls name a person.

A parameter says `x-lgsp-person: true`. An operation says which fields of its JSON bodies do, by their paths:
`x-lgsp-person: {request: [applicant.personId], answer: ["owners[*].personId"]}`. Anywhere else it is refused,
since nothing would be recorded of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain.persons import PersonPlaces
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.parameters import declared, place_of
from lienthong.catalog.services.domain.references import References
from lienthong.kit.field_paths import FieldPathError, tree
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

EXTENSION: Final = "x-lgsp-person"
MAX_PARAMETERS: Final = 16
MAX_PATHS: Final = 32
_BODIES: Final = ("request", "answer")
_NOT_KEYWORDS: Final = frozenset(("example", "examples", "default", "const", "enum"))
"""Members whose values are data."""


class PersonReader:
    """Reads one document; `violations` has what was wrong with what was read."""

    def __init__(self, document: JsonObject, *, is_stated: bool = True) -> None:
        """`is_stated` is False where the extension is nowhere in the text of the document."""
        self.violations: list[Violation] = []
        self._references = References(document)
        self._stated = list(_stated(document)) if is_stated else []
        self._read: set[int] = set()

    def places(
        self, path: str, item: JsonObject, operation: JsonObject, place: JsonPath
    ) -> PersonPlaces | None:
        """Return the places of an operation at `path`, which stands at `place`; None where it has none."""
        if not self._stated:
            # Most documents: then nobody asks where their references lead.
            return None
        parameters = []
        try:
            for at, parameter in declared(item, operation, self._references, place):
                if EXTENSION not in parameter:
                    continue
                self._read.add(id(parameter))
                names_person = parameter[EXTENSION]
                if not isinstance(names_person, bool):
                    self._wrong(
                        (*at, EXTENSION), "a parameter says true or false", "tham số ghi true hoặc false"
                    )
                elif names_person:
                    try:
                        parameters.append(place_of(parameter, path, self._references))
                    except InvalidValueError as reason:
                        self.violations.append(Violation((*at, EXTENSION), reason.text))
        except InvalidValueError as reason:
            self.violations.append(Violation((*place, "parameters"), reason.text))
        if len(parameters) > MAX_PARAMETERS:
            self._wrong(
                (*place, "parameters"),
                f"more than {MAX_PARAMETERS} parameters name persons",
                f"hơn {MAX_PARAMETERS} tham số chỉ người",
            )
        request, answer = self._paths(operation, place)
        found = PersonPlaces(tuple(parameters), request, answer)
        return found if found != PersonPlaces() else None

    def misplaced(self) -> Iterator[Violation]:
        """Yield where the extension stands and says nothing; to be asked when all operations were read."""
        for path, node in self._stated:
            if id(node) not in self._read:
                yield Violation(
                    (*path, EXTENSION),
                    BilingualText(
                        "says nothing here: write it at a parameter of an operation, or at the operation "
                        "with the paths of fields, like {answer: ['owners[*].personId']}",
                        "không có tác dụng ở đây: hãy đặt tại tham số của thao tác, hoặc tại thao tác kèm "
                        "đường dẫn trường, ví dụ {answer: ['owners[*].personId']}",
                    ),
                )

    def _paths(self, operation: JsonObject, place: JsonPath) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if EXTENSION not in operation:
            return (), ()
        self._read.add(id(operation))
        stated, at = operation[EXTENSION], (*place, EXTENSION)
        if not isinstance(stated, dict) or not stated or not stated.keys() <= set(_BODIES):
            self._wrong(
                at,
                "an operation says which fields name persons: {request: [paths], answer: [paths]}",
                "thao tác nêu các trường chỉ người: {request: [đường dẫn], answer: [đường dẫn]}",
            )
            return (), ()
        if "request" in stated and "requestBody" not in operation:
            self._wrong((*at, "request"), "the operation takes no body", "thao tác không nhận nội dung")
        request, answer = (
            self._listed(stated[name], (*at, name)) if name in stated else () for name in _BODIES
        )
        return request, answer

    def _listed(self, paths: Json, at: JsonPath) -> tuple[str, ...]:
        if (
            not isinstance(paths, list)
            or not 0 < len(paths) <= MAX_PATHS
            or len(set(map(str, paths))) < len(paths)
        ):
            self._wrong(
                at,
                f"must be a list of 1 to {MAX_PATHS} different paths",
                f"phải là danh sách gồm 1 đến {MAX_PATHS} đường dẫn khác nhau",
            )
            return ()
        for index, path in enumerate(paths):
            if not isinstance(path, str):
                self._wrong((*at, index), "a path is text", "đường dẫn phải là văn bản")
                return ()
        try:
            tree(paths)
        except FieldPathError as error:
            self.violations.append(Violation(at, error.text))
            return ()
        return tuple(paths)

    def _wrong(self, path: JsonPath, en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))


def _stated(document: JsonObject) -> Iterator[tuple[JsonPath, JsonObject]]:
    """The objects of a document that have the extension, each with its place."""
    stack: list[tuple[JsonPath, Json]] = [((), document)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, dict):
            # Under `properties` it would be the name of one.
            if EXTENSION in node and path[-1:] != ("properties",):
                yield path, node
            stack.extend(((*path, name), part) for name, part in node.items() if name not in _NOT_KEYWORDS)
        elif isinstance(node, list):
            stack.extend(((*path, index), part) for index, part in enumerate(node))
