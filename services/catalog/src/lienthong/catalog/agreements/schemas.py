"""The manifest of an agreement, and the body of a decision on one."""

from collections.abc import Collection, Iterator
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, Field
from typing_extensions import override

from lienthong.catalog.agreements.domain.effect import EffectiveStatus
from lienthong.catalog.agreements.domain.lifecycle import AgreementStatus, DecisionAction
from lienthong.catalog.domain import identifiers
from lienthong.catalog.domain.drafts import Reference
from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.schemas.answer_fields import AnswerFields, uncovered
from lienthong.catalog.schemas.answers import AnswerModel, Notice, ResourceManifest
from lienthong.catalog.schemas.fields import (
    BoundedModel,
    LongText,
    OperationName,
    PeriodEnd,
    PeriodStart,
    ProvidedRef,
    Purpose,
    Requires,
    StrictModel,
    SystemRef,
    checked,
    unique,
)
from lienthong.catalog.schemas.hours import HoursSpec
from lienthong.catalog.schemas.limits import LimitsSpec
from lienthong.catalog.schemas.specs import Fields, ResourceSpec, period_violations, validate
from lienthong.kit.json_text import Json
from lienthong.kit.text import BilingualText

MAX_OPERATIONS: Final = 500
"""That an agreement names; one that names none allows all."""
MAX_NAMES: Final = 64_000
"""Characters of all these names together: every gateway is sent them."""


def _few(names: list[str]) -> list[str]:
    if sum(map(len, names)) > MAX_NAMES:
        raise InvalidValueError(
            f"the names have more than {MAX_NAMES} characters together; leave the list out to allow all "
            f"operations, or make several agreements",
            f"các tên dài tổng cộng hơn {MAX_NAMES} ký tự; hãy bỏ danh sách để cho mọi thao tác, hoặc lập "
            f"nhiều thoả thuận",
        )
    return names


Purposes = Annotated[list[Purpose], Field(min_length=1, max_length=50), AfterValidator(unique)]
Operations = Annotated[
    list[OperationName], Field(max_length=MAX_OPERATIONS), AfterValidator(unique), checked(_few)
]


class AgreementSpec(ResourceSpec):
    """What lets one system use operations of a service, or subscribe to an event type."""

    kind = ResourceKind.AGREEMENT

    consumer: SystemRef
    service: ProvidedRef | None = None
    event_type: ProvidedRef | None = None
    operations: Operations | None = None
    purposes: Purposes
    legal_ground: LongText
    valid_from: PeriodStart | None = None
    valid_to: PeriodEnd | None = None
    requires: Requires | None = None
    limits: LimitsSpec | None = None
    hours: HoursSpec | None = None
    fields: AnswerFields | None = None
    status: Literal["requested", "approved"] = "requested"

    @override
    @classmethod
    def canonical_id(cls, text: str) -> str:
        return identifiers.agreement_id(text)

    @override
    @classmethod
    def violations(
        cls, resource_id: str | None, fields: Fields, given: Collection[str]
    ) -> Iterator[Violation]:
        del resource_id
        if "service" not in given and "eventType" not in given:
            yield Violation(
                ("service",),
                BilingualText(
                    "is missing; name the 'service' or the 'eventType' that the agreement is about",
                    "còn thiếu; hãy nêu 'service' hoặc 'eventType' là đối tượng của thoả thuận",
                ),
            )
        if "service" in given and "eventType" in given:
            yield Violation(
                ("eventType",),
                BilingualText(
                    "an agreement is about a service or an event type, not both; make two",
                    "một thoả thuận chỉ về một dịch vụ hoặc một loại sự kiện; hãy lập hai thoả thuận",
                ),
            )
        if fields.get("operations") == []:
            # Some read an empty list as none, some as all: nothing must depend on that.
            yield Violation(
                ("operations",),
                BilingualText(
                    "an empty list allows nothing; name the operations, or leave it out to allow all",
                    "danh sách trống không cho phép thao tác nào; hãy nêu các thao tác, hoặc bỏ đi để cho "
                    "phép tất cả",
                ),
            )
        if fields.get("operations") and "eventType" in given:
            yield Violation(
                ("operations",),
                BilingualText(
                    "an event type has no operations; leave them out",
                    "loại sự kiện không có thao tác; hãy bỏ trống",
                ),
            )
        for of_calls in ("requires", "limits", "hours", "fields"):
            if of_calls in given and "eventType" in given:
                yield Violation(
                    (of_calls,),
                    BilingualText(
                        "events are delivered, not called for; leave it out",
                        "sự kiện được gửi tới chứ không phải lời gọi; hãy bỏ trống",
                    ),
                )
        if "fields" in fields and bool(fields.get("operations")) == ("operations" in given):
            yield from uncovered(fields["fields"], fields.get("operations"))
        yield from period_violations(fields)

    @override
    @classmethod
    def references(cls, fields: Fields) -> Iterator[Reference]:
        named = (("consumer", "consumer", ResourceKind.SYSTEM), ("service", "service", ResourceKind.SERVICE))
        for field, member, kind in (*named, ("event_type", "eventType", ResourceKind.EVENT_TYPE)):
            if fields.get(field) is not None:
                yield (member,), (kind, fields[field])


