"""The body of an apply: manifests of all kinds.

A manifest with violations still says what it is about, so that the manifests that refer to it are not
reported as well.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from lienthong.catalog.agencies.schemas import AgencySpec
from lienthong.catalog.agreements.schemas import AgreementSpec
from lienthong.catalog.domain.drafts import Draft
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import MAX_ERRORS, Violation, malformed_request
from lienthong.catalog.event_types.schemas import EventTypeSpec
from lienthong.catalog.schemas.answers import Notice
from lienthong.catalog.schemas.fields import StrictModel
from lienthong.catalog.schemas.specs import (
    FieldCollector,
    ResourceSpec,
    read_id,
    read_spec,
    unportable,
    validate,
)
from lienthong.catalog.services.schemas import ServiceSpec
from lienthong.catalog.systems.schemas import SystemSpec
from lienthong.kit.json_pointer import JsonPath
from lienthong.kit.json_text import Json, NotJsonError, decode

MAX_MANIFESTS = 2000

SPECS: Mapping[ResourceKind, type[ResourceSpec]] = {
    spec.kind: spec for spec in (AgencySpec, SystemSpec, ServiceSpec, EventTypeSpec, AgreementSpec)
}


class ManifestMetadata(StrictModel):
    """What identifies a resource, and which version of it was read. The times are what the catalog adds in
    answers, and are ignored."""

    id: str
    version: Annotated[
        int | None,
        Field(
            ge=1,
            description="Where it is stated and the catalog has another version by now, a manifest that "
            "would change something is refused.",
        ),
    ] = None
    created_at: Any = None
    updated_at: Any = None


class Manifest(FieldCollector):
    """The envelope of a manifest. What follows `spec` is what the catalog adds in answers: ignored, but for
    the status of agreements that it does not have."""

    api_version: Literal["lienthong/v1"]
    kind: Literal["Agency", "System", "Service", "EventType", "Agreement"]
    metadata: ManifestMetadata
    spec: dict[str, Any]
    status: Any = None
    suspended_by: Any = None
    agency: Any = None
    merged_into: Any = None
    effective_status: Any = None
    due_at: Any = None
    overdue: Any = None
    amendment: Any = None
    operations: Any = None
    decisions: Any = None
    history: Any = None
    warnings: Any = None


class ApplyRequest(StrictModel):
    """The body of an apply."""

    manifests: Annotated[list[Any], Field(min_length=1, max_length=MAX_MANIFESTS)]


class _Declared(StrictModel):
    """The members of every manifest that is sent. Those with a default the catalog adds, and ignores here."""

    api_version: Literal["lienthong/v1"]
    metadata: ManifestMetadata
    status: Any = None
    suspended_by: Any = None
    agency: Any = None
    merged_into: Any = None
    effective_status: Any = None
    due_at: Any = None
    overdue: Any = None
    amendment: Any = None
    operations: Any = None
    decisions: Any = None
    history: Any = None
    warnings: Any = None


class DeclaredAgency(_Declared):
    """An agency that is sent."""

    kind: Literal["Agency"]
    spec: AgencySpec


class DeclaredSystem(_Declared):
    """A system that is sent."""

    kind: Literal["System"]
    spec: SystemSpec


class DeclaredService(_Declared):
    """A service that is sent."""

    kind: Literal["Service"]
    spec: ServiceSpec


class DeclaredEventType(_Declared):
    """An event type that is sent."""

    kind: Literal["EventType"]
    spec: EventTypeSpec


class DeclaredAgreement(_Declared):
    """An agreement that is sent."""

    kind: Literal["Agreement"]
    spec: AgreementSpec


AnyDeclared = DeclaredAgency | DeclaredSystem | DeclaredService | DeclaredEventType | DeclaredAgreement


class ApplyDocument(StrictModel):
    """The body of an apply with all its parts; it documents what `read_apply` reads step by step."""

    manifests: Annotated[
        list[Annotated[AnyDeclared, Field(discriminator="kind")]],
        Field(min_length=1, max_length=MAX_MANIFESTS),
    ]


class MemberChangeAnswer(BaseModel):
    """One member that differs; `old` or `new` is null where there is none."""

    path: str
    old: Any
    new: Any


class ApplyResultAnswer(BaseModel):
    """What happened to one resource."""

    kind: Literal["Agency", "System", "Service", "EventType", "Agreement"]
    id: str
    action: Literal["created", "updated", "unchanged"]
    changes: list[MemberChangeAnswer]
    warnings: list[Notice] = []


class ApplyAnswer(BaseModel):
    """What an apply did, or in a dry run would do."""

    dry_run: bool
    version: Annotated[int, Field(description="The catalog's version afterwards.", ge=0)]
    results: list[ApplyResultAnswer]


MAX_MEMBERS = 10_000
"""Members of one object in a body; the largest OpenAPI documents have some thousand paths or schemas."""

_BUDGET_S = 5.0
_BUDGET_S_PER_MIB = 2.0


def cpu_seconds(data: bytes) -> float:
    """How much processor time `read_apply_text` may take: some times what ordinary manifests need."""
    return _BUDGET_S + _BUDGET_S_PER_MIB * len(data) / (1024 * 1024)


def read_body(data: bytes) -> Json:
    """Read a body with manifests as JSON.

    Raises:
        ProblemError: `malformed-request`, it is none.
    """
    try:
        return decode(data, most_members=MAX_MEMBERS)
    except NotJsonError as reason:
        raise malformed_request(reason.text) from None


def read_apply_text(data: bytes) -> list[Draft | Violation]:
    """Read the body of an apply as it was sent, drafts first; as slow as the documents in it make it.

    Raises:
        ProblemError: `malformed-request`, it is not JSON.
    """
    drafts, violations = read_apply(read_body(data))
    # They go to another process, and an answer names a tenth of them.
    return [*drafts, *violations[: 10 * MAX_ERRORS]]


def read_apply(body: Json) -> tuple[list[Draft], list[Violation]]:
    """Read the body of an apply: the drafts in the order sent, and every violation.

    Reading ends where there are more violations than an answer names.
    """
    violations = unportable(body)
    if violations:
        return [], violations
    parsed, violations = validate(ApplyRequest, body, ())
    if parsed is None:
        return [], violations
    drafts = []
    for index, manifest in enumerate(parsed.manifests):
        if len(violations) > MAX_ERRORS:
            # No more are named; how many others there are, nobody needs to know.
            break
        draft, wrong = _read_manifest(manifest, ("manifests", index))
        violations += wrong
        if draft is not None:
            drafts.append(draft)
    return drafts, violations


def _read_manifest(raw: Json, path: JsonPath) -> tuple[Draft | None, list[Violation]]:
    fields: dict[str, Any] = {}
    _, violations = validate(Manifest, raw, path, fields)
    if "kind" not in fields:
        return None, violations
    shape = SPECS[ResourceKind(fields["kind"])]
    resource_id = None
    id_path = (*path, "metadata", "id")
    if "metadata" in fields:
        resource_id, wrong = read_id(shape, fields["metadata"].id, id_path)
        violations += wrong
    if "spec" not in fields:
        return None, violations
    draft, wrong = read_spec(shape, resource_id, fields["spec"], spec_path=(*path, "spec"), id_path=id_path)
    status = fields.get("status")
    stated = fields["metadata"].version if "metadata" in fields else None
    draft = replace(draft, stated_status=status if isinstance(status, str) else None, stated_version=stated)
    return draft, violations + wrong
