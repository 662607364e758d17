"""Converts an OpenAPI 2.0 document (Swagger) to OpenAPI 3.0, with nothing of it silently lost.

Both say the same about the calls of an API; 3.0 has bodies beside parameters, media types with each body and
answer, servers instead of host and base path, and names for what is shared under `components`. What 2.0 does
not know stays where it is, and what 3.0 cannot say is a violation. A form is a body of one of the two types
of forms, whatever else the document consumes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lienthong.catalog.errors import MAX_ERRORS, Violation
from lienthong.catalog.services.domain.references import REF
from lienthong.catalog.services.domain.swagger_parameters import ANY_TYPE, BODY, FORM, ParameterConverter
from lienthong.catalog.services.domain.swagger_schemas import GrowthError, SchemaConverter, part_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.catalog.services.domain.swagger_parameters import FoundParameter
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

VERSION: Final = "3.0.4"
"""What documents are converted to."""
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_CONVERTED: Final = frozenset(
    (
        "swagger", "host", "basePath", "schemes", "consumes", "produces", "paths", "definitions",
        "parameters", "responses", "securityDefinitions",
    )
)  # fmt: skip
_OF_3_0: Final = ("openapi", "servers", "components")
_FLOWS: Final = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_OF_FLOWS: Final = ("authorizationUrl", "tokenUrl", "scopes")
_RESPONSES: Final = "#/responses/"


@dataclass(frozen=True, slots=True)
class Converted:
    """A document of 3.0, what could not be converted, and where parts of it stood that moved."""

    document: JsonObject
    violations: tuple[Violation, ...]
    moved: Mapping[JsonPath, JsonPath]

    def as_given(self, violation: Violation) -> Violation:
        """Return a violation of the converted document with the place in the one that was given."""
        path = violation.path
        for length in range(len(path), 0, -1):
            if (place := self.moved.get(path[:length])) is not None:
                return replace(violation, path=(*place, *path[length:]))
        return violation


def is_swagger(document: JsonObject) -> bool:
    """Tell whether a document says that it is of OpenAPI 2.0."""
    return "openapi" not in document and document.get("swagger") in ("2.0", 2)


def convert(document: JsonObject) -> Converted:
    """Return a document of OpenAPI 2.0 as one of 3.0."""
    converter = _Converter(document)
    try:
        converted = converter.convert()
    except GrowthError as error:
        return Converted({}, (Violation(error.place, error.text),), {})
    return Converted(converted, tuple(converter.violations), converter.moved)


class _Converter:
    def __init__(self, document: JsonObject) -> None:
        self.moved: dict[JsonPath, JsonPath] = {}
        self._document = document
        self._schemas = SchemaConverter(document)
        self._parameters = ParameterConverter(document, self._schemas)
        self.violations = self._schemas.violations
        self._consumes = _texts(document.get("consumes"))
        self._produces = _texts(document.get("produces"))

    def convert(self) -> JsonObject:
        given = self._document
        for member in _OF_3_0:
            if member in given:
                self._schemas.wrong(
                    (member,),
                    f"'{member}' is of OpenAPI 3; set 'openapi' instead of 'swagger', or leave it out",
                    f"'{member}' thuộc OpenAPI 3; hãy đặt 'openapi' thay cho 'swagger', hoặc bỏ mục này",
                )
        converted: JsonObject = {"openapi": VERSION}
        converted |= {name: value for name, value in given.items() if name not in (*_CONVERTED, *_OF_3_0)}
        servers = self._servers(_texts(given.get("schemes")))
        if servers:
            converted["servers"] = servers
        converted["paths"] = self._paths(given.get("paths"))
        converted |= self._requirements(given)
        components = {name: found for name, found in self._components().items() if found}
        return converted | ({"components": components} if components else {})

    def _servers(self, schemes: Sequence[str]) -> list[Json]:
        host, base = self._document.get("host"), self._document.get("basePath")
        path = base.rstrip("/") if isinstance(base, str) else ""
        if not isinstance(host, str) or not host:
            return [{"url": path}] if path else []
        # Without a scheme it is that of the document's own address (a reference, RFC 3986, section 4.2).
        return [{"url": f"{scheme}://{host}{path}"} for scheme in schemes] or [{"url": f"//{host}{path}"}]

    def _components(self) -> JsonObject:
        given, names = self._document, self._schemas.names
        parameters, bodies = self._parameters.components(self._consumes)
        return {
            "schemas": {
                names["definitions"][name]: self._schemas.schema(one, ("definitions", name))
                for name, one in _members(given.get("definitions"))
            },
            "parameters": parameters,
            "requestBodies": bodies,
            "responses": {
                names["responses"][name]: self._response(one, self._produces, ("responses", name))
                for name, one in _members(given.get("responses"))
            },
            "securitySchemes": {
                names["securityDefinitions"][name]: self._security(one, ("securityDefinitions", name))
                for name, one in _members(given.get("securityDefinitions"))
            },
        }

    def _paths(self, given: Json) -> Json:
        if not isinstance(given, dict):
            return given
        paths: JsonObject = {}
        for path, item in given.items():
            if len(self.violations) > MAX_ERRORS:
                break
            is_item = isinstance(item, dict) and not path.startswith("x-")
            paths[path] = self._item(path, item) if is_item else item
        return paths

    def _item(self, path: str, given: JsonObject) -> JsonObject:
        place = ("paths", path)
        listed = self._parameters.listed(given, place)
        kept = self._kept(listed, given, place)
        item: JsonObject = {"parameters": kept} if kept else {}
        for name, value in given.items():
            at = (*place, name)
            if (
                name == REF
                and isinstance(value, str)
                and value.startswith("#")
                and not value.startswith("#/paths/")
            ):
                self._schemas.wrong(
                    at,
                    "a path item of OpenAPI 2.0 is converted under 'paths' alone; refer to it there",
                    "mục đường dẫn của OpenAPI 2.0 chỉ được chuyển đổi trong 'paths'; hãy trỏ tới đó",
                )
            elif name in _METHODS and isinstance(value, dict):
                item[name] = self._operation(value, [one for one in listed if _is_body(one.parameter)], at)
            elif name in (*_METHODS, REF) or name.startswith("x-"):
                item[name] = value
            elif name != "parameters":
                self._schemas.wrong(
                    at,
                    f"a path of OpenAPI 2.0 has no such member; its methods are {', '.join(_METHODS)}",
                    f"đường dẫn của OpenAPI 2.0 không có mục này; các phương thức là {', '.join(_METHODS)}",
                )
        return item

    def _kept(self, listed: Sequence[FoundParameter], holder: JsonObject, place: JsonPath) -> list[Json]:
        """The parameters that stay some, in their order."""
        kept = [one for one in listed if not _is_body(one.parameter)]
        for index, one in enumerate(kept):
            if (at := (*place, "parameters", index)) != one.place:
                self.moved[at] = one.place
        return [self._parameters.written(one, holder) for one in kept]

    def _operation(self, given: JsonObject, of_path: Sequence[FoundParameter], place: JsonPath) -> JsonObject:
        listed = self._parameters.listed(given, place)
        own = [one for one in listed if _is_body(one.parameter)]
        consumes = _texts(given["consumes"]) if "consumes" in given else self._consumes
        produces = _texts(given["produces"]) if "produces" in given else self._produces
        operation: JsonObject = {}
        for name, value in given.items():
            if name == "parameters":
                operation[name] = self._kept(listed, given, place)
            elif name == "responses":
                operation[name] = self._responses(value, produces, (*place, name), own="produces" in given)
            elif name == "schemes":
                if servers := self._servers(_texts(value)):
                    operation["servers"] = servers
            elif name not in ("consumes", "produces"):
                operation[name] = value
        operation |= self._requirements(given)
        # What the operation says itself goes before what its path does, and so does its only body.
        names = {one.parameter.get("name") for one in own}
        has_body = any(one.parameter.get("in") == BODY for one in own)
        inherited = [
            replace(one, shared=True)
            for one in of_path
            if one.parameter.get("name") not in names and not (has_body and one.parameter.get("in") == BODY)
        ]
        body = self._body(given, [*own, *inherited], consumes, place)
        if body is not None:
            if "requestBody" in operation:
                self._schemas.wrong(
                    (*place, "requestBody"),
                    "is of OpenAPI 3, and there is a body among the parameters; keep one",
                    "thuộc OpenAPI 3, mà trong tham số đã có nội dung; chỉ giữ một",
                )
            operation["requestBody"] = body
        return operation

    def _body(
        self, given: JsonObject, found: Sequence[FoundParameter], consumes: Sequence[str], place: JsonPath
    ) -> Json:
        listed = given.get("parameters")
        if len(found) == 1 and consumes == self._consumes and isinstance(listed, list):
            # Of several operations, and the same for all of them.
            name = next(filter(None, map(self._shared_body, listed)), None)
            if name is not None:
                return {REF: f"#/components/requestBodies/{name}"}
        return self._parameters.body(found, consumes, place)

    def _shared_body(self, one: Json) -> str | None:
        return self._parameters.shared_name(one, bodies=True)

    def _requirements(self, holder: JsonObject) -> JsonObject:
        """What a document or an operation says of security, with the names that its schemes have in 3.0."""
        given, names = holder.get("security"), self._schemas.names["securityDefinitions"]
        if not isinstance(given, list) or all(old == new for old, new in names.items()):
            return {}
        return {
            "security": [
                {names.get(name, name): scopes for name, scopes in one.items()}
                if isinstance(one, dict)
                else one
                for one in given
            ]
        }

    def _responses(self, given: Json, produces: Sequence[str], place: JsonPath, *, own: bool) -> Json:
        if not isinstance(given, dict):
            return given
        responses: JsonObject = {}
        for status, one in given.items():
            if status.startswith("x-"):
                responses[status] = one
                continue
            shared = self._shared_response(one) if own else None
            if shared is not None:
                # It has the media types of the document, and this operation others.
                name, one = shared
                self._schemas.spend(one, 1 + len(produces), (*place, status))
                responses[status] = self._response(one, produces, ("responses", name))
            else:
                responses[status] = self._response(one, produces, (*place, status))
        return responses

    def _shared_response(self, given: Json) -> tuple[str, JsonObject] | None:
        reference = given.get(REF) if isinstance(given, dict) else None
        if not isinstance(reference, str) or not reference.startswith(_RESPONSES):
            return None
        name, known = part_name(reference.removeprefix(_RESPONSES)), self._document.get("responses")
        found = known.get(name) if isinstance(known, dict) else None
        return (name, found) if isinstance(found, dict) else None

    def _response(self, given: Json, produces: Sequence[str], place: JsonPath) -> Json:
        if not isinstance(given, dict):
            return given
        if REF in given:
            return {**given, REF: self._schemas.reference(given[REF], (*place, REF))}
        response = {
            name: value for name, value in given.items() if name not in ("schema", "headers", "examples")
        }
        if "headers" in given:
            headers = given["headers"]
            response["headers"] = (
                {
                    name: self._parameters.header(one, (*place, "headers", name))
                    for name, one in headers.items()
                }
                if isinstance(headers, dict)
                else headers
            )
        content: JsonObject = {}
        examples = dict(_members(given.get("examples")))
        if "schema" in given:
            types = list(dict.fromkeys((*(produces or (ANY_TYPE,)), *examples)))
            self._schemas.spend(given["schema"], len(types) - 1, place)
            schema = self._schemas.schema(given["schema"], (*place, "schema"))
            content = {name: {"schema": schema} for name in types}
        for name, example in examples.items():
            content.setdefault(name, {})
            content[name] = {**content[name], "example": example}
        return response | ({"content": content} if content else {})

    def _security(self, given: Json, place: JsonPath) -> Json:
        if not isinstance(given, dict):
            return given
        kind = given.get("type")
        if kind == "basic":
            return {**given, "type": "http", "scheme": "basic"}
        if kind != "oauth2":
            return given
        flow = given.get("flow")
        if not isinstance(flow, str):
            self._schemas.wrong(
                place,
                "OAuth 2 has a 'flow', such as 'accessCode'",
                "OAuth 2 cần có 'flow', ví dụ 'accessCode'",
            )
            return given
        stated = {"scopes": {}} | {name: given[name] for name in _OF_FLOWS if name in given}
        kept = {name: value for name, value in given.items() if name not in ("flow", *_OF_FLOWS)}
        return kept | {"flows": {_FLOWS.get(flow, flow): stated}}


def _is_body(parameter: JsonObject) -> bool:
    return parameter.get("in") in (BODY, FORM)


def _texts(given: Json) -> tuple[str, ...]:
    return (
        tuple(dict.fromkeys(one for one in given if isinstance(one, str))) if isinstance(given, list) else ()
    )


def _members(given: Json) -> Sequence[tuple[str, Json]]:
    return tuple(given.items()) if isinstance(given, dict) else ()
