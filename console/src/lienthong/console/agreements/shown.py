"""An agreement as the catalog shows it, and what somebody may do with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from lienthong.console.errors import nothing_there, platform_away
from lienthong.kit.policy import Action
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lienthong.console.web import Visit

AGREEMENTS: Final = "/catalog/v1/agreements"
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
STATUSES: Final = {
    "draft": BilingualText("draft", "đang soạn"),
    "requested": BilingualText("awaits a decision", "chờ duyệt"),
    "information-needed": BilingualText("awaits an answer", "chờ bổ sung thông tin"),
    "endorsed": BilingualText("awaits a second approval", "chờ người thứ hai duyệt"),
    "approved": BilingualText("approved", "đã duyệt"),
    "in-force": BilingualText("in force", "đang có hiệu lực"),
    "not-yet-valid": BilingualText("not valid yet", "chưa có hiệu lực"),
    "expired": BilingualText("expired", "đã hết hiệu lực"),
    "suspended": BilingualText("suspended", "đang tạm ngừng"),
    "rejected": BilingualText("rejected", "đã từ chối"),
    "revoked": BilingualText("revoked", "đã thu hồi"),
    "lapsed": BilingualText("lapsed", "quá hạn chờ duyệt"),
    "withdrawn": BilingualText("withdrawn", "đã rút"),
}
TERMS: Final = {
    "purposes": BilingualText("Purposes", "Mục đích"),
    "legalGround": BilingualText("Legal ground", "Căn cứ pháp lý"),
    "operations": BilingualText("Operations", "Thao tác"),
    "fields": BilingualText("Fields of answers", "Trường được trả về"),
    "validFrom": BilingualText("Valid from", "Có hiệu lực từ"),
    "validTo": BilingualText("Valid until", "Có hiệu lực đến"),
    "limits": BilingualText("Limits", "Hạn mức"),
    "hours": BilingualText("Hours", "Giờ được gọi"),
    "requires": BilingualText("Each call states", "Mỗi lời gọi phải nêu"),
}
STEPS: Final = {
    "request": BilingualText("requested", "đề nghị"),
    "change": BilingualText("terms changed", "sửa nội dung"),
    "submit": BilingualText("submitted", "gửi đề nghị"),
    "answer": BilingualText("answered", "trả lời"),
    "withdraw": BilingualText("withdrawn", "rút"),
    "ask": BilingualText("asked", "hỏi thêm"),
    "approve": BilingualText("approved", "duyệt"),
    "reject": BilingualText("rejected", "từ chối"),
    "suspend": BilingualText("suspended", "tạm ngừng"),
    "resume": BilingualText("resumed", "cho tiếp tục"),
    "revoke": BilingualText("revoked", "thu hồi"),
    "lapse": BilingualText("lapsed", "quá hạn"),
    "restore": BilingualText("restored from an export", "khôi phục từ bản xuất"),
}
_REMINDED: Final = timedelta(days=30)
_WAITING: Final = frozenset({"requested", "endorsed", "information-needed"})
_OF_CONSUMER: Final = {
    "submit": {"draft"},
    "answer": {"information-needed"},
    "withdraw": {"draft", "requested", "information-needed", "endorsed", "approved", "suspended"},
}
_OF_DECIDERS: Final = {
    "approve": {"requested", "endorsed"},
    "ask": {"requested", "endorsed"},
    "reject": {"requested", "endorsed", "information-needed"},
}
_OF_STOPPERS: Final = {"suspend": {"approved"}, "resume": {"suspended"}, "revoke": {"approved", "suspended"}}


@dataclass(frozen=True, slots=True)
class Term:
    """One term: what it is called, and its value as people read it; `new` is what it would become."""

    name: BilingualText
    value: str
    new: str | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement, or the request for one."""

    id: str
    version: int
    status: str
    effective: str
    spec: Mapping[str, Any]
    decisions: Sequence[Mapping[str, Any]]
    suspended_by: str
    due_at: str
    overdue: bool
    amendment: Mapping[str, Any] | None

    @classmethod
    def of(cls, manifest: object) -> Agreement:
        """Read a manifest.

        Raises:
            ProblemError: 503 `platform-unavailable`, it is none.
        """
        match manifest:
            case {
                "metadata": {"id": str(found), "version": int(version)},
                "spec": dict(spec),
                "status": str(status),
                **more,
            } if "consumer" in spec and ("service" in spec or "eventType" in spec):
                amendment, decisions = more.get("amendment"), more.get("decisions")
                return cls(
                    found,
                    version,
                    status,
                    str(more.get("effectiveStatus") or status),
                    spec,
                    decisions if isinstance(decisions, list) else (),
                    str(more.get("suspendedBy") or ""),
                    str(more.get("dueAt") or ""),
                    more.get("overdue") is True,
                    amendment if isinstance(amendment, dict) else None,
                )
            case _:
                raise platform_away()

    @property
    def consumer(self) -> str:
        """The system that calls, or would call."""
        return str(self.spec["consumer"])

    @property
    def target(self) -> str:
        """The service or event type."""
        return str(self.spec.get("service") or self.spec["eventType"])

    @property
    def target_path(self) -> str:
        """The page of the service or event type."""
        return f"/catalog/{'services' if 'service' in self.spec else 'event-types'}/{self.target}"

    @property
    def provider_agency(self) -> str:
        """The agency whose data it is."""
        return self.target.partition("/")[0]

    @property
    def consumer_agency(self) -> str:
        """The agency whose system calls."""
        return self.consumer.partition("/")[0]

    @property
    def shown_status(self) -> BilingualText:
        """Its status in words."""
        return STATUSES.get(self.effective, BilingualText(self.effective, self.effective))

    @property
    def amendment_status(self) -> BilingualText:
        """That of the amendment, in words."""
        status = str((self.amendment or {}).get("status", ""))
        return STATUSES.get(status, BilingualText(status, status))

    @property
    def due(self) -> str:
        """The day until which the owner should decide on it, or on its amendment; "" where nothing waits."""
        return str((self.amendment or {}).get("dueAt") or self.due_at)[:10]

    @property
    def is_late(self) -> bool:
        """Whether that day has passed."""
        return self.overdue or (self.amendment or {}).get("overdue") is True

    def ends_soon(self, today: date) -> str:
        """The day on which an agreement in force ends, where that is within the time in which its sides are
        reminded; else empty."""
        until = str(self.spec.get("validTo") or "")[:10]
        try:
            left = date.fromisoformat(until) - today
        except ValueError:
            return ""
        return until if self.effective == "in-force" and left <= _REMINDED else ""

    @property
    def terms(self) -> list[Term]:
        """What is agreed or asked for."""
        return list(_terms(self.spec))

    @property
    def changes(self) -> list[Term]:
        """What the amendment would change."""
        return [changed_term(one) for one in (self.amendment or {}).get("changes", ())]

    def may_amend(self, visit: Visit) -> bool:
        """Whether somebody may ask for other terms of it, of which none wait yet."""
        waits = str((self.amendment or {}).get("status", "")) in _WAITING
        return (
            self.status == "approved"
            and not waits
            and visit.may(Action.REQUEST_AGREEMENTS, self.consumer_agency)
        )

    def steps(self, visit: Visit, *, of_amendment: bool = False) -> list[str]:
        """What somebody is offered to do with it, or with its amendment."""
        status = str((self.amendment or {}).get("status", "")) if of_amendment else self.status
        found: list[str] = []
        if visit.may(Action.DECIDE_AGREEMENTS, self.provider_agency):
            found += [step for step, statuses in _OF_DECIDERS.items() if status in statuses]
        if visit.may(Action.REQUEST_AGREEMENTS, self.consumer_agency):
            found += [step for step, statuses in _OF_CONSUMER.items() if status in statuses]
        by_platform = self.suspended_by == "platform"
        for step, statuses in _OF_STOPPERS.items():
            place = "" if step == "resume" and by_platform else self.provider_agency
            if not of_amendment and status in statuses and visit.may(Action.REVOKE_AGREEMENTS, place):
                found.append(step)
        return found


