"""The parameters that an OpenAPI document declares, and how the gateway tells their values apart.

OpenAPI 3.1.1, section 4.8.12. Values are text, or lists of it: `form`, `spaceDelimited` and `pipeDelimited`
in the query, `simple` in paths and header fields. In objects, `deepObject`, `matrix`, `label` and parameters
with `content` no persons are looked for, and cookies do not pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain.persons import ParameterLocation, ParameterPlace
from lienthong.catalog.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lienthong.catalog.services.domain.references import References
    from lienthong.kit.json_pointer import JsonPath
    from lienthong.kit.json_text import JsonObject

SEPARATORS: Final = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_STYLES: Final = {
    ParameterLocation.PATH: ("simple",),
    ParameterLocation.QUERY: tuple(SEPARATORS),
    ParameterLocation.HEADER: ("simple",),
}
_STATED: Final = "lgsp-"
_NOT_PARAMETERS: Final = frozenset(("accept", "content-type", "authorization"))
"""Header fields that OpenAPI describes elsewhere: parameters of these names mean nothing."""
_NEVER_PASS: Final = frozenset(
    (
        "connection", "content-length", "cookie", "dpop", "expect", "forwarded", "host", "http2-settings",
        "keep-alive", "te", "traceparent", "trailer", "transfer-encoding", "true-client-ip", "upgrade",
        "x-client-ip", "x-real-ip",
    )
)  # fmt: skip
_FAMILIES_THAT_NEVER_PASS: Final = ("proxy-", "x-forwarded-", "x-original-", "x-road-")
_FIELD_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, section 5.6.2."""
_IN_PATH: Final = re.compile(r"\{([^{}]*)\}")


def declared(
    item: JsonObject, operation: JsonObject, references: References, place: JsonPath
) -> Iterator[tuple[JsonPath, JsonObject]]:
    """Yield the parameters of an operation, those of its path item included, each with where it stands.

    `place` is the operation's; what the operation declares itself goes before what its path item does.

    Raises:
        InvalidValueError: a reference cannot be followed.
    """
    known: set[tuple[object, object]] = set()
    for at, owner in ((place, operation), (place[:2], item)):
        listed = owner.get("parameters", [])
        for index, parameter in enumerate(listed if isinstance(listed, list) else []):
            if not isinstance(parameter, dict):
                continue
            found = references.resolved(parameter)
            key = (found.get("in"), found.get("name"))
            # What is no text, which is told later, is nothing that another one could be the same as.
            if not all(isinstance(part, str) for part in key):
                yield (*at, "parameters", index), found
            elif key not in known:
                known.add(key)
                yield (*at, "parameters", index), found


def place_of(parameter: JsonObject, path: str, references: References) -> ParameterPlace:
    """Return where the values of a parameter of an operation at `path` are.

    Raises:
        InvalidValueError: the gateway cannot tell its values apart.
    """
    location = location_of(parameter)
    name = name_of(parameter, location, path)
    if location is ParameterLocation.HEADER and is_not_the_callers(name):
        raise InvalidValueError(
            f"'{name}' is not a parameter of the provider's", f"'{name}' không phải tham số của bên cung cấp"
        )
    if "content" in parameter or not isinstance(parameter.get("schema"), dict):
        raise InvalidValueError(
            "the gateway reads parameters that have a 'schema'",
            "cổng chỉ đọc được tham số có 'schema'",
        )
    style = style_of(parameter, _STYLES[location])
    return ParameterPlace(location, name, _separator(parameter, style, references))


def location_of(parameter: JsonObject) -> ParameterLocation:
    """Return where a parameter is.

    Raises:
        InvalidValueError: the gateway reads none there.
    """
    try:
        return ParameterLocation(parameter.get("in"))
    except ValueError:
        raise InvalidValueError(
            "parameters are in 'path', 'query' or 'header'; cookies do not pass the gateway",
            "tham số nằm trong 'path', 'query' hoặc 'header'; cookie không đi qua cổng",
        ) from None


def name_of(parameter: JsonObject, location: ParameterLocation, path: str) -> str:
    """Return the name of a parameter of an operation at `path`.

    Raises:
        InvalidValueError: it has none, the path has no such parameter, or it is no name of a header field.
    """
    name = parameter.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidValueError("the parameter has no name", "tham số không có tên")
    if location is ParameterLocation.PATH and name not in _IN_PATH.findall(path):
        raise InvalidValueError(f"the path has no '{{{name}}}'", f"đường dẫn không có '{{{name}}}'")
    if location is ParameterLocation.HEADER and not _FIELD_NAME.fullmatch(name):
        raise InvalidValueError(
            "a header field has a name of letters, digits and !#$%&'*+.^_`|~-",
            "tên trường tiêu đề chỉ gồm chữ cái không dấu, chữ số và !#$%&'*+.^_`|~-",
        )
    return name


def is_not_the_callers(name: str) -> bool:
    """Tell whether a header field is one that OpenAPI describes elsewhere, or the platform's own."""
    lower = name.lower()
    return lower.startswith(_STATED) or lower in _NOT_PARAMETERS


def never_passes(name: str) -> bool:
    """Tell whether gateways keep a header field to themselves, or write it; of those that documents name."""
    plain = re.sub("[^a-z0-9]", "-", name.lower())
    return plain in _NEVER_PASS or plain.startswith(_FAMILIES_THAT_NEVER_PASS)


def style_of(parameter: JsonObject, styles: Sequence[str]) -> str:
    """Return the style of a parameter; the first of `styles` where it says none.

    Raises:
        InvalidValueError: it is none of `styles`.
    """
    style = parameter.get("style", styles[0])
    if style not in styles:
        raise InvalidValueError(
            f"the gateway does not read parameters of the style '{style}'; it reads {', '.join(styles)} here",
            f"cổng không đọc được tham số kiểu '{style}'; ở đây cổng đọc {', '.join(styles)}",
        )
    return str(style)


def _separator(parameter: JsonObject, style: str, references: References) -> str:
    kinds = references.resolved(parameter["schema"]).get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds:
        raise InvalidValueError(
            "the gateway does not read parameters that are objects",
            "cổng không đọc được tham số là đối tượng",
        )
    if "array" not in kinds:
        return ""
    if style == "simple":
        return ","
    explode = parameter.get("explode", style == "form")
    return "" if explode else SEPARATORS[style]
