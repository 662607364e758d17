"""Resources as the catalog keeps them, and the manifests that show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lienthong.catalog import errors
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.checks import OperationChecks
from lienthong.catalog.domain.persons import PersonPlaces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lienthong.kit.json_text import JsonObject
    from lienthong.kit.problems import ProblemError

API_VERSION = "lienthong/v1"
ACTIVE = "active"
SUSPENDED = "suspended"


class ResourceKind(StrEnum):
    """A kind of resource; its value is the `kind` of a manifest.

    Each kind comes after those it refers to: the order in which rows can be written.
    """

    AGENCY = "Agency"
    SYSTEM = "System"
    SERVICE = "Service"
    EVENT_TYPE = "EventType"
    AGREEMENT = "Agreement"

    @property
    def noun(self) -> str:
        """The kind as an English noun in a sentence, e.g. `event type`."""
        return _NOUNS[self][0]

    @property
    def noun_vi(self) -> str:
        """The kind as a Vietnamese noun in a sentence, e.g. `loại sự kiện`."""
        return _NOUNS[self][1]


_NOUNS = {
    ResourceKind.AGENCY: ("agency", "cơ quan"),
    ResourceKind.SYSTEM: ("system", "hệ thống"),
    ResourceKind.SERVICE: ("service", "dịch vụ"),
    ResourceKind.EVENT_TYPE: ("event type", "loại sự kiện"),
    ResourceKind.AGREEMENT: ("agreement", "thoả thuận"),
}

T = TypeVar("T")

_PORTIONS = {
    ResourceKind.AGENCY: 100,
    ResourceKind.SYSTEM: 25,
    ResourceKind.SERVICE: 1,
    ResourceKind.EVENT_TYPE: 8,
    ResourceKind.AGREEMENT: 25,
}
"""So many of the largest that there may be take about half a megabyte; a service with its document one."""


def portions(kind: ResourceKind, parts: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield parts of resources of a kind in portions, each read or written within some milliseconds."""
    portion = _PORTIONS[kind]
    for start in range(0, len(parts), portion):
        yield parts[start : start + portion]


ResourceKey = tuple[ResourceKind, str]
"""What identifies a resource in the whole catalog: its kind and its id."""


@dataclass(frozen=True, slots=True)
class SoapForm:
    """How calls of an operation of SOAP are known.

    By the first element of their Body, whose `element` is empty where the Body is; `actions` are those that
    a call may state, as SOAPAction or by WS-Addressing.
    """

    namespace: str
    element: str
    actions: tuple[str, ...]

    @classmethod
    def of(cls, name: str, actions: tuple[str, ...]) -> SoapForm:
        """Return the form of calls with an element that is named `namespace local`."""
        namespace, _, element = name.rpartition(" ")
        return cls(namespace, element, actions)

    @property
    def name(self) -> str:
        """The element as `namespace local`, or `local` where it has no namespace."""
        return f"{self.namespace} {self.element}".strip()


@dataclass(frozen=True, slots=True)
class ServiceOperation:
    """A method and path template, and its name (see `operation_names`); of SOAP that of the WSDL document."""

    id: str
    method: str
    path: str
    soap: SoapForm | None = None
    persons: PersonPlaces | None = None
    checks: OperationChecks | None = None

    @property
    def routed_bytes(self) -> int:
        """About how many bytes gateways are sent of it, what it is checked for aside."""
        texts = [self.id, self.path]
        if self.soap is not None:
            texts += (self.soap.name, *self.soap.actions)
        if self.persons is not None:
            texts += (
                *(one.name for one in self.persons.parameters),
                *self.persons.request,
                *self.persons.answer,
            )
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)

    def document(self) -> dict[str, Any]:
        """Return the operation as JSON, as it is shown."""
        document: dict[str, Any] = {"id": self.id, "method": self.method, "path": self.path}
        if self.soap is not None:
            form = self.soap
            document["soap"] = {
                "namespace": form.namespace,
                "element": form.element,
                "actions": list(form.actions),
            }
        if self.persons is not None:
            document["persons"] = self.persons.document()
        return document

    def stored(self) -> dict[str, Any]:
        """Return the operation as JSON, with the schemas that its calls are checked against."""
        document = self.document()
        return document if self.checks is None else {**document, "checks": self.checks.document()}

    @classmethod
    def read(cls, document: JsonObject) -> ServiceOperation:
        """Return an operation of what `stored` returned."""
        soap = document.get("soap")
        form = SoapForm(soap["namespace"], soap["element"], tuple(soap["actions"])) if soap else None
        persons = PersonPlaces.read(document["persons"]) if "persons" in document else None
        checks = OperationChecks.read(document["checks"]) if "checks" in document else None
        return cls(document["id"], document["method"], document["path"], form, persons, checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource. Features derive from it what their kind has in addition.

    `owner` is the agency that has it now, "" where it is that of the id: ids stay when agencies merge.
    `spec` is in canonical form. `status` is active or suspended (a service or event type has its system's),
    for an agreement its place in the life cycle. `version` is the catalog's version at the last change.
    """

    kind: ResourceKind
    id: str
    spec: JsonObject
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    owner: str = ""

    @property
    def key(self) -> ResourceKey:
        """What identifies the resource."""
        return self.kind, self.id

    @property
    def provider_agency(self) -> str:
        """The code of the agency under which the resource was registered: rights for it reach the resource,
        for those of its successors reach it too."""
        return agency_of(self.id)

    @property
    def agency(self) -> str:
        """The code of the agency that has the resource now."""
        return self.owner or agency_of(self.id)

    def declared_spec(self) -> JsonObject:
        """Return the whole spec as a manifest would declare it."""
        return dict(self.spec)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as the catalog answers it: with version, times and status."""
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind.value,
            "metadata": {
                "id": self.id,
                "version": self.version,
                "createdAt": validity.write(self.created_at),
                "updatedAt": validity.write(self.updated_at),
            },
            "spec": self.declared_spec(),
            "status": self.status,
        }


class Watched(Protocol):
    """What processes that follow the catalog are sent of a resource; features say what else it has."""

    @property
    def kind(self) -> ResourceKind:
        """The kind of the resource."""
        ...

    @property
    def id(self) -> str:
        """The id of the resource."""
        ...

    @property
    def key(self) -> ResourceKey:
        """What identifies the resource."""
        ...


@dataclass(frozen=True, slots=True)
class WatchScope:
    """What a watch is sent: resources of some kinds, and agreements on some kinds."""

    kinds: tuple[ResourceKind, ...]
    agreements_on: frozenset[ResourceKind]


def agency_of(resource_id: str) -> str:
    """Return the agency code that the id of a system, service or event type begins with."""
    return resource_id.partition("/")[0]


def owner_of(resource_id: str, agency: str) -> str:
    """Return the `owner` of a resource that an agency has: "" where the id says the same."""
    return "" if agency == agency_of(resource_id) else agency


def unknown_resource(key: ResourceKey) -> ProblemError:
    """Return the problem that says that there is no such resource."""
    kind, resource_id = key
    return errors.unknown_resource(kind.noun, kind.noun_vi, resource_id)
