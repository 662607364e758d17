"""How the parameters of an operation's calls are read, and what they have to be then."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from lienthong.contracts.catalog.v1 import routes_pb2
from lienthong.gateway.field_names import plain
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.paths import decoded_segments
from lienthong.gateway.persons import PathValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.gateway.body_checks import CheckMode
    from lienthong.gateway.request_headers import RequestHeaders

PATH: Final = "path"
QUERY: Final = "query"
HEADER: Final = "header"
"""Where a parameter is."""
_BEFORE_NAME: Final = len(b"\r\n")
_AFTER_NAME: Final = -len(b": ")
"""What a `field_prefix` has around the name."""


class Shape(Enum):
    """How values are written into a parameter, as the contract describes each."""

    VALUE = routes_pb2.PARAMETER_SHAPE_VALUE
    JSON = routes_pb2.PARAMETER_SHAPE_JSON
    LIST = routes_pb2.PARAMETER_SHAPE_LIST
    ALTERNATING = routes_pb2.PARAMETER_SHAPE_ALTERNATING
    PAIRS = routes_pb2.PARAMETER_SHAPE_PAIRS
    MEMBERS = routes_pb2.PARAMETER_SHAPE_MEMBERS
    BRACKETS = routes_pb2.PARAMETER_SHAPE_BRACKETS


@dataclass(frozen=True, slots=True)
class Spelling:
    """Which text stands for the number, or the boolean, that JSON spells so; all other text is text."""

    numbers: bool = False
    booleans: bool = False


@dataclass(frozen=True, slots=True)
class ParameterForm:
    """How one parameter is read."""

    location: str
    name: str
    required: bool
    shape: Shape
    separator: str
    """Between values; of a list empty where each comes by itself."""
    values: Spelling
    """Of the value, of each of a list, and of members of an object that are not in `members`."""
    members: Mapping[str, Spelling]


@dataclass(frozen=True, slots=True)
class StatedParameters:
    """What a request has of parameters."""

    path: Mapping[str, bytes]
    """By name, percent-encoding undone."""
    query: bytes
    """As it came, without the question mark."""
    headers: Mapping[str, list[bytes]]
    """The values of each field, by the name of the parameter."""
    respelled: frozenset[str] = frozenset()
    """Parameters in header fields of which another spelling is there, that many servers take for the same."""

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        values = [*self.path.values(), *(value for values in self.headers.values() for value in values)]
        return len(self.query) + sum(map(len, values))


class ParameterChecks:
    """The parameters of one operation, and the JSON Schema that they have to fit, as text.

    `packed` has the forms as processes that check are sent them: made once, for a call costs what its request
    takes, not what the document has.
    """

    __slots__ = ("_headers", "_path", "_plain", "mode", "packed", "schema")

    def __init__(self, mode: CheckMode, template: str, forms: Sequence[ParameterForm], schema: str) -> None:
        self.mode = mode
        self.packed = pickle.dumps(tuple(forms), pickle.HIGHEST_PROTOCOL)
        self.schema = schema
        self._path = [
            (one.name, PathValue.named(template, one.name)) for one in forms if one.location == PATH
        ]
        self._headers = [
            (one.name, field_prefix(one.name.lower().encode())) for one in forms if one.location == HEADER
        ]
        self._plain = {plain(name.lower().encode()): name for name, _ in self._headers}

    def stated(self, path: bytes, query: bytes, headers: RequestHeaders) -> StatedParameters:
        """What a request states by its path below the service, its query with the question mark, and its
        header fields."""
        segments = decoded_segments(path) if self._path else ()
        return StatedParameters(
            {name: place.text(segments) for name, place in self._path},
            query[1:],
            {name: headers.passed_values(prefix) for name, prefix in self._headers},
            self._respelled(headers) if self._headers else frozenset(),
        )

    def _respelled(self, headers: RequestHeaders) -> frozenset[str]:
        others = {*headers.passed[::2]} - {prefix for _, prefix in self._headers}
        names = (plain(prefix[_BEFORE_NAME:_AFTER_NAME]) for prefix in others)
        return frozenset(self._plain[name] for name in names if name in self._plain)


def parameter_checks(operation: routes_pb2.Operation, mode: CheckMode | None) -> ParameterChecks | None:
    """The checks of an operation; None where none of its parameters is checked.

    Raises:
        KeyError: a parameter is where this gateway reads none.
        ValueError: it has a shape that this gateway does not know, or the path has no such parameter.
    """
    if mode is None or not operation.HasField("parameters"):
        return None
    stated = operation.parameters
    return ParameterChecks(mode, operation.path, [_form(one) for one in stated.parameters], stated.schema)


_LOCATIONS: Final[dict[int, str]] = {
    routes_pb2.PARAMETER_LOCATION_PATH: PATH,
    routes_pb2.PARAMETER_LOCATION_QUERY: QUERY,
    routes_pb2.PARAMETER_LOCATION_HEADER: HEADER,
}


def _form(message: routes_pb2.ParameterForm) -> ParameterForm:
    return ParameterForm(
        _LOCATIONS[message.location],
        message.name,
        message.required,
        Shape(message.shape),
        message.separator,
        _spelling(message.values),
        {name: _spelling(spelling) for name, spelling in message.members.items()},
    )


def _spelling(message: routes_pb2.Spelling) -> Spelling:
    return Spelling(message.numbers, message.booleans)
