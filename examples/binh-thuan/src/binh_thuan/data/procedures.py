"""Administrative procedures as announced by the province, in the style of the national database.

A code has one digit for the batch, a dot and six digits, e.g. `1.001234`; these are examples.
"""

import random
from datetime import date
from functools import cache
from typing import Literal

from binh_thuan.data.fields import FIELDS, Field
from binh_thuan.data.records import Record
from binh_thuan.data.seeds import day_between, stream

ProcedureLevel = Literal["province", "district", "commune"]
Online = Literal["full", "partial", "information"]
CaseStatus = Literal["received", "processing", "returned"]


class Paper(Record):
    """A paper that an applicant hands in."""

    name: str
    originals: int
    copies: int


class Procedure(Record):
    """An administrative procedure."""

    procedure_code: str
    name: str
    field_code: str
    field_name: str
    level: ProcedureLevel
    agency_code: str
    agency_name: str
    applicants: str
    papers: list[Paper]
    time_limit_working_days: int
    fee_vnd: int
    online: Online
    legal_basis: list[str]
    decision_number: str
    announced_on: date


class ProcedureField(Record):
    """A field of administration and how many procedures it has."""

    field_code: str
    field_name: str
    agency_code: str
    agency_name: str
    procedures: int


class Case(Record):
    """An application that was received for a procedure."""

    case_id: str
    procedure_code: str
    applicant_id: str
    received_on: date
    due_on: date
    status: CaseStatus


_PAPER_ACTIONS = (
    "Cấp mới",
    "Cấp lại",
    "Cấp đổi",
    "Điều chỉnh",
    "Gia hạn",
    "Thu hồi",
    "Trả lại",
    "Đính chính",
)
_OTHER_ACTIONS = (
    "Đăng ký", "Đăng ký lại", "Đăng ký thay đổi", "Đăng ký bổ sung", "Trích lục đăng ký", "Hủy đăng ký",
    "Cải chính đăng ký", "Xác nhận đã đăng ký",
)  # fmt: skip
_PAPER_WORDS = ("giấy", "chứng", "thẻ", "quyết", "văn", "bản")
_APPLICANTS = ("cá nhân", "hộ gia đình", "tổ chức trong nước", "người Việt Nam định cư ở nước ngoài")
_PAPERS = (
    "Đơn đề nghị theo mẫu", "Bản sao thẻ căn cước", "Giấy tờ chứng minh nơi cư trú",
    "Bản chính giấy tờ đã cấp", "Văn bản ủy quyền (nếu có)", "Ảnh chân dung 3x4", "Sơ đồ vị trí",
    "Chứng từ nộp nghĩa vụ tài chính",
)  # fmt: skip


def _actions(subject: str) -> tuple[str, ...]:
    """Return what can be asked for: papers are issued, everything else is registered."""
    first, second = subject.split(" ")[:2]
    paper = first.lower() in _PAPER_WORDS and second != "thực"
    return _PAPER_ACTIONS if paper else _OTHER_ACTIONS


def _papers(rng: random.Random) -> list[Paper]:
    names = [_PAPERS[0], *rng.sample(_PAPERS[1:], rng.randint(1, 4))]
    return [Paper(name=name, originals=1, copies=rng.randint(0, 1)) for name in names]


def _level(rng: random.Random, field: Field) -> ProcedureLevel:
    levels: tuple[ProcedureLevel, ...] = ("province", "district", "commune")
    return rng.choices(levels, (1, 3, 6) if field.code in ("HT", "CT", "BT") else (6, 3, 1))[0]


def _procedure(index: int, field: Field, subject: str, action: str, applicants: str) -> Procedure:
    rng = stream("procedure", index)
    announced = day_between(rng, date(2017, 3, 1), date(2025, 6, 12))
    online: tuple[Online, ...] = ("full", "partial", "information")
    return Procedure(
        procedure_code=f"{1 + index % 3}.{1000 + index * 7:06d}",
        name=f"{action} {subject} (đối với {applicants})",
        field_code=field.code,
        field_name=field.name,
        level=_level(rng, field),
        agency_code=field.agency_code,
        agency_name=field.agency_name,
        applicants=applicants,
        papers=_papers(rng),
        time_limit_working_days=rng.choice((1, 3, 5, 7, 10, 15, 20, 30)),
        fee_vnd=rng.choice((0, 0, 0, 8000, 20000, 50000, 100000, 150000, 500000)),
        online=rng.choices(online, (55, 35, 10))[0],
        legal_basis=list(field.laws),
        decision_number=f"{rng.randint(100, 3200)}/QĐ-UBND",
        announced_on=announced,
    )


@cache
def procedures() -> dict[str, Procedure]:
    """Return every procedure by its code."""
    drafts = (
        (field, subject, action, applicants)
        for field in FIELDS
        for subject in field.objects
        for action in _actions(subject)
        for applicants in _APPLICANTS
    )
    found = (_procedure(index, *draft) for index, draft in enumerate(drafts, start=1))
    return {procedure.procedure_code: procedure for procedure in found}


@cache
def fields() -> tuple[ProcedureField, ...]:
    """Return the fields with the number of their procedures."""
    counted = [procedure.field_code for procedure in procedures().values()]
    return tuple(
        ProcedureField(
            field_code=field.code,
            field_name=field.name,
            agency_code=field.agency_code,
            agency_name=field.agency_name,
            procedures=counted.count(field.code),
        )
        for field in FIELDS
    )
