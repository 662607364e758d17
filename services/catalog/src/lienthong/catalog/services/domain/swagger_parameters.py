"""Parameters of OpenAPI 2.0 as parameters and bodies of OpenAPI 3.0.

A parameter's type becomes its schema, `collectionFormat` its `style` and `explode`; one `in: body`, and all
`in: formData` together, become the body of the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lienthong.catalog.services.domain.references import REF
from lienthong.catalog.services.domain.swagger_schemas import BINARY, part_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.catalog.services.domain.swagger_schemas import SchemaConverter
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

BODY: Final = "body"
FORM: Final = "formData"
ANY_TYPE: Final = "*/*"
"""Where a document of 2.0 says no media type, it says nothing about it."""
_MULTIPART: Final = "multipart/form-data"
_FORMS: Final = (_MULTIPART, "application/x-www-form-urlencoded")
_REFERENCE: Final = "#/parameters/"
_OF_TYPES: Final = frozenset(
    (
        "type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
        "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf",
    )
)  # fmt: skip
_COLLECTION: Final = "collectionFormat"
_STYLES: Final[Mapping[tuple[str, str], tuple[str, bool]]] = {
    ("query", "csv"): ("form", False),
    ("query", "ssv"): ("spaceDelimited", False),
    ("query", "pipes"): ("pipeDelimited", False),
    ("query", "multi"): ("form", True),
    ("path", "csv"): ("simple", False),
    ("header", "csv"): ("simple", False),
}


@dataclass(frozen=True, slots=True)
class FoundParameter:
    """A parameter, and where it is listed; `shared` is whether it stands among those of the document."""

    parameter: JsonObject
    place: JsonPath
    shared: bool


class ParameterConverter:
    """Converts parameters of one document."""

    def __init__(self, document: JsonObject, schemas: SchemaConverter) -> None:
        self._schemas = schemas
        shared = document.get("parameters")
        self._shared: JsonObject = shared if isinstance(shared, dict) else {}

    def components(self, media_types: Sequence[str]) -> tuple[JsonObject, JsonObject]:
        """Return the parameters of the document and its bodies, by their names in 3.0.

        `media_types` are what is consumed where an operation does not say otherwise.

        Raises:
            GrowthError: what is shared grows too large.
        """
        parameters: JsonObject = {}
        bodies: JsonObject = {}
        for written, one in self._shared.items():
            name, place = self._schemas.names["parameters"][written], ("parameters", written)
            if not isinstance(one, dict):
                self._schemas.wrong(place, "a parameter is an object", "tham số phải là đối tượng")
            elif one.get("in") in (BODY, FORM):
                bodies[name] = self.body([FoundParameter(one, place, shared=False)], media_types, place)
            else:
                parameters[name] = self.parameter(one, place)
        return parameters, bodies

    def shared_name(self, one: Json, *, bodies: bool = False) -> str | None:
        """Return the name in 3.0 of the parameter, or of the body, that an entry of a list refers to."""
        reference = one.get(REF) if isinstance(one, dict) else None
        found = self._at(reference)
        if found is None or (found.get("in") in (BODY, FORM)) is not bodies:
            return None
        return self._schemas.names["parameters"][part_name(str(reference).removeprefix(_REFERENCE))]

    def listed(self, holder: JsonObject, place: JsonPath) -> list[FoundParameter]:
        """Return the parameters of an operation or a path item, with what they refer to."""
        given = holder.get("parameters")
        found: list[FoundParameter] = []
        for index, one in enumerate(given if isinstance(given, list) else ()):
            at = (*place, "parameters", index)
            if not isinstance(one, dict):
                self._schemas.wrong(at, "a parameter is an object", "tham số phải là đối tượng")
            elif REF not in one:
                found.append(FoundParameter(one, at, shared=False))
            elif (parameter := self._at(one[REF])) is not None:
                found.append(FoundParameter(parameter, at, shared=True))
            else:
                self._schemas.wrong(
                    (*at, REF),
                    f"leads to no parameter of this document; write it under 'parameters', and refer to "
                    f"'{_REFERENCE}…'",
                    f"không dẫn đến tham số nào của tài liệu này; hãy viết trong 'parameters' và trỏ tới "
                    f"'{_REFERENCE}…'",
                )
        return found

    def written(self, one: FoundParameter, holder: JsonObject) -> JsonObject:
        """Return a listed parameter as it stands in the list of 3.0; `holder` is what lists it."""
        name = self.shared_name(holder["parameters"][one.place[-1]])
        if name is None:
            return self.parameter(one.parameter, one.place)
        return {REF: f"#/components/parameters/{name}"}

    def parameter(self, written: JsonObject, place: JsonPath) -> JsonObject:
        """Return a parameter of the path, the query or a header field."""
        converted = {
            name: value for name, value in written.items() if name not in _OF_TYPES and name != _COLLECTION
        }
        if "schema" in written:
            converted["schema"] = self._schemas.schema(written["schema"], (*place, "schema"))
        else:
            converted["schema"] = self.typed(written, place)
        if written.get("type") == "array":
            converted |= self._collected(written, str(written.get("in")), place)
        return converted

    def typed(self, written: JsonObject, place: JsonPath) -> JsonObject:
        """Return the schema that the type of a parameter, of its items or of a header field says."""
        schema = {name: value for name, value in written.items() if name in _OF_TYPES}
        inner = schema.get("items")
        if isinstance(inner, dict):
            if inner.get(_COLLECTION, "csv") != "csv":
                self._lost((*place, "items", _COLLECTION), str(inner[_COLLECTION]), "items")
            typed = self._schemas.schema(inner, (*place, "items"))
            schema["items"] = {name: value for name, value in typed.items() if name != _COLLECTION}
        return schema | BINARY if schema.get("type") == "file" else schema

    def header(self, written: Json, place: JsonPath) -> Json:
        """Return a header field of an answer."""
        if not isinstance(written, dict):
            return written
        collection = written.get(_COLLECTION, "csv")
        if collection != "csv":
            self._lost((*place, _COLLECTION), str(collection), "header")
        kept = {
            name: value for name, value in written.items() if name not in _OF_TYPES and name != _COLLECTION
        }
        return kept | {"schema": self.typed(written, place)}

    def body(self, found: Sequence[FoundParameter], media_types: Sequence[str], place: JsonPath) -> Json:
        """Return the body of the request, None where there is none; `media_types` are what is consumed.

        Raises:
            GrowthError: what is shared grows too large.
        """
        bodies = [one for one in found if one.parameter.get("in") == BODY]
        fields = [one for one in found if one.parameter.get("in") == FORM]
        if len(bodies) > 1 or (bodies and fields):
            self._schemas.wrong(
                (*place, "parameters"),
                "an operation has one body, or fields of a form; keep one of them",
                "một thao tác có một nội dung, hoặc các trường của biểu mẫu; chỉ giữ một",
            )
            return None
        if bodies:
            return self._one_body(bodies[0], media_types)
        return self._form(fields, media_types) if fields else None

    def _one_body(self, one: FoundParameter, media_types: Sequence[str]) -> JsonObject:
        kept = {
            name: value
            for name, value in one.parameter.items()
            if name not in ("in", "name", "schema", *_OF_TYPES)
        }
        types = media_types or (ANY_TYPE,)
        self._schemas.spend(one.parameter, len(types) - (not one.shared), one.place)
        stated = one.parameter.get("schema", self.typed(one.parameter, one.place))
        schema = self._schemas.schema(stated, (*one.place, "schema"))
        # What the body is called goes over no wire; programs that are made of documents show it.
        named = {"x-body-name": one.parameter["name"]} if isinstance(one.parameter.get("name"), str) else {}
        return {**kept, **named, "content": {name: {"schema": schema} for name in types}}

    def _form(self, fields: Sequence[FoundParameter], media_types: Sequence[str]) -> JsonObject:
        has_file = any(one.parameter.get("type") == "file" for one in fields)
        default = _MULTIPART if has_file else _FORMS[1]
        # Others are those of the whole document: a form has none of them.
        types = [name for name in media_types if name.partition(";")[0].strip().lower() in _FORMS] or [
            default
        ]
        properties: JsonObject = {}
        encodings: JsonObject = {}
        required: list[Json] = []
        for one in fields:
            self._schemas.spend(one.parameter, len(types) - (not one.shared), one.place)
            name = str(one.parameter.get("name"))
            properties[name], encoding = self._field(one)
            if encoding:
                encodings[name] = encoding
            if one.parameter.get("required") is True:
                required.append(name)
        schema: JsonObject = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        content: JsonObject = {"schema": schema, "encoding": encodings} if encodings else {"schema": schema}
        return {"content": dict.fromkeys(types, content), **({"required": True} if required else {})}

    def _field(self, one: FoundParameter) -> tuple[JsonObject, JsonObject]:
        written = one.parameter
        kept = {
            name: value
            for name, value in written.items()
            if name not in _OF_TYPES
            and name not in ("in", "name", "required", _COLLECTION, "allowEmptyValue")
        }
        if "allowEmptyValue" in written:
            kept["x-allowEmptyValue"] = written["allowEmptyValue"]
        schema = kept | self.typed(written, one.place)
        encoding = self._collected(written, "query", one.place) if written.get("type") == "array" else {}
        return schema, encoding

    def _collected(self, written: JsonObject, location: str, place: JsonPath) -> JsonObject:
        collection = written.get(_COLLECTION, "csv")
        style = _STYLES.get((location, collection)) if isinstance(collection, str) else None
        if style is None:
            self._lost((*place, _COLLECTION), str(collection), location)
            return {}
        return {"style": style[0], "explode": style[1]}

    def _lost(self, place: JsonPath, collection: str, location: str) -> None:
        self._schemas.wrong(
            place,
            f"OpenAPI 3.0 has nothing for the collectionFormat '{collection[:20]}' in '{location}'; use "
            f"'csv', in the query also 'ssv', 'pipes' or 'multi'",
            f"OpenAPI 3.0 không có cách ghi tương ứng với collectionFormat '{collection[:20]}' trong "
            f"'{location}'; hãy dùng 'csv', trong query còn có 'ssv', 'pipes' hoặc 'multi'",
        )

    def _at(self, reference: Json) -> JsonObject | None:
        if not isinstance(reference, str) or not reference.startswith(_REFERENCE):
            return None
        found = self._shared.get(part_name(reference.removeprefix(_REFERENCE)))
        return found if isinstance(found, dict) and REF not in found else None
