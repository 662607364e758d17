"""Reads out of an OpenAPI document what parameters and bodies are checked against."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain import json_schemas
from lienthong.catalog.domain.checks import BodyForms, MediaForm, OperationChecks, ParameterForms
from lienthong.catalog.domain.persons import ParameterLocation
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.body_schemas import DIALECTS, BodySchemas
from lienthong.catalog.services.domain.parameter_forms import json_form, schema_form, stated_form
from lienthong.catalog.services.domain.parameters import declared, is_not_the_callers
from lienthong.catalog.services.domain.references import References
from lienthong.catalog.services.domain.value_types import ValueReader
from lienthong.kit.json_pointer import pointer
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lienthong.catalog.domain.checks import ParameterForm
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import Json, JsonObject

MAX_BYTES: Final = 512 * 1024
"""Of all schemas of a service together, each as often as it is used, with the names of parameters and of the
members of those that are objects: gateways keep them."""
MAX_PARAMETERS: Final = 64
"""Of an operation, which are checked."""
MAX_MEMBERS: Final = 256
"""Of all parameters of an operation that are objects, together."""
MAX_NAMES: Final = 16 * 1024
"""Bytes of the names of all parameters of an operation and their members: each call is sent with them."""
_MOST_SAID: Final = 3
"""Mistakes of one schema that are told."""
_STATUS: Final = re.compile(r"[1-5]([0-9]{2}|XX)|default")
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/(\*|[\w!#$&^.+-]+)|\*/\*")
_JSON: Final = re.compile(r"application/json|.+\+json")
_DEPTH_OF_PARTS: Final = 4
"""How deep the schema of a parameter lies in that of all."""
_NO_MEDIA_TYPE: Final = ("is no media type without parameters", "không phải kiểu nội dung không tham số")
_NEITHER: Final = (
    "a parameter has either a 'schema', or 'content' of one media type",
    "tham số có 'schema', hoặc 'content' với đúng một kiểu nội dung",
)


class CheckReader:
    """Reads one document for what is checked; `violations` has why something cannot be.

    `shown` are the header fields, in lower case, that the gateway shows to the provider: no caller's.
    """

    def __init__(
        self, document: JsonObject, *, requests: bool, answers: bool, shown: Collection[str] = ()
    ) -> None:
        self.violations: list[Violation] = []
        self._requests = requests
        self._answers = answers
        self._shown = shown
        self._references = References(document)
        version = document.get("openapi")
        of_3_0 = isinstance(version, str) and version.startswith("3.0.")
        self._schemas = BodySchemas(document, of_3_0=of_3_0)
        self._values = ValueReader()
        self._usable: dict[str, bool] = {}
        self._size = 0
        dialect = document.get("jsonSchemaDialect", DIALECTS[0])
        if dialect not in DIALECTS:
            self._wrong(("jsonSchemaDialect",), f"only {DIALECTS[0]} is read", f"chỉ đọc {DIALECTS[0]}")

    def checks(self, path: str, item: JsonObject, operation: JsonObject, place: JsonPath) -> OperationChecks:
        """Return what is checked of an operation of the path item `item`, which stands at `place`."""
        request = None
        if self._requests and isinstance(operation.get("requestBody"), dict):
            request = self._body(operation["requestBody"], (*place, "requestBody"))
        answers: list[BodyForms] = []
        responses = operation.get("responses") if self._answers else None
        for status, response in responses.items() if isinstance(responses, dict) else ():
            if status.startswith("x-") or not isinstance(response, dict):
                continue
            at = (*place, "responses", status)
            if not _STATUS.fullmatch(status):
                self._wrong(
                    at, "is no status, range of them ('2XX') or 'default'", "không phải mã trạng thái"
                )
                continue
            found = self._body(response, at)
            if found is not None:
                answers.append(BodyForms(found.media, found.required, status))
        parameters = self._parameters(path, item, operation, place) if self._requests else None
        return OperationChecks(request, tuple(answers), parameters)

    def _parameters(
        self, path: str, item: JsonObject, operation: JsonObject, place: JsonPath
    ) -> ParameterForms | None:
        try:
            listed = list(declared(item, operation, self._references, place))
        except InvalidValueError as reason:
            self.violations.append(Violation((*place, "parameters"), reason.text))
            return None
        if len(listed) > MAX_PARAMETERS:
            self._wrong(
                (*place, "parameters"),
                f"at most {MAX_PARAMETERS} parameters of an operation are checked",
                f"chỉ kiểm tra tối đa {MAX_PARAMETERS} tham số của một thao tác",
            )
            return None
        if self._size > MAX_BYTES:
            return None
        read: list[_ReadParameter] = []
        for at, parameter in listed:
            if parameter.get("in") == ParameterLocation.HEADER.value and self._is_not_read(parameter):
                continue
            try:
                read.append(self._parameter(parameter, path, at))
            except InvalidValueError as reason:
                self.violations.append(Violation(at, reason.text))
        if not read:
            return None
        whole, parts = _together(read)
        text = self._text(whole, (*place, "parameters"))
        if not self._is_usable(text, (*place, "parameters"), parts):
            return None
        forms: list[ParameterForm] = []
        for one in read:
            try:
                form = one.form
                forms.append(
                    schema_form(form, one.parameter, self._values, one.schema) if one.styled else form
                )
            except InvalidValueError as reason:
                self.violations.append(Violation(one.at, reason.text))
        if not self._is_small(forms, (*place, "parameters")):
            return None
        return ParameterForms(tuple(forms), text)

    def _is_small(self, forms: Sequence[ParameterForm], place: JsonPath) -> bool:
        """Whether the names of the parameters of an operation, and of their members, are so few."""
        members = [name for form in forms for name, _ in form.members]
        names = sum(len(name.encode()) for name in (*(form.name for form in forms), *members))
        self._add(names, place)
        if len(members) > MAX_MEMBERS:
            self._wrong(
                place,
                f"the objects among the parameters of an operation have more than {MAX_MEMBERS} members "
                f"together",
                f"các đối tượng trong tham số của một thao tác có tổng cộng hơn {MAX_MEMBERS} thành phần",
            )
        if names > MAX_NAMES:
            self._wrong(
                place,
                f"the names of the parameters and of their members have more than {MAX_NAMES} bytes together",
                f"tên các tham số và thành phần của chúng vượt quá {MAX_NAMES} byte",
            )
        return len(members) <= MAX_MEMBERS and names <= MAX_NAMES

    def _is_not_read(self, parameter: JsonObject) -> bool:
        name = str(parameter.get("name"))
        return is_not_the_callers(name) or name.lower() in self._shown

    def _parameter(self, parameter: JsonObject, path: str, at: JsonPath) -> _ReadParameter:
        """How a parameter is read, and the schema that it then has to fit.

        Raises:
            InvalidValueError: it cannot be read.
        """
        form = stated_form(parameter, path)
        stated, content = parameter.get("schema"), parameter.get("content")
        if content is not None:
            return self._with_content(form, parameter, at)
        if stated is True:
            stated = {}
        if not isinstance(stated, dict):
            raise InvalidValueError(*_NEITHER)
        return _ReadParameter(at, parameter, form, self._schemas.bundled(stated), styled=True)

    def _with_content(self, form: ParameterForm, parameter: JsonObject, at: JsonPath) -> _ReadParameter:
        content = parameter["content"]
        if not isinstance(content, dict) or len(content) != 1 or "schema" in parameter:
            raise InvalidValueError(*_NEITHER)
        [(media_type, one)] = content.items()
        if not _MEDIA_TYPE.fullmatch(media_type):
            raise InvalidValueError(*_NO_MEDIA_TYPE)
        schema = one.get("schema") if isinstance(one, dict) else None
        if not _JSON.fullmatch(media_type.lower()) or not isinstance(schema, dict):
            return _ReadParameter(at, parameter, form, {})
        return _ReadParameter(at, parameter, json_form(form), self._schemas.bundled(schema))

    def _body(self, stated: JsonObject, place: JsonPath) -> BodyForms | None:
        try:
            found = self._references.resolved(stated)
        except InvalidValueError as reason:
            self.violations.append(Violation(place, reason.text))
            return None
        content = found.get("content")
        if not isinstance(content, dict) or not content:
            return None
        media = [
            MediaForm(name.lower(), self._schema(name.lower(), one, (*place, "content", name)))
            for name, one in content.items()
        ]
        return BodyForms(tuple(media), found.get("required") is True)

    def _schema(self, media_type: str, stated: Json, place: JsonPath) -> str:
        """The schema of a body as text; empty where nothing is looked into."""
        if not _MEDIA_TYPE.fullmatch(media_type):
            self._wrong(place, *_NO_MEDIA_TYPE)
            return ""
        try:
            # From 3.2 on a media type may stand in `components/mediaTypes`.
            found = self._references.value(stated)
        except InvalidValueError as reason:
            self.violations.append(Violation(place, reason.text))
            return ""
        schema = found.get("schema") if isinstance(found, dict) else None
        if not _JSON.fullmatch(media_type) or not isinstance(schema, dict) or self._size > MAX_BYTES:
            return ""
        at = (*place, "schema")
        try:
            text = self._text(self._schemas.bundled(schema), place)
        except InvalidValueError as reason:
            self.violations.append(Violation(at, reason.text))
            return ""
        return text if self._is_usable(text, at, {}) else ""

    def _text(self, schema: JsonObject, place: JsonPath) -> str:
        """A schema that stands for itself as text, which gateways are sent."""
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        self._add(len(text.encode()), place)
        return text

    def _add(self, size: int, place: JsonPath) -> None:
        before = self._size
        self._size += size
        if before <= MAX_BYTES < self._size:
            self._wrong(
                place,
                f"the schemas of all parameters and bodies, with the names of parameters and their members, "
                f"have more than {MAX_BYTES} bytes together, each as often as it is used; check less, or "
                f"split the service",
                f"lược đồ của mọi tham số và nội dung, cùng tên tham số và thành phần, vượt quá {MAX_BYTES} "
                f"byte, tính theo số lần dùng; hãy kiểm tra ít hơn hoặc tách dịch vụ",
            )

    def _is_usable(self, text: str, place: JsonPath, parts: Mapping[JsonPath, JsonPath]) -> bool:
        """Whether a schema that stands at `place` can be used; `parts` has where its parts stand, by their
        places in it, that are from elsewhere."""
        if text not in self._usable:
            wrong = list(islice(json_schemas.violations(json.loads(text)), _MOST_SAID))
            self._usable[text] = not wrong
            for one in wrong:
                part = one.path[:_DEPTH_OF_PARTS]
                at = pointer(one.path[_DEPTH_OF_PARTS:] if part in parts else one.path) or "/"
                self._wrong(parts.get(part, place), f"at {at}: {one.text.en}", f"tại {at}: {one.text.vi}")
        return self._usable[text]

    def _wrong(self, path: JsonPath, en: str, vi: str) -> None:
        self.violations.append(Violation(path, BilingualText(en, vi)))


@dataclass(frozen=True, slots=True)
class _ReadParameter:
    """A parameter that stands at `at`; `styled` says that its form hangs on its style and schema."""

    at: JsonPath
    parameter: JsonObject
    form: ParameterForm
    schema: JsonObject
    styled: bool = False


def _together(read: Iterable[_ReadParameter]) -> tuple[JsonObject, dict[JsonPath, JsonPath]]:
    """The schema of all parameters; and by the place of each in that, where it stands in the document."""
    locations: dict[str, JsonObject] = {}
    definitions: JsonObject = {}
    parts: dict[JsonPath, JsonPath] = {}
    for one in read:
        location, name = one.form.location.value, one.form.name
        definitions |= one.schema.get("$defs", {})
        schema = {word: value for word, value in one.schema.items() if word != "$defs"}
        locations.setdefault(location, {"properties": {}})["properties"][name] = schema
        parts["properties", location, "properties", name] = one.at
    whole: JsonObject = {"properties": locations}
    return (whole | {"$defs": definitions} if definitions else whole), parts
