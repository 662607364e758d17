"""The body of a restore: what an export gave, read strictly, and the answers of both."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from lienthong.catalog.agreements.domain.agreement import AgreementStep
from lienthong.catalog.agreements.domain.amendment import Amendment
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
from lienthong.catalog.agreements.domain.record import AgreementRecord, RecordedAmendment
from lienthong.catalog.agreements.domain.terms import terms_of
from lienthong.catalog.agreements.schemas import AgreementSpec
from lienthong.catalog.apply.schemas import MAX_MANIFESTS, SPECS, read_body
from lienthong.catalog.domain import validity
from lienthong.catalog.domain.resources import ACTIVE, SUSPENDED, ResourceKind
from lienthong.catalog.errors import MAX_ERRORS, InvalidValueError, Violation
from lienthong.catalog.restore.domain.planning import Exported
from lienthong.catalog.schemas.fields import AgencyCode, LongText, PeriodStart, StrictModel, checked, text
from lienthong.catalog.schemas.specs import FieldCollector, read_id, read_spec, unportable, validate
from lienthong.kit.json_pointer import JsonPath
from lienthong.kit.json_text import Json
from lienthong.kit.text import BilingualText

MAX_STEPS: Final = 10_000
MAX_AMENDMENTS: Final = 1_000


def _one_of(values: type[StrEnum], *but: StrEnum) -> Any:  # noqa: ANN401 - two validators of a field
    known = [one.value for one in values if one not in but]

    def check(value: str) -> str:
        if value not in known:
            raise InvalidValueError(
                f"must be one of: {', '.join(known)}", f"phải là một trong: {', '.join(known)}"
            )
        return value

    return checked(check)


Name = Annotated[str, text(200), Field(description="Whose name the records of the audit have.")]
Moment = PeriodStart


class ExportedChange(StrictModel):
    """A term that became another one."""

    path: Annotated[str, Field(max_length=2000)]
    old: Any = None
    new: Any = None


class ExportedStep(StrictModel):
    """What was done with an agreement, or with an amendment of it."""

    action: Annotated[str, _one_of(AgreementAction, AgreementAction.RESTORE)]
    status: Annotated[str, _one_of(AgreementStatus)]
    by: Name
    at: Moment
    legal_ground: LongText | None = None
    reason: LongText | None = None
    amendment: Annotated[int, Field(ge=1)] | None = None
    changes: Annotated[list[ExportedChange], Field(max_length=1000)] | None = None


class ExportedAmendment(StrictModel):
    """Other terms that were asked for, whatever became of them."""

    number: Annotated[int, Field(ge=1)]
    status: Annotated[str, _one_of(AgreementStatus, AgreementStatus.DRAFT)]
    terms: dict[str, Any]
    reason: LongText
    requested_by: Name
    requested_at: Moment
    updated_at: Moment
    asked_at: Moment | None = None
    first_approval: Name | None = None


class ExportedHistory(StrictModel):
    """All that was done with an agreement."""

    asked_at: Moment | None = None
    reminded_at: Moment | None = None
    steps: Annotated[list[ExportedStep], Field(max_length=MAX_STEPS)]
    amendments: Annotated[list[ExportedAmendment], Field(max_length=MAX_AMENDMENTS)] | None = None


class ExportedMetadata(StrictModel):
    """What identifies a resource, and when it was made and changed; the version is another catalog's."""

    id: str
    version: Any = None
    created_at: Moment
    updated_at: Moment


class ExportedManifest(FieldCollector):
    """A resource as an export has it."""

    api_version: Literal["lienthong/v1"]
    kind: Literal["Agency", "System", "Service", "EventType", "Agreement"]
    metadata: ExportedMetadata
    spec: dict[str, Any]
    status: str | None = None
    suspended_by: Literal["agency", "platform"] | None = None
    history: ExportedHistory | None = None
    agency: AgencyCode | None = None
    merged_into: AgencyCode | None = None


class RestoreRequest(StrictModel):
    """The body of a restore."""

    manifests: Annotated[list[Any], Field(min_length=1, max_length=MAX_MANIFESTS)]


class RestoreDocument(StrictModel):
    """The body of a restore with its parts; `read_restore` reads it step by step."""

    manifests: Annotated[list[ExportedManifest], Field(min_length=1, max_length=MAX_MANIFESTS)]


class ExportPage(BaseModel):
    """A page of an export."""

    version: Annotated[int, Field(description="The catalog's version when the page was read.", ge=0)]
    items: Annotated[list[dict[str, Any]], Field(description="What a restore takes as `manifests`.")]
    next: Annotated[str | None, Field(description="The cursor of the next page; null at the end.")]


def read_restore_text(data: bytes) -> list[Exported | Violation]:
    """Read the body of a restore as it was sent; as slow as the documents in it make it.

    Raises:
        ProblemError: `malformed-request`, it is not JSON.
    """
    found, violations = read_restore(read_body(data))
    return [*found, *violations[: 10 * MAX_ERRORS]]


