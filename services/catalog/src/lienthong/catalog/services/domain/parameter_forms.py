"""How the parameters of an operation are read to be checked, as their style and schema say it.

OpenAPI 3.1.1, section 4.8.12: `form`, `spaceDelimited`, `pipeDelimited` and `deepObject` in the query,
`simple` in paths and header fields, and `content`. `label` and `matrix` are refused, and so are objects whose
members cannot be told from other parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain.checks import ParameterForm, ParameterShape
from lienthong.catalog.domain.persons import ParameterLocation
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain.parameters import (
    SEPARATORS,
    location_of,
    name_of,
    never_passes,
    style_of,
)
from lienthong.catalog.services.domain.value_types import ValueKind

if TYPE_CHECKING:
    from lienthong.catalog.services.domain.value_types import ValueForm, ValueReader
    from lienthong.kit.json_text import JsonObject

DEEP: Final = "deepObject"
_SIMPLE: Final = "simple"
_FORM: Final = "form"
_STYLES: Final = {
    ParameterLocation.PATH: (_SIMPLE,),
    ParameterLocation.QUERY: (*SEPARATORS, DEEP),
    ParameterLocation.HEADER: (_SIMPLE,),
}


def stated_form(parameter: JsonObject, path: str) -> ParameterForm:
    """Return the form of a parameter of an operation at `path`, as far as it does not hang on its schema.

    Raises:
        InvalidValueError: it has no name, is where the gateway reads none or never passes to the provider
            though it is required, or may be empty whatever its schema says.
    """
    location = location_of(parameter)
    name = name_of(parameter, location, path)
    if parameter.get("allowEmptyValue") is True:
        raise InvalidValueError(
            "'allowEmptyValue' is not read; let the schema say whether the value may be empty",
            "'allowEmptyValue' không được đọc; hãy để lược đồ nêu giá trị có được trống hay không",
        )
    required = parameter.get("required") is True
    if required and location is ParameterLocation.HEADER and never_passes(name):
        raise InvalidValueError(
            f"'{name}' is required and never passes the gateway, which would refuse each call; leave it out",
            f"'{name}' là bắt buộc nhưng không bao giờ qua cổng, nên cổng sẽ từ chối mọi lời gọi; hãy bỏ đi",
        )
    return ParameterForm(location, name, required)


def json_form(form: ParameterForm) -> ParameterForm:
    """Return the form of a parameter whose `content` is a JSON document."""
    return ParameterForm(form.location, form.name, form.required, ParameterShape.JSON)


def schema_form(
    form: ParameterForm, parameter: JsonObject, reader: ValueReader, schema: JsonObject
) -> ParameterForm:
    """Return the form of a parameter of a schema, which stands for itself and can be used.

    Raises:
        InvalidValueError: it is not sure how it is read.
    """
    style = style_of(parameter, _STYLES[form.location])
    explode = parameter.get("explode", style == _FORM) is True
    values = reader.form(schema)
    shape, separator = _shape(values, style, explode=explode)
    return ParameterForm(
        form.location, form.name, form.required, shape, separator, values.values, values.members
    )


def _shape(values: ValueForm, style: str, *, explode: bool) -> tuple[ParameterShape, str]:
    if style == DEEP and values.kind is not ValueKind.OBJECT:
        raise InvalidValueError(f"the style '{DEEP}' is for objects", f"kiểu '{DEEP}' chỉ dành cho đối tượng")
    separator = SEPARATORS.get(style, ",")
    match values.kind:
        case ValueKind.VALUE:
            return ParameterShape.VALUE, ""
        case ValueKind.ARRAY:
            return ParameterShape.LIST, "" if explode and style != _SIMPLE else separator
        case ValueKind.OBJECT:
            return _object_shape(values, style, separator, explode=explode)


def _object_shape(
    values: ValueForm, style: str, separator: str, *, explode: bool
) -> tuple[ParameterShape, str]:
    if style == DEEP:
        return ParameterShape.BRACKETS, ""
    if not explode:
        return ParameterShape.ALTERNATING, separator
    if style == _SIMPLE:
        return ParameterShape.PAIRS, ","
    if style != _FORM:
        raise InvalidValueError(
            f"objects in the style '{style}' are not exploded; write 'explode: false'",
            f"đối tượng theo kiểu '{style}' không tách rời; hãy ghi 'explode: false'",
        )
    if values.other_members or not values.members:
        raise InvalidValueError(
            "members that the schema does not name cannot be told from other parameters; name them, write "
            f"'explode: false', or use the style '{DEEP}'",
            "thành phần mà lược đồ không nêu tên thì không phân biệt được với tham số khác; hãy nêu tên, ghi "
            f"'explode: false' hoặc dùng kiểu '{DEEP}'",
        )
    return ParameterShape.MEMBERS, ""
