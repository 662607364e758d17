"""The office of the people's committee: administrative procedures, and the cases received for them."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import FastAPI, Path, Query

from binh_thuan.data.procedures import (
    Case,
    Online,
    Procedure,
    ProcedureField,
    ProcedureLevel,
    fields,
    procedures,
)
from binh_thuan.data.records import ListPage, Record
from binh_thuan.departments.book import Book
from binh_thuan.departments.web import (
    PageWanted,
    Surroundings,
    Words,
    create_department,
    known_entry,
    matches,
    not_found,
)

ProcedureCode = Annotated[str, Path(alias="procedureCode", pattern=r"^\d\.\d{6}$")]
CaseId = Annotated[str, Path(alias="caseId")]


class NewCase(Record):
    """An application to be received; the applicant is named by the personal number."""

    procedure_code: str
    applicant_id: str


def working_days_after(first: date, days: int) -> date:
    """Return the day `days` working days (at least one) after `first`; holidays are not looked at."""
    day = first
    for _ in range(max(1, days)):
        day += timedelta(days=1 if day.weekday() < 4 else 7 - day.weekday())
    return day


def create_app(around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("procedures")
    book = Book(around.book("cases"), Case)

    @app.get("/fields", operation_id="listFields")
    async def list_fields(paging: PageWanted) -> ListPage[ProcedureField]:
        return paging.of(fields())

    @app.get("/procedures", operation_id="listProcedures")
    async def list_procedures(
        paging: PageWanted,
        q: Words = None,
        field: Annotated[str | None, Query(alias="fieldCode", pattern=r"^[A-Z]{2,4}$")] = None,
        level: Annotated[ProcedureLevel | None, Query()] = None,
        online: Annotated[Online | None, Query()] = None,
    ) -> ListPage[Procedure]:
        return paging.of(
            one
            for one in procedures().values()
            if (field is None or one.field_code == field)
            and (level is None or one.level == level)
            and (online is None or one.online == online)
            and matches(q, one.procedure_code, one.name, one.field_name)
        )

    @app.get("/procedures/{procedureCode}", operation_id="getProcedure")
    async def get_procedure(procedure_code: ProcedureCode) -> Procedure:
        return known_entry(procedures(), procedure_code, "thủ tục hành chính", "procedure")

    @app.post("/cases", operation_id="registerCase", status_code=201)
    async def register_case(wanted: NewCase) -> Case:
        if wanted.procedure_code not in procedures():
            raise not_found("thủ tục hành chính", "procedure")
        procedure = procedures()[wanted.procedure_code]
        today = around.today()
        case = Case(
            case_id=f"{procedure.agency_code}-{today:%y%m%d}-{len(book.entries) + 1:04d}",
            procedure_code=procedure.procedure_code,
            applicant_id=wanted.applicant_id,
            received_on=today,
            due_on=working_days_after(today, procedure.time_limit_working_days),
            status="received",
        )
        return book.append(case)

    @app.get("/cases/{caseId}", operation_id="getCase")
    async def get_case(case_id: CaseId) -> Case:
        for case in book.entries:
            if case.case_id == case_id:
                return case
        raise not_found("hồ sơ", "case")

    return app