def read_restore(body: Json) -> tuple[list[Exported], list[Violation]]:
    """Read the body of a restore: what could be read of it, and every violation."""
    violations = unportable(body)
    if violations:
        return [], violations
    parsed, violations = validate(RestoreRequest, body, ())
    found: list[Exported] = []
    for index, manifest in enumerate(parsed.manifests if parsed is not None else ()):
        if len(violations) > MAX_ERRORS:
            break
        exported, wrong = _read_manifest(manifest, ("manifests", index))
        violations += wrong
        if exported is not None:
            found.append(exported)
    return found, violations


def _read_manifest(raw: Json, path: JsonPath) -> tuple[Exported | None, list[Violation]]:
    manifest, violations = validate(ExportedManifest, raw, path)
    if manifest is None:
        return None, violations
    kind = ResourceKind(manifest.kind)
    shape = SPECS[kind]
    id_path = (*path, "metadata", "id")
    resource_id, violations = read_id(shape, manifest.metadata.id, id_path)
    draft, wrong = read_spec(shape, resource_id, manifest.spec, spec_path=(*path, "spec"), id_path=id_path)
    violations += wrong
    violations += [one.under(*path) for one in _misplaced(kind, manifest)]
    for member, code in (("agency", manifest.agency), ("mergedInto", manifest.merged_into)):
        if code is not None:
            reference = ((*path, member), (ResourceKind.AGENCY, code))
            draft = replace(draft, references=(*draft.references, reference))
    history, record = manifest.history, None
    if kind is ResourceKind.AGREEMENT and history is not None:
        record, wrong = _record(history, resource_id, (*path, "history"))
        violations += wrong
    exported = Exported(
        draft,
        path,
        validity.read(manifest.metadata.created_at),
        validity.read(manifest.metadata.updated_at),
        manifest.status or ACTIVE,
        manifest.suspended_by,
        _moment(history.asked_at if history else None),
        _moment(history.reminded_at if history else None),
        record,
        manifest.agency or "",
        manifest.merged_into,
    )
    return None if violations else exported, violations


def _misplaced(kind: ResourceKind, manifest: ExportedManifest) -> list[Violation]:
    """What a kind has not, or lacks, of that which only an export says."""
    known = {ResourceKind.SYSTEM: [ACTIVE, SUSPENDED], ResourceKind.AGREEMENT: [*AgreementStatus]}.get(kind)
    found = []
    if known is None and manifest.status is not None:
        found.append(Violation(("status",), _unknown_to(kind)))
    elif known is not None and manifest.status not in known:
        listed = ", ".join(known)
        found.append(
            Violation(
                ("status",),
                BilingualText(f"must be one of: {listed}", f"phải là một trong: {listed}"),
            )
        )
    if kind is not ResourceKind.SYSTEM and manifest.agency is not None:
        found.append(Violation(("agency",), _unknown_to(kind)))
    if kind is not ResourceKind.AGENCY and manifest.merged_into is not None:
        found.append(Violation(("mergedInto",), _unknown_to(kind)))
    if known is None and manifest.suspended_by is not None:
        found.append(Violation(("suspendedBy",), _unknown_to(kind)))
    if kind is ResourceKind.AGREEMENT and manifest.history is None:
        found.append(Violation(("history",), _NO_HISTORY))
    if kind is not ResourceKind.AGREEMENT and manifest.history is not None:
        found.append(Violation(("history",), _unknown_to(kind)))
    return found


def _record(
    history: ExportedHistory, resource_id: str | None, path: JsonPath
) -> tuple[AgreementRecord, list[Violation]]:
    steps = [
        AgreementStep(
            AgreementAction(one.action),
            AgreementStatus(one.status),
            one.by,
            validity.read(one.at),
            one.legal_ground or "",
            one.reason or "",
            one.amendment or 0,
            tuple(
                {"path": member.path, "old": member.old, "new": member.new} for member in one.changes or ()
            ),
        )
        for one in history.steps
    ]
    amendments, violations = [], []
    for index, one in enumerate(history.amendments or ()):
        place = (*path, "amendments", index, "terms")
        draft, wrong = read_spec(AgreementSpec, resource_id, one.terms, spec_path=place, id_path=place)
        violations += wrong
        amendment = Amendment(
            one.number,
            AgreementStatus(one.status),
            terms_of(draft.spec or {}),
            one.reason,
            one.requested_by,
            validity.read(one.requested_at),
            _moment(one.asked_at),
            one.first_approval,
        )
        amendments.append(RecordedAmendment(amendment, validity.read(one.updated_at)))
    return AgreementRecord(tuple(steps), tuple(amendments)), violations


def _moment(text: str | None) -> datetime | None:
    return None if text is None else validity.read(text)


def _unknown_to(kind: ResourceKind) -> BilingualText:
    return BilingualText(
        f"an export has none of the {kind.noun}; leave it out",
        f"bản xuất của {kind.noun_vi} không có; hãy bỏ",
    )


_NO_HISTORY = BilingualText(
    "is missing: an agreement is restored with what was done with it, as an export of the catalog has it; "
    "what was agreed elsewhere is applied, with 'status: approved' in its spec",
    "còn thiếu: thoả thuận được khôi phục cùng lịch sử của nó như trong bản xuất danh mục; thoả thuận lập ở "
    "nơi khác thì áp dụng bằng apply, với 'status: approved' trong spec",
)
