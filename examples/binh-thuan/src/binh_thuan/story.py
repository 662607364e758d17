"""The first round of calls: what three consumers ask of six databases, and one event.

Lê Hoàng Phúc (who does not exist) comes to the one-stop shop about his parcel in Bình Hưng ward. The shop
looks up the procedure, the applicant, the parcel and its zoning; the ward's portal looks up his daughter's
birth and the ward's officials; a company asks for planning information, which it may, for births, which
it may not, and for procedures more often than it may. The land department publishes a change, and the
one-stop shop takes the event.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lienthong.client import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lienthong.client.operations import Operation

PROCEDURE = "1.001231"
APPLICANT = "060086999835"
CLAIM = {"personalId": APPLICANT, "fullName": "Lê Hoàng Phúc", "dateOfBirth": "1986-03-07"}
PARCEL = "59301-6-159"
COMMUNE = "59301"
BIRTH = "KS-2020-02521"
ORGANISATION = "H11.36.01"
CASE = "H11.05-250630-0001"
EVENT_TYPE = "H11.05/land/parcel-changed-v1"
SUBSCRIPTION = "parcel-changes"

PROCEDURES_SERVICE = "H11.02/procedures/procedures-v1"
OFFICIALS_SERVICE = "H11.03/officials/officials-v1"
CIVIL_STATUS_SERVICE = "H11.04/civil-status/civil-status-v1"
PARCELS_SERVICE = "H11.05/land/parcels-v1"
REGISTRY_SERVICE = "H11.05/land/registry-v1"
PLANNING_SERVICE = "H11.06/planning/planning-v1"
POPULATION_SERVICE = "G01/population/population-v1"
PLATFORM_SERVICE = "G01/population/population-ndxp-v1"
X_ROAD_SERVICE = "G01/population/population-x-road-v1"


ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    f'<getParcelSummary xmlns="urn:binh-thuan:land"><parcelId>{PARCEL}</parcelId></getParcelSummary>'
    "</s:Body></s:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Step:
    """A request of one system, the expected answer, and a function that summarizes an answer."""

    system: str
    vi: str
    en: str
    operation: Operation[Any]
    tell: Callable[[Any], str]
    status: int = 200
    error: str | None = None
    by_edge: bool = False
    """It goes through the TLS edge, with the system's certificate."""
    by_key: bool = False
    """With a token that is bound to a key, and a proof of its holder (DPoP)."""
    tries: int = 1
    """How often it is asked at most, until the answer is the expected one."""