def listed_agreements(page: Mapping[str, Any]) -> list[Agreement]:
    """The agreements of a page of the catalog.

    Raises:
        ProblemError: 503 `platform-unavailable`, they are none.
    """
    items = page.get("items")
    if not isinstance(items, list):
        raise platform_away()
    return [Agreement.of(item) for item in items]


def agreement_path(agreement_id: str) -> str:
    """Where the catalog has an agreement.

    Raises:
        ProblemError: 404 `not-found`, there can be none.
    """
    if not _ID.fullmatch(agreement_id):
        raise nothing_there()
    return f"{AGREEMENTS}/{agreement_id}"


def changed_term(change: Mapping[str, Any]) -> Term:
    """A term that became another one, as the history and amendments have it."""
    path = str(change.get("path", ""))
    first = path.partition(".")[0].partition("[")[0]
    name = TERMS.get(first)
    rest = path[len(first) :]
    shown = BilingualText(path, path) if name is None else BilingualText(name.en + rest, name.vi + rest)
    return Term(shown, _said(change.get("old")), _said(change.get("new")))


def _terms(spec: Mapping[str, Any]) -> Iterator[Term]:
    for name, title in TERMS.items():
        if name in spec:
            yield Term(title, _said(spec[name]))


def _said(value: object) -> str:
    match value:
        case None:
            return "–"
        case str():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return ", ".join(value)
        case dict():
            return "; ".join(f"{name}: {_said(one)}" for name, one in value.items())
        case _:
            return json.dumps(value, ensure_ascii=False)
