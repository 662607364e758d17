"""A service of SOAP, as calls are matched against it: one path, and operations by the element in the Body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.operations import OperationRoute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lienthong.contracts.catalog.v1 import routes_pb2

_ASKS_FOR_WSDL: Final = frozenset((b"?wsdl", b"?WSDL", b"?singleWsdl"))
"""The queries by which tools ask for the description of a service at its path."""


class SoapOperation:
    """An operation, and the actions that its calls may state."""

    __slots__ = ("actions", "route")

    def __init__(self, route: OperationRoute, actions: Iterable[str]) -> None:
        self.route = route
        self.actions = frozenset(actions)


class SoapService:
    """The path of a service below its base address, and its operations. Immutable once built.

    The operations are by the first element of the Body of their calls: `namespace local`, `local` where it
    has no namespace, empty where the Body is.
    """

    __slots__ = ("_described", "_methods", "_operations", "_path", "description")

    def __init__(self, path: str, operations: Mapping[str, SoapOperation]) -> None:
        self._path = path.encode()
        self._operations = operations
        call = OperationRoute("", "POST", path)
        self.description = description = OperationRoute("", "GET", path)
        """What answers with the WSDL document; it is none of the provider's operations."""
        self._methods = {"POST": call}
        self._described = {"POST": call, "GET": description, "HEAD": description}

    def methods(self, service: str, path: bytes, query: bytes) -> Mapping[str, OperationRoute]:
        """What the path of `service` takes, by method: a call, of an operation that its body names.

        Only the very path: another spelling of it is none of the document's.

        Raises:
            ProblemError: unknown-operation.
        """
        if path != self._path:
            raise problems.unknown_operation(service)
        return self._described if query in _ASKS_FOR_WSDL else self._methods

    def operation(self, element: str) -> SoapOperation | None:
        """The operation whose calls have this first element in their Body."""
        return self._operations.get(element)


def soap_service(message: routes_pb2.Soap) -> SoapService:
    """Read how a service is called."""
    return SoapService(
        message.path,
        {
            f"{one.namespace} {one.element}".strip(): SoapOperation(
                OperationRoute(one.id, "POST", message.path), one.actions
            )
            for one in message.operations
        },
    )
