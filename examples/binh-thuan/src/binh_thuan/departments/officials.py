"""Home affairs: organisations, officials and civil servants, appointments."""

from datetime import date
from typing import Annotated

from fastapi import FastAPI, Path, Query

from binh_thuan.data.officials import (
    Appointment,
    Official,
    OfficialStatus,
    Organisation,
    OrganisationLevel,
    officials,
    organisations,
)
from binh_thuan.data.records import ListPage, Record
from binh_thuan.departments.book import Book
from binh_thuan.departments.web import (
    PageWanted,
    Surroundings,
    Words,
    conflict,
    create_department,
    known_entry,
    matches,
)

OfficialId = Annotated[str, Path(alias="officialId")]


class NewAppointment(Record):
    """A decision to be entered."""

    organisation_code: str
    position: str
    effective_on: date
    decision_number: str


def appointed(official: Official, appointment: Appointment) -> Official:
    """Return the official in the new position."""
    return official.model_copy(
        update={
            "organisation_code": appointment.organisation_code,
            "organisation_name": organisations()[appointment.organisation_code].name,
            "position": appointment.position,
            "position_since": appointment.effective_on,
        }
    )


def create_app(around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("officials")
    book = Book(around.book("appointments"), Appointment)
    present = dict(officials())
    for entered in book.entries:
        present[entered.official_id] = appointed(present[entered.official_id], entered)

    def known(official_id: str) -> Official:
        return known_entry(present, official_id, "cán bộ, công chức", "official")

    @app.get("/organisations", operation_id="listOrganisations")
    async def list_organisations(
        paging: PageWanted, q: Words = None, level: Annotated[OrganisationLevel | None, Query()] = None
    ) -> ListPage[Organisation]:
        return paging.of(
            one
            for one in organisations().values()
            if (level is None or one.level == level) and matches(q, one.organisation_code, one.name)
        )

    @app.get("/officials", operation_id="listOfficials")
    async def list_officials(
        paging: PageWanted,
        q: Words = None,
        organisation: Annotated[str | None, Query(alias="organisationCode", max_length=35)] = None,
        grade: Annotated[str | None, Query(alias="gradeCode", pattern=r"^\d{2}\.\d{3}$")] = None,
        status: Annotated[OfficialStatus | None, Query()] = None,
    ) -> ListPage[Official]:
        return paging.of(
            one
            for one in present.values()
            if (organisation is None or one.organisation_code == organisation)
            and (grade is None or one.grade.code == grade)
            and (status is None or one.status == status)
            and matches(q, one.official_id, one.full_name, one.position, one.organisation_name)
        )

    @app.get("/officials/{officialId}", operation_id="getOfficial")
    async def get_official(official_id: OfficialId) -> Official:
        return known(official_id)

    @app.post("/officials/{officialId}/appointments", operation_id="recordAppointment", status_code=201)
    async def record_appointment(official_id: OfficialId, wanted: NewAppointment) -> Appointment:
        official = known(official_id)
        if wanted.organisation_code not in organisations():
            raise conflict("Không có cơ quan mang mã này. · No organisation has this code.")
        if wanted.effective_on < official.position_since:
            raise conflict("Ngày hiệu lực sớm hơn chức vụ hiện tại. · It begins before the present position.")
        appointment = Appointment(
            appointment_id=f"QDBN-{wanted.effective_on.year}-{len(book.entries) + 1:05d}",
            official_id=official_id,
            **wanted.model_dump(),
        )
        present[official_id] = appointed(official, book.append(appointment))
        return appointment

    return app
