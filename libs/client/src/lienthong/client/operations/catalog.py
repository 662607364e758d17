"""Operations of the catalog: resources of every kind, agreements and their decisions."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from lienthong.client.answers import AppliedResource, ApplyResult, ExportPage, FieldChange, Found, Notice
from lienthong.client.errors import Text
from lienthong.client.operations.operation import (
    JSON,
    Operation,
    given,
    json_bytes,
    json_object,
    page_of,
    path_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from lienthong.client.answers import Page

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "agencies": "Agency",
        "systems": "System",
        "services": "Service",
        "agreements": "Agreement",
        "event-types": "EventType",
    }
)
"""The kinds of resources: as they stand in paths, and as they stand in manifests."""
FILTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agencies": ("parent", "merged_into"),
        "systems": ("agency",),
        "services": ("agency", "system", "stage"),
        "agreements": (
            "status",
            "consumer",
            "service",
            "event_type",
            "provider",
            "consumer_agency",
            "waiting_for",
        ),
        "event-types": ("agency", "system"),
    }
)
"""The query parameters by which the catalog narrows a list, by kind."""
LARGEST_PAGE = 100


def apply(
    manifests: Sequence[Mapping[str, Any]], *, dry_run: bool, allow_breaking: bool = False
) -> Operation[ApplyResult]:
    """Create or update resources, all or none of them; `allow_breaking` also what breaks callers."""
    allowed = {"allow_breaking": "true"} if allow_breaking else {}
    return Operation(
        "POST",
        "/catalog/v1/apply",
        _apply_result,
        params={"dry_run": "true" if dry_run else "false", **allowed},
        headers=JSON,
        content=json_bytes({"manifests": list(manifests)}),
    )


def export(
    *, agency: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Operation[ExportPage]:
    """A page of all that the catalog has, or an agency; the operator's alone.

    Each item is a manifest with its documents, and an agreement's with all that was done with it.
    """
    params = given({"agency": agency, "cursor": cursor, "limit": limit})
    return Operation("GET", "/catalog/v1/export", _export_page, params=params)


def restore(manifests: Sequence[Mapping[str, Any]], *, dry_run: bool) -> Operation[ApplyResult]:
    """Bring back what the catalog lacks of an export, all or none; the operator's alone."""
    return Operation(
        "POST",
        "/catalog/v1/restore",
        _apply_result,
        params={"dry_run": "true" if dry_run else "false"},
        headers=JSON,
        content=json_bytes({"manifests": list(manifests)}),
    )


def manifests(
    kind: str,
    filters: Mapping[str, str] | None = None,
    *,
    cursor: str | None = None,
    limit: int | None = None,
) -> Operation[Page]:
    """A page of the catalog's resources of a kind (`KINDS`) that match every filter (`FILTERS`)."""
    params = given({**(filters or {}), "cursor": cursor, "limit": limit})
    return Operation("GET", f"/catalog/v1/{kind}", page_of, params=params)


def manifest(kind: str, resource_id: str) -> Operation[Mapping[str, Any]]:
    """One resource of the catalog."""
    return Operation("GET", f"/catalog/v1/{kind}/{path_of(resource_id)}", json_object)