def calls(instance: str = "VN-BTN") -> list[Step]:
    """Return the calls of services, two of them to be refused; X-Road's names begin with `instance`."""
    return [
        Step(
            "one-stop",
            "Thủ tục cần những giấy tờ gì?",
            "Which papers does the procedure need?",
            operations.call(
                PROCEDURES_SERVICE, "GET", f"/procedures/{PROCEDURE}", purpose="TTHC.TIEP-NHAN", case=CASE
            ),
            lambda it: (
                f"{it['procedureCode']}: {len(it['papers'])} giấy tờ, {it['timeLimitWorkingDays']} ngày"
            ),
        ),
        Step(
            "one-stop",
            "Người nộp hồ sơ là ai?",
            "Who is the applicant?",
            operations.call(
                POPULATION_SERVICE, "GET", f"/persons/{APPLICANT}", purpose="TTHC.DAT-DAI", case=CASE
            ),
            lambda it: f"{it['fullName']}, sinh {it['dateOfBirth']}",
        ),
        Step(
            "one-stop",
            "Lời khai có đúng không? (qua NDXP, lgspaccesstoken)",
            "Is what he says right? (NDXP, lgspaccesstoken)",
            operations.call(
                PLATFORM_SERVICE,
                "POST",
                "/verifications",
                purpose="TTHC.DAT-DAI",
                case=CASE,
                content=json.dumps(CLAIM, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json"},
            ),
            lambda it: "đúng" if it["verified"] else "không đúng",
        ),
        Step(
            "one-stop",
            "Cũng người đó, hỏi qua X-Road",
            "The same person, asked through X-Road",
            operations.call(
                X_ROAD_SERVICE, "GET", f"/persons/{APPLICANT}", purpose="TTHC.DAT-DAI", case=CASE
            ),
            lambda it: str(it["fullName"]),
        ),
        Step(
            "one-stop",
            "Thửa đất hiện nay ra sao?",
            "What is the state of the parcel?",
            operations.call(PARCELS_SERVICE, "GET", f"/parcels/{PARCEL}", purpose="TTHC.DAT-DAI", case=CASE),
            lambda it: f"{it['useType']['code']} {it['areaM2']} m², {len(it['owners'])} chủ sử dụng",
        ),
        Step(
            "one-stop",
            "Cũng thửa đất đó, hỏi bằng SOAP",
            "The same parcel, asked by SOAP",
            operations.call(
                REGISTRY_SERVICE,
                "POST",
                "/soap/land",
                purpose="TTHC.DAT-DAI",
                case=CASE,
                content=ENVELOPE.encode(),
                headers={
                    "Content-Type": "text/xml; charset=utf-8",
                    "SOAPAction": '"urn:binh-thuan:land/getParcelSummary"',
                },
            ),
            lambda it: " ".join(re.findall(r"<(?:useCode|areaM2)>([^<]*)", str(it))) + " m²",
        ),
        Step(
            "one-stop",
            "Quy hoạch của thửa đất? (mã gắn với khoá, DPoP)",
            "What do the plans say about it? (DPoP)",
            operations.call(
                PLANNING_SERVICE, "GET", f"/parcels/{PARCEL}/zoning", purpose="TTHC.DAT-DAI", case=CASE
            ),
            lambda it: f"{it['zone']['zoneCode']}: {it['zone']['function']['name']}",
            by_key=True,
        ),
        Step(
            "one-stop",
            "Cũng thửa đất đó, qua TLS và kèm chứng thư",
            "The same parcel, over TLS and with a certificate",
            operations.call(PARCELS_SERVICE, "GET", f"/parcels/{PARCEL}", purpose="TTHC.DAT-DAI", case=CASE),
            lambda it: f"{it['useType']['code']} {it['areaM2']} m²",
            by_edge=True,
        ),
        Step(
            "portal",
            "Khai sinh của người con, chỉ các trường đã thoả thuận",
            "The daughter's birth, only the agreed fields of it",
            operations.call(CIVIL_STATUS_SERVICE, "GET", f"/births/{BIRTH}", purpose="TTHC.HO-TICH"),
            lambda it: f"số {it['registration']['number']}, chỉ {len(it)} mục",
        ),
        Step(
            "portal",
            "Cán bộ, công chức của phường",
            "The ward's officials",
            operations.call(
                OFFICIALS_SERVICE,
                "GET",
                f"/officials?organisationCode={ORGANISATION}",
                purpose="DANH-BA.CONG-VU",
            ),
            lambda it: f"{it['total']} người, {it['items'][0]['position']}",
        ),
        Step(
            "portal",
            "Phần mềm cũ hỏi cán bộ, như qua X-Road",
            "Old software asks for officials, as X-Road has it",
            replace(
                operations.request(
                    "GET",
                    f"/r1/{instance}/GOV/{OFFICIALS_SERVICE}/officials?organisationCode={ORGANISATION}",
                    headers={
                        "X-Road-Client": f"{instance}/GOV/{ORGANISATION}/portal",
                        "X-Road-Issue": CASE,
                        "X-Road-UserId": f"VN{APPLICANT}",
                    },
                ),
                public=True,
            ),
            lambda it: f"{it['total']} người",
        ),
        Step(
            "customer-app",
            "Doanh nghiệp xem quy hoạch",
            "A company looks at the plans",
            operations.call(
                PLANNING_SERVICE,
                "GET",
                f"/zones?communeCode={COMMUNE}",
                purpose="QUY-HOACH.CUNG-CAP-THONG-TIN",
            ),
            lambda it: f"{it['total']} khu vực quy hoạch",
        ),
        Step(
            "customer-app",
            "Doanh nghiệp hỏi hộ tịch: không có thoả thuận",
            "A company asks for births: no agreement",
            operations.call(
                CIVIL_STATUS_SERVICE, "GET", f"/births?communeCode={COMMUNE}", purpose="TIEP-THI"
            ),
            lambda it: str(it["code"]),
            status=403,
            error="no-agreement",
        ),
        Step(
            "customer-app",
            "Doanh nghiệp tra cứu thủ tục quá hạn mức trong ngày",
            "A company looks up procedures beyond its limit of the day",
            operations.call(PROCEDURES_SERVICE, "GET", f"/procedures/{PROCEDURE}", purpose="CONG-KHAI.TTHC"),
            lambda it: f"{it['violated-policies'][0]}, {it['free_at']}",
            status=429,
            error="quota-exceeded",
            tries=20,
        ),
    ]


def birth_for_the_case() -> Step:
    """Return the call that two owners of the data have allowed."""
    return Step(
        "one-stop",
        "Khai sinh của người con, hai người đã duyệt",
        "The daughter's birth, as two people approved",
        operations.call(CIVIL_STATUS_SERVICE, "GET", f"/births/{BIRTH}", purpose="TTHC.DAT-DAI", case=CASE),
        lambda it: f"{it['fullName']}, chỉ {len(it)} mục",
    )


def publication(event_id: str | None = None, now: datetime | None = None) -> Step:
    """Return the publication of the parcel's change; a repeated id is reported as a duplicate."""
    data = {
        "parcelId": PARCEL,
        "changeId": "BD-2014-000006",
        "kind": "first-registration",
        "communeCode": COMMUNE,
        "registeredOn": "2014-03-08",
        "version": 1,
    }
    return Step(
        "land",
        "Phát sự kiện: thửa đất có biến động",
        "Publishes: a parcel has changed",
        operations.publish(
            EVENT_TYPE,
            data,
            event_id=event_id or str(uuid4()),
            source="/H11.05/land",
            time=now or datetime.now(UTC),
            subject=PARCEL,
        ),
        lambda it: f"số thứ tự {it['accepted'][0]['sequence']}",
        status=202,
    )


def delivery() -> Step:
    """Return the pull of the subscription."""
    return Step(
        "one-stop",
        "Nhận sự kiện",
        "Takes the event",
        operations.pull(SUBSCRIPTION, limit=100, wait=2),
        lambda it: f"{len(it['events'])} sự kiện",
    )


def acknowledgement(tokens: Sequence[str]) -> Step:
    """Return the acknowledgement of what was pulled."""
    return Step(
        "one-stop",
        "Xác nhận đã nhận",
        "Acknowledges it",
        operations.ack(SUBSCRIPTION, tokens),
        lambda it: f"{len(it['acknowledged'])} đã xác nhận",
    )
