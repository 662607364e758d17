"""Programs that are made of an agency's one document call by what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from lienthong.client import Client, operations
from tests.integration.practice.services import apply, call, service_id
from tests.support.platform import PURPOSE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.practice.raw import Provider
    from tests.support.platform import Platform

DOCUMENT = """\
openapi: 3.0.3
info: {title: Thửa đất, version: 1.0.0}
paths:
  /bundled/{id}:
    get:
      operationId: getBundled
      parameters: [{name: id, in: path, required: true, schema: {type: string, nullable: true}}]
      responses: {"200": {description: OK}}
"""


def only(document: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The document with one service of the agency: those of other tests are no better than what was given."""
    own = f"{service.partition('/')[2].replace('/', '.')}."
    components = {
        kind: {
            name: part for name, part in parts.items() if name.startswith(own) or kind == "securitySchemes"
            or name == "lgsp.purpose"
        }
        for kind, parts in document["components"].items()
    }  # fmt: skip
    paths = {path: item for path, item in document["paths"].items() if path.startswith(f"/{service}/")}
    return {**document, "paths": paths, "components": components}


def test_a_call_by_the_document_reaches_the_provider(
    platform: Platform, provider: Provider, tmp_path: Path
) -> None:
    service = service_id("bundled-v1")
    agency = service.partition("/")[0]
    apply(platform, tmp_path, service, DOCUMENT, provider.url)
    call(platform, service, "/bundled/1")
    with Client(platform.consumer) as consumer:
        document, _ = consumer.perform(operations.agency_openapi(agency, agreed=True))
        token = consumer.token().value
    validate(only(document, service), cls=OpenAPIV31SpecValidator)
    (path,) = (one for one in document["paths"] if one.startswith(f"/{service}/"))
    operation = document["paths"][path]["get"]
    assert operation["operationId"].endswith("_getBundled")
    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["clientCredentials"]["tokenUrl"].endswith("/oauth2/token")
    answer = httpx.get(
        document["servers"][0]["url"] + path.replace("{id}", "7"),
        headers={"Authorization": f"Bearer {token}", "LGSP-Purpose": PURPOSE},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