def search(
    words: str,
    *,
    kind: str | None = None,
    agency: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Operation[Found]:
    """A page of what has all words, typed with or without marks; the last one may be a beginning.

    `kind` is one of manifests (`Service`), `agency` a code; without words everything is found.
    """
    params = given({"q": words, "kind": kind, "agency": agency, "cursor": cursor, "limit": limit})
    return Operation("GET", "/catalog/v1/search", _found, params=params)


def _found(response: httpx.Response) -> Found:
    document = json_object(response)
    return Found(
        items=tuple(document["items"]),
        total=int(document["total"]),
        facets=document["facets"],
        next=document.get("next"),
    )


def quality(service_id: str) -> Operation[Mapping[str, Any]]:
    """How well the OpenAPI document of a service serves those who call by it."""
    return Operation("GET", f"/catalog/v1/services/{path_of(service_id)}/quality", json_object)


def agency_openapi(
    agency: str, *, agreed: bool = False, cursor: str | None = None
) -> Operation[tuple[Mapping[str, Any], str | None]]:
    """The services of an agency as one OpenAPI document, and the cursor of one with those that follow.

    With `agreed` only what the calling system may call under agreements in force.
    """
    params = given({"cursor": cursor, "agreed": "true" if agreed else None})
    return Operation("GET", f"/catalog/v1/agencies/{path_of(agency)}/openapi", _linked, params=params)


def _linked(response: httpx.Response) -> tuple[Mapping[str, Any], str | None]:
    address = response.links.get("next", {}).get("url")
    following = None if address is None else parse_qs(urlsplit(address).query)["cursor"][0]
    return json_object(response), following


def request_agreement(agreement_id: str, spec: Mapping[str, Any]) -> Operation[Mapping[str, Any]]:
    """Ask for an agreement; the provider's agency or the operator decides."""
    return Operation(
        "POST",
        "/catalog/v1/agreements",
        json_object,
        headers=JSON,
        content=json_bytes({"id": agreement_id, **spec}),
    )


def decide_agreement(
    agreement_id: str,
    decision: str,
    *,
    legal_ground: str | None,
    reason: str | None,
    amendment: bool = False,
) -> Operation[Mapping[str, Any]]:
    """Take a step with an agreement: `submit`, `answer`, `withdraw` as its consumer; `ask`, `approve`,
    `reject`, `suspend`, `resume`, `revoke` as the owner of the data.

    A rejection names its legal ground; a question, an answer, a suspension and a revocation say why. With
    `amendment` it is a step with the amendment that waits: all but `submit`, `suspend`, `resume`, `revoke`.
    """
    of = "/amendment" if amendment else ""
    return Operation(
        "POST",
        f"/catalog/v1/agreements/{path_of(agreement_id)}{of}/{decision}",
        json_object,
        headers=JSON,
        content=json_bytes(given({"legal_ground": legal_ground, "reason": reason})),
    )


def amend_agreement(agreement_id: str, terms: Mapping[str, Any], reason: str) -> Operation[Mapping[str, Any]]:
    """Ask for other terms of an approved agreement; a term that is None is taken out, others stay."""
    return Operation(
        "POST",
        f"/catalog/v1/agreements/{path_of(agreement_id)}/amendment",
        json_object,
        headers=JSON,
        content=json_bytes({"terms": dict(terms), "reason": reason}),
    )


def agreement_history(agreement_id: str, *, cursor: str | None = None) -> Operation[Page]:
    """A page of what was done with an agreement, the oldest first."""
    path = f"/catalog/v1/agreements/{path_of(agreement_id)}/history"
    return Operation("GET", path, page_of, params=given({"cursor": cursor, "limit": LARGEST_PAGE}))


def merge_agencies(
    agencies: Sequence[str], into: str, on: str, *, dry_run: bool
) -> Operation[Mapping[str, Any]]:
    """Merge agencies into another one, since a day; all that they have goes over to it, and ids stay."""
    return Operation(
        "POST",
        "/catalog/v1/mergers",
        json_object,
        params={"dry_run": "true" if dry_run else "false"},
        headers=JSON,
        content=json_bytes({"agencies": list(agencies), "into": into, "on": on}),
    )


def set_system_state(system_id: str, decision: str) -> Operation[Mapping[str, Any]]:
    """Suspend or resume a system, for the platform; what it has suspended, the agency cannot resume."""
    return Operation("POST", f"/catalog/v1/systems/{path_of(system_id)}/{decision}", json_object)


def notices(document: Mapping[str, Any]) -> tuple[Notice, ...]:
    """The warnings in the catalog's answer about a resource, none in most."""
    return tuple(
        Notice(warning["pointer"], Text(warning["detail_vi"], warning["detail"]))
        for warning in document.get("warnings", [])
    )


def _export_page(response: httpx.Response) -> ExportPage:
    document = json_object(response)
    return ExportPage(tuple(document["items"]), document.get("next"), int(document["version"]))


def _apply_result(response: httpx.Response) -> ApplyResult:
    document = json_object(response)
    return ApplyResult(
        dry_run=bool(document["dry_run"]),
        version=int(document["version"]),
        results=tuple(
            AppliedResource(
                kind=result["kind"],
                id=result["id"],
                action=result["action"],
                changes=tuple(
                    FieldChange(change["path"], change.get("old"), change.get("new"))
                    for change in result.get("changes", [])
                ),
                warnings=notices(result),
            )
            for result in document["results"]
        ),
    )
