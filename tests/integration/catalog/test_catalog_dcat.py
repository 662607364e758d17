"""The catalog as a DCAT-AP catalogue, page by page, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rdflib import RDF, Graph
from rdflib.namespace import DCAT

from tests.integration.catalog.province import manifest, name, openapi

if TYPE_CHECKING:
    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog


# rdflib reads JSON-LD with a class of its own that it deprecates.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_all_pages_have_everything_in_the_form_that_is_asked_for(catalog: Catalog, place: Province) -> None:
    drafts = manifest(
        "Service",
        f"{place.provider}/draft-v1",
        name=name("Bản thử"),
        upstreams=["http://127.0.0.1:8204"],
        openapi=openapi(),
        lifecycle={"stage": "draft"},
    )
    body = {"manifests": [*place.everything(), drafts]}
    catalog.operator().post("/apply", json=body).raise_for_status()
    stranger = catalog.client(place.unrelated)

    for accept, kind, form in (
        ("text/turtle, application/ld+json;q=0.5", "text/turtle", "turtle"),
        ("*/*", "application/ld+json", "json-ld"),
    ):
        graph, path = Graph(), "/dcat?limit=1"
        while path:
            answer = stranger.get(path, headers={"Accept": accept})
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"].partition(";")[0] == kind
            graph.parse(data=answer.text, format=form)
            path = answer.links.get("next", {}).get("url", "").removeprefix("/catalog/v1")
        offered = {str(one) for one in graph.subjects(RDF.type, DCAT.DataService)}
        assert any(one.endswith(f"/services/{place.service_id}") for one in offered)
        assert not any("draft-v1" in one for one in offered)
        events = {str(one) for one in graph.subjects(RDF.type, DCAT.Dataset)}
        assert any(one.endswith(f"/event-types/{place.event_type_id}") for one in events)

    assert stranger.get("/dcat?cursor=bm9uZQ").status_code == 422
    assert stranger.get("/dcat?limit=0").status_code == 422
