"""What DCAT-AP 3.0.1 calls the things of the catalog.

A service is a Data Service, an event type a Dataset whose Distribution is had by subscribing, an agency an
Agent. Mandatory properties are all there (DCAT-AP 3.0.1, sections on Catalogue, Data Service, Dataset,
Distribution and Agent); of optional ones those that the catalog knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lienthong.catalog.dcat.domain.graph import Iri, Literal, Node, Value
from lienthong.catalog.domain import validity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lienthong.catalog.domain.resources import Resource
    from lienthong.catalog.services.domain.service import ServiceResource


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of things. `public_url` is the gateway's for callers, without a `/` at its end."""

    public_url: str
    instance: str

    @property
    def catalogue(self) -> str:
        """The catalogue itself."""
        return f"{self.public_url}/catalog/v1/dcat"

    @property
    def publisher(self) -> str:
        """Who publishes the catalogue."""
        return f"{self.catalogue}#publisher"

    def agency(self, code: str) -> str:
        """An agency."""
        return f"{self.public_url}/catalog/v1/agencies/{code}"

    def service(self, identity: str) -> str:
        """A service."""
        return f"{self.public_url}/catalog/v1/services/{identity}"

    def event_type(self, identity: str) -> str:
        """An event type."""
        return f"{self.public_url}/catalog/v1/event-types/{identity}"


def nodes(
    at: Addresses,
    services: Sequence[ServiceResource],
    event_types: Sequence[Resource],
    agencies: Mapping[str, Resource],
) -> Iterator[Node]:
    """Yield the catalogue with some services and event types, these, and the agencies that publish them."""
    yield _catalogue(at, services, event_types)
    yield Node(at.publisher, ("foaf:Agent",), [("foaf:name", Literal(f"Liên thông {at.instance}"))])
    for service in services:
        yield _service(at, service)
    for event_type in event_types:
        yield from _event_type(at, event_type)
    for code in sorted({one.agency for one in (*services, *event_types)}):
        yield _agency(at, code, agencies.get(code))


def _catalogue(at: Addresses, services: Sequence[Resource], event_types: Sequence[Resource]) -> Node:
    return Node(
        at.catalogue,
        ("dcat:Catalog",),
        [
            ("dct:title", Literal(f"Danh mục dịch vụ dữ liệu {at.instance}", "vi")),
            ("dct:title", Literal(f"Catalogue of data services of {at.instance}", "en")),
            ("dct:description", Literal("Dịch vụ và loại sự kiện của các cơ quan trên nền tảng.", "vi")),
            ("dct:description", Literal("Services and event types of the agencies on the platform.", "en")),
            ("dct:publisher", Iri(at.publisher)),
            *(("dcat:service", Iri(at.service(one.id))) for one in services),
            *(("dcat:dataset", Iri(at.event_type(one.id))) for one in event_types),
        ],
    )


def _service(at: Addresses, service: ServiceResource) -> Node:
    iri = at.service(service.id)
    speaks_soap = any(operation.soap is not None for operation in service.operations)
    return Node(
        iri,
        ("dcat:DataService",),
        [
            *_named("dct:title", service),
            ("dcat:endpointURL", Iri(f"{at.public_url}/api/{service.id}")),
            ("dcat:endpointDescription", Iri(f"{iri}/{'wsdl' if speaks_soap else 'openapi'}")),
            *_published(at, service),
        ],
    )


def _event_type(at: Addresses, event_type: Resource) -> Iterator[Node]:
    iri = at.event_type(event_type.id)
    described = _object(event_type.spec.get("dataSchema")).get("description")
    about = [("dct:description", Literal(described))] if isinstance(described, str) and described else None
    yield Node(
        iri,
        ("dcat:Dataset",),
        [
            *_named("dct:title", event_type),
            *(about or _named("dct:description", event_type)),
            ("dcat:distribution", Iri(f"{iri}#events")),
            *_published(at, event_type),
        ],
    )
    yield Node(
        f"{iri}#events",
        ("dcat:Distribution",),
        [
            *_named("dct:title", event_type),
            ("dcat:accessURL", Iri(f"{at.public_url}/exchange/v1/subscriptions")),
        ],
    )


def _agency(at: Addresses, code: str, agency: Resource | None) -> Node:
    names = [("foaf:name", Literal(code))] if agency is None else _named("foaf:name", agency)
    about = [*names, ("dct:identifier", Literal(code))]
    return Node(at.agency(code), ("foaf:Agent", "org:Organization"), about)


def _named(name: str, resource: Resource) -> list[tuple[str, Value]]:
    given = _object(resource.spec.get("name"))
    texts = [(name, Literal(str(given[one]), one)) for one in ("vi", "en") if given.get(one)]
    return [*texts] or [(name, Literal(resource.id))]


def _published(at: Addresses, resource: Resource) -> list[tuple[str, Value]]:
    return [
        ("dct:publisher", Iri(at.agency(resource.agency))),
        ("dct:identifier", Literal(resource.id)),
        ("dct:issued", Literal(validity.write(resource.created_at), datatype="xsd:dateTime")),
        ("dct:modified", Literal(validity.write(resource.updated_at), datatype="xsd:dateTime")),
    ]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
