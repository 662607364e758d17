"""Organisations of the province and the officials and civil servants who work there."""

from datetime import date
from functools import cache
from typing import Literal

from binh_thuan.data.names import Gender
from binh_thuan.data.people import Person, adults
from binh_thuan.data.places import DISTRICTS, communes
from binh_thuan.data.records import Record
from binh_thuan.data.seeds import day_between, stream

OrganisationLevel = Literal["province", "district", "commune"]
Kind = Literal["cadre", "civil-servant"]
OfficialStatus = Literal["working", "seconded", "on-leave"]


class Organisation(Record):
    """An organisation with its official code."""

    organisation_code: str
    name: str
    level: OrganisationLevel
    parent_code: str | None


class Grade(Record):
    """A civil servant's grade (ngạch) and salary step (bậc) with its coefficient (hệ số)."""

    code: str
    name: str
    step: int
    coefficient: float


class Official(Record):
    """An official or civil servant in his or her present position."""

    official_id: str
    personal_id: str
    full_name: str
    gender: Gender
    date_of_birth: date
    kind: Kind
    organisation_code: str
    organisation_name: str
    position: str
    grade: Grade
    political_theory: str
    qualification: str
    recruited_on: date
    position_since: date
    status: OfficialStatus


class Appointment(Record):
    """A decision that puts an official into a position."""

    appointment_id: str
    official_id: str
    organisation_code: str
    position: str
    effective_on: date
    decision_number: str


#: Provincial departments, in the order of their example codes H11.01, H11.02, …
_DEPARTMENTS = (
    "Trung tâm Phục vụ hành chính công tỉnh", "Văn phòng UBND tỉnh", "Sở Nội vụ", "Sở Tư pháp",
    "Sở Nông nghiệp và Môi trường", "Sở Xây dựng", "Sở Tài chính", "Sở Công Thương", "Sở Y tế",
    "Sở Giáo dục và Đào tạo", "Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Dân tộc và Tôn giáo", "Thanh tra tỉnh", "Ban Quản lý các khu công nghiệp",
)  # fmt: skip

#: Grades with code, name, first coefficient, step and number of steps (Decree 204/2004, tables of grades).
_GRADES = {
    "senior": ("01.001", "Chuyên viên cao cấp", 6.20, 0.36, 6),
    "principal": ("01.002", "Chuyên viên chính", 4.40, 0.34, 8),
    "expert": ("01.003", "Chuyên viên", 2.34, 0.33, 9),
    "officer": ("01.004", "Cán sự", 2.10, 0.31, 10),
}

_POSITIONS: dict[OrganisationLevel, tuple[tuple[str, str, Kind], ...]] = {
    "province": (
        ("Giám đốc", "senior", "cadre"), ("Phó Giám đốc", "senior", "cadre"),
        ("Phó Giám đốc", "principal", "cadre"), ("Chánh Văn phòng", "principal", "civil-servant"),
        ("Trưởng phòng", "principal", "civil-servant"), ("Trưởng phòng", "principal", "civil-servant"),
        ("Phó Trưởng phòng", "principal", "civil-servant"), ("Phó Trưởng phòng", "expert", "civil-servant"),
        ("Chuyên viên chính", "principal", "civil-servant"), ("Chuyên viên", "expert", "civil-servant"),
        ("Chuyên viên", "expert", "civil-servant"), ("Chuyên viên", "expert", "civil-servant"),
        ("Chuyên viên", "expert", "civil-servant"), ("Văn thư", "officer", "civil-servant"),
    ),
    "district": (
        ("Chủ tịch UBND", "principal", "cadre"), ("Phó Chủ tịch UBND", "principal", "cadre"),
        ("Phó Chủ tịch UBND", "principal", "cadre"), ("Trưởng phòng Nội vụ", "principal", "civil-servant"),
        ("Trưởng phòng Tư pháp", "expert", "civil-servant"),
        ("Trưởng phòng Nông nghiệp và Môi trường", "principal", "civil-servant"),
        ("Phó Trưởng phòng", "expert", "civil-servant"), ("Chuyên viên", "expert", "civil-servant"),
        ("Chuyên viên", "expert", "civil-servant"), ("Văn thư", "officer", "civil-servant"),
    ),
    "commune": (
        ("Chủ tịch UBND", "expert", "cadre"), ("Phó Chủ tịch UBND", "expert", "cadre"),
        ("Công chức Tư pháp - Hộ tịch", "expert", "civil-servant"),
        ("Công chức Địa chính - Xây dựng - Môi trường", "expert", "civil-servant"),
        ("Công chức Văn phòng - Thống kê", "expert", "civil-servant"),
        ("Công chức Tài chính - Kế toán", "officer", "civil-servant"),
        ("Công chức Văn hóa - Xã hội", "officer", "civil-servant"),
    ),
}  # fmt: skip

