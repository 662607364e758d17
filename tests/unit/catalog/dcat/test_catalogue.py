"""The catalog in DCAT-AP 3.0.1: both forms say the same, and what is mandatory is there.

The rules are those of the specification's tables, written down here: its SHACL shapes are not part of this
repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import RDF, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, XSD

from lienthong.catalog.agencies.domain.agency import AgencyResource
from lienthong.catalog.dcat.domain.catalogue import Addresses, nodes
from lienthong.catalog.dcat.domain.graph import Iri, Literal, Node, json_ld, turtle
from lienthong.catalog.domain.resources import Resource, ResourceKind, ServiceOperation, SoapForm
from lienthong.catalog.services.domain.service import ServiceResource
from tests.unit.catalog.manifests import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

# rdflib reads JSON-LD with a class of its own that it deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
AT = Addresses("https://lgsp.example.vn", "VN-BTN")
MEMBERS: dict[str, Any] = {"status": "active", "version": 1, "created_at": NOW, "updated_at": NOW}
NAME = {"vi": 'Thửa "đất"', "en": "Parcels\nand more \\"}

# Of each class its mandatory properties, those that may be there once, and the class or type of values.
MANDATORY = {
    DCAT.Catalog: {DCTERMS.title, DCTERMS.description, DCTERMS.publisher},
    DCAT.DataService: {DCTERMS.title, DCAT.endpointURL},
    DCAT.Dataset: {DCTERMS.title, DCTERMS.description},
    DCAT.Distribution: {DCAT.accessURL},
    FOAF.Agent: {FOAF.name},
}
ONCE = {DCTERMS.publisher, DCTERMS.issued, DCTERMS.modified}
OF_CLASS: dict[Any, URIRef] = {
    DCTERMS.publisher: FOAF.Agent,
    DCAT.service: DCAT.DataService,
    DCAT.dataset: DCAT.Dataset,
    DCAT.distribution: DCAT.Distribution,
}
IRIS = {DCAT.endpointURL, DCAT.endpointDescription, DCAT.accessURL}
LITERALS = {DCTERMS.title, DCTERMS.description, DCTERMS.identifier, FOAF.name}
TIMES = {DCTERMS.issued, DCTERMS.modified}


def service(identity: str, *operations: ServiceOperation) -> ServiceResource:
    """A service."""
    return ServiceResource(id=identity, spec={"name": NAME}, operations=operations, **MEMBERS)


def event_type(identity: str, **schema: object) -> Resource:
    """An event type."""
    spec = {"name": NAME, "dataSchema": {"type": "object", **schema}}
    return Resource(kind=ResourceKind.EVENT_TYPE, id=identity, spec=spec, **MEMBERS)


def everything() -> Sequence[Node]:
    """A page with services of two agencies, of which the catalog has one, and event types."""
    agency = AgencyResource(id="H11.05", spec={"name": NAME, "class": "GOV"}, **MEMBERS)
    soap = ServiceOperation("Lookup", "POST", "/", SoapForm("urn:x", "Lookup", ()))
    services = [service("H11.05/land/parcels-v1"), service("H11.06/care/soap-v1", soap)]
    events = [event_type("H11.05/land/changed-v1"), event_type("H11.05/land/sold-v1", description="Bán")]
    return list(nodes(AT, services, events, {"H11.05": agency}))


def parsed() -> Graph:
    """The page, read by another program."""
    return Graph().parse(data=turtle(everything()), format="turtle")


def test_both_forms_say_the_same() -> None:
    assert isomorphic(parsed(), Graph().parse(data=json_ld(everything()), format="json-ld"))


@pytest.mark.parametrize("kind", MANDATORY, ids=[str(kind).rpartition("#")[2] for kind in MANDATORY])
def test_what_is_mandatory_is_there(kind: URIRef) -> None:
    graph = parsed()
    found = list(graph.subjects(RDF.type, kind))
    assert found
    for subject in found:
        assert MANDATORY[kind] <= set(graph.predicates(subject)), subject


def test_values_are_of_the_class_or_type_that_they_have_to_be() -> None:
    graph = parsed()
    for subject, name, value in graph:
        if name in OF_CLASS:
            assert (value, RDF.type, OF_CLASS[name]) in graph, (subject, name)
        if name in IRIS:
            assert isinstance(value, URIRef)
        if name in LITERALS:
            assert isinstance(value, RdfLiteral)
        if name in TIMES:
            assert isinstance(value, RdfLiteral)
            assert value.datatype == XSD.dateTime
        if name in ONCE:
            assert len(list(graph.objects(subject, name))) == 1


def test_documents_and_addresses_are_those_of_the_gateway() -> None:
    graph = parsed()
    rest, soap = (URIRef(AT.service(one)) for one in ("H11.05/land/parcels-v1", "H11.06/care/soap-v1"))
    assert graph.value(rest, DCAT.endpointURL) == URIRef("https://lgsp.example.vn/api/H11.05/land/parcels-v1")
    assert graph.value(rest, DCAT.endpointDescription) == URIRef(f"{rest}/openapi")
    assert graph.value(soap, DCAT.endpointDescription) == URIRef(f"{soap}/wsdl")
    assert {str(name) for name in graph.objects(rest, DCTERMS.title)} == set(NAME.values())
    sold = URIRef(AT.event_type("H11.05/land/sold-v1"))
    assert graph.value(sold, DCTERMS.description) == RdfLiteral("Bán")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_and_any_reference_is_read_as_it_was(text: str) -> None:
    node = Node("https://x.example/a", ("dcat:Dataset",), [("dct:title", Literal(text, "vi"))])
    other = Node(
        "https://x.example/b", ("dcat:Dataset",), [("dct:relation", Iri(f"https://x.example/{text}"))]
    )
    for graph in (
        Graph().parse(data=turtle([node, other]), format="turtle"),
        Graph().parse(data=json_ld([node, other]), format="json-ld"),
    ):
        assert graph.value(URIRef(node.iri), DCTERMS.title) == RdfLiteral(text, lang="vi")
        assert isinstance(graph.value(URIRef(other.iri), DCTERMS.relation), URIRef)
