"""The manifest of an agreement, and the body of a decision on one."""

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from typing_extensions import override

from lienthong.catalog.agreements.domain.effect import EffectiveStatus
from lienthong.catalog.agreements.domain.lifecycle import AgreementAction, AgreementStatus
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
from lienthong.catalog.systems.domain.system import Suspender
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


class StepRequest(BoundedModel):
    """The body of a step: on which legal ground, and why; of a question or an answer, the text."""

    legal_ground: LongText | None = None
    reason: LongText | None = None


_REASONS: Final = {
    AgreementAction.REVOKE: BilingualText(
        "a revocation gives its reason; add it", "thu hồi phải nêu lý do; hãy bổ sung"
    ),
    AgreementAction.SUSPEND: BilingualText(
        "a suspension gives its reason; add it", "tạm ngừng phải nêu lý do; hãy bổ sung"
    ),
    AgreementAction.ASK: BilingualText(
        "say here what is missing, so that it can be answered", "hãy nêu ở đây thông tin cần bổ sung"
    ),
    AgreementAction.ANSWER: BilingualText(
        "answer here what was asked", "hãy trả lời ở đây nội dung được hỏi"
    ),
}
"""What has to say why."""


def read_step(action: AgreementAction, body: Json) -> tuple[StepRequest, list[Violation]]:
    """Read the body of a step, and every violation in it.

    A rejection needs its legal ground (NĐ 194/2025 Đ16), a revocation or suspension its reason.
    """
    fields = body if isinstance(body, dict) else {}
    parsed, violations = validate(StepRequest, body, ())
    if action is AgreementAction.REJECT and fields.get("legal_ground") is None:
        violations.append(
            Violation(
                ("legal_ground",),
                BilingualText(
                    "a rejection names its legal ground (Decree 194/2025, Article 16); add it",
                    "từ chối phải nêu căn cứ pháp lý (Nghị định 194/2025, Điều 16); hãy bổ sung",
                ),
            )
        )
    if action in _REASONS and fields.get("reason") is None:
        violations.append(Violation(("reason",), _REASONS[action]))
    return parsed or StepRequest(), violations


class DecisionAnswer(AnswerModel):
    """A decision on an agreement."""

    status: Annotated[AgreementStatus, Field(description="That of the agreement after the decision.")]
    by: Annotated[
        str, Field(description="The client or person that decided; `catalog` where a request lapsed.")
    ]
    at: AwareDatetime
    legal_ground: str
    reason: str
    restored: Annotated[
        bool,
        Field(
            description="Only where true: an export says so, from which the operator has restored the "
            "agreement, and not this catalog itself. The step `restore` says when."
        ),
    ] = False


class AmendmentRequest(BoundedModel):
    """The body of a request for an amendment."""

    terms: Annotated[
        dict[str, Any],
        Field(
            min_length=1,
            description="The terms that change, as in a request for an agreement; null takes one out. Those "
            "that are not named stay.",
        ),
    ]
    reason: LongText


class ChangedTerm(AnswerModel):
    """A term that became another one."""

    path: Annotated[str, Field(description="Dotted, like `limits.perDay`.")]
    old: Annotated[Any, Field(description="null where there was none.")]
    new: Annotated[Any, Field(description="null where there is none any more.")]


class AmendmentAnswer(AnswerModel):
    """Other terms that are asked for; until the owner approves them, those of before hold."""

    number: Annotated[int, Field(ge=1)]
    status: Literal["requested", "information-needed", "endorsed"]
    terms: Annotated[dict[str, Any], Field(description="All terms as they would be.")]
    changes: list[ChangedTerm]
    widens: Annotated[list[str], Field(description="The terms that would allow more than now.")]
    reason: str
    requested_by: str
    requested_at: AwareDatetime
    due_at: AwareDatetime | None = None
    overdue: bool = False


class StepAnswer(DecisionAnswer):
    """One thing that was done with an agreement."""

    version: Annotated[int, Field(description="The catalog's version at which it was done.", ge=1)]
    action: AgreementAction
    amendment: Annotated[
        int | None, Field(description="The number of the amendment that it was about; null: the agreement.")
    ]
    changes: list[ChangedTerm]


class AgreementHistory(BaseModel):
    """A page of what was done with an agreement, the oldest first."""

    items: list[StepAnswer]
    next: Annotated[str | None, Field(description="The cursor of the next page; null at the end.")]


class AgreementManifest(ResourceManifest):
    """An agreement with the decisions on it, the oldest first."""

    kind: Literal["Agreement"]
    spec: AgreementSpec
    status: AgreementStatus
    effective_status: Annotated[
        EffectiveStatus,
        Field(description="The status with the period taken into account, at the time of the answer."),
    ]
    decisions: Annotated[
        list[DecisionAnswer], Field(description="The newest 50; the history has all.", max_length=50)
    ]
    suspended_by: Annotated[
        Suspender | None,
        Field(description="Only while it is suspended: on whose behalf, and so who may let it go on."),
    ] = None
    amendment: Annotated[
        AmendmentAnswer | None, Field(description="Only while other terms wait for a decision.")
    ] = None
    due_at: Annotated[
        AwareDatetime | None,
        Field(description="Only while the owner is asked: until when the owner should decide."),
    ] = None
    overdue: Annotated[bool, Field(description="Whether the owner should have decided already.")] = False
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
    status: Annotated[
        Literal["draft", "requested"] | None,
        Field(description="`draft` keeps it without asking the owner; it is submitted later."),
    ] = None