_QUALIFICATIONS = (
    "Cử nhân Luật", "Cử nhân Hành chính", "Kỹ sư Quản lý đất đai", "Kỹ sư Công nghệ thông tin",
    "Cử nhân Kinh tế", "Kỹ sư Xây dựng", "Thạc sĩ Quản lý công", "Thạc sĩ Luật", "Cử nhân Kế toán",
)  # fmt: skip


@cache
def organisations() -> dict[str, Organisation]:
    """Return departments, district and commune committees by their example codes."""
    found = [
        Organisation(organisation_code=f"H11.{number:02d}", name=name, level="province", parent_code="H11")
        for number, name in enumerate(_DEPARTMENTS, start=1)
    ]
    for number, district in enumerate(DISTRICTS, start=36):
        code = f"H11.{number}"
        name = f"UBND {district.kind} {district.name}"
        found.append(Organisation(organisation_code=code, name=name, level="district", parent_code="H11"))
        below = [commune for commune in communes() if commune.district is district]
        found += [
            Organisation(
                organisation_code=f"{code}.{commune.code[3:]}",
                name=f"UBND {commune.full_name}",
                level="commune",
                parent_code=code,
            )
            for commune in below
        ]
    return {organisation.organisation_code: organisation for organisation in found}


def _grade(kind: str, years: int) -> Grade:
    code, name, first, rise, steps = _GRADES[kind]
    step = min(steps, 1 + years // 3)
    return Grade(code=code, name=name, step=step, coefficient=round(first + rise * (step - 1), 2))


def _official(
    number: int, person: Person, organisation: Organisation, post: tuple[str, str, Kind]
) -> Official:
    rng = stream("official", number)
    position, grade, kind = post
    first_day = date(person.date_of_birth.year + 23, 1, 2)
    recruited = day_between(rng, first_day, max(first_day, date(min(2024, first_day.year + 6), 12, 1)))
    since = day_between(rng, recruited, date(2025, 5, 30))
    statuses: tuple[OfficialStatus, ...] = ("working", "seconded", "on-leave")
    return Official(
        official_id=f"CBCC-{number:06d}",
        personal_id=person.personal_id,
        full_name=person.full_name,
        gender=person.gender,
        date_of_birth=person.date_of_birth,
        kind=kind,
        organisation_code=organisation.organisation_code,
        organisation_name=organisation.name,
        position=position,
        grade=_grade(grade, since.year - recruited.year),
        political_theory="Cao cấp"
        if grade in ("senior", "principal")
        else rng.choice(("Trung cấp", "Sơ cấp")),
        qualification=rng.choice(_QUALIFICATIONS),
        recruited_on=recruited,
        position_since=since,
        status=rng.choices(statuses, (95, 3, 2))[0],
    )


def _candidates() -> list[Person]:
    rng = stream("officials")
    found = [person for person in adults() if 24 <= person.age() <= 60]
    rng.shuffle(found)
    return found


@cache
def officials() -> dict[str, Official]:
    """Return everybody in office by their number; each is somebody of the population."""
    found: dict[str, Official] = {}
    waiting = iter(_candidates())
    for organisation in organisations().values():
        for post in _POSITIONS[organisation.level]:
            official = _official(len(found) + 1, next(waiting), organisation, post)
            found[official.official_id] = official
    return found