class DecisionRequest(BoundedModel):
    """The body of a decision: on which legal ground, and why."""

    legal_ground: LongText | None = None
    reason: LongText | None = None


def read_decision(action: DecisionAction, body: Json) -> tuple[DecisionRequest, list[Violation]]:
    """Read the body of a decision, and every violation in it.

    A rejection needs its legal ground (NĐ 194/2025 Đ16), a revocation its reason.
    """
    fields = body if isinstance(body, dict) else {}
    parsed, violations = validate(DecisionRequest, body, ())
    if action is DecisionAction.REJECT and fields.get("legal_ground") is None:
        violations.append(
            Violation(
                ("legal_ground",),
                BilingualText(
                    "a rejection names its legal ground (Decree 194/2025, Article 16); add it",
                    "từ chối phải nêu căn cứ pháp lý (Nghị định 194/2025, Điều 16); hãy bổ sung",
                ),
            )
        )
    if action is DecisionAction.REVOKE and fields.get("reason") is None:
        violations.append(
            Violation(
                ("reason",),
                BilingualText("a revocation gives its reason; add it", "thu hồi phải nêu lý do; hãy bổ sung"),
            )
        )
    return parsed or DecisionRequest(), violations


class DecisionAnswer(AnswerModel):
    """A decision on an agreement."""

    status: Literal["approved", "rejected", "revoked", "lapsed"]
    by: Annotated[str, Field(description="The client that decided; `catalog` where a request lapsed.")]
    at: AwareDatetime
    legal_ground: str
    reason: str


class AgreementManifest(ResourceManifest):
    """An agreement with the decisions on it, the oldest first."""

    kind: Literal["Agreement"]
    spec: AgreementSpec
    status: AgreementStatus
    effective_status: Annotated[
        EffectiveStatus,
        Field(description="The status with the period taken into account, at the time of the answer."),
    ]
    decisions: list[DecisionAnswer]
    warnings: Annotated[
        list[Notice] | None,
        Field(description="Only in answers to a request or decision, and only where there is a warning."),
    ] = None


class AgreementRequest(StrictModel):
    """The body of a request for an agreement: the spec without `status`, and perhaps an id.

    `consumer` is the calling system where it is left out.
    """

    id: Annotated[
        str | None,
        Field(
            description="A new one is made where it is left out. That of a system's request lies in its name "
            "space: `parcels` of `H11.01/one-stop` is `H11.01.one-stop.parcels`."
        ),
    ] = None
    consumer: SystemRef | None = None
    service: ProvidedRef | None = None
    event_type: ProvidedRef | None = None
    operations: Operations | None = None
    purposes: Purposes
    legal_ground: LongText
    valid_from: PeriodStart | None = None
    valid_to: PeriodEnd | None = None
    requires: Requires | None = None
    limits: LimitsSpec | None = None
    hours: HoursSpec | None = None
    fields: AnswerFields | None = None
