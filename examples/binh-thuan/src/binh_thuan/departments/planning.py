"""Planning: zones of the approved plans, what they say of a parcel, requests for information."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import FastAPI, Path, Query

from binh_thuan.data.planning import FunctionCode, Level, ParcelZoning, Zone, zones, zones_by_sheet
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

#: How many days the department has for an answer in writing.
ANSWER_DAYS = 15

ZoneCode = Annotated[str, Path(alias="zoneCode")]
ParcelId = Annotated[str, Path(alias="parcelId", pattern=r"^\d{5}-\d{1,3}-\d{1,5}$")]
RequestId = Annotated[str, Path(alias="requestId")]


class NewInformationRequest(Record):
    """A request for planning information in writing."""

    zone_code: str
    applicant: str
    purpose: str
    case_id: str | None = None


class InformationRequest(Record):
    """A request that was received, with the day by which it is answered."""

    request_id: str
    zone_code: str
    applicant: str
    purpose: str
    case_id: str | None
    received_on: date
    due_on: date


def zoning(parcel_id: str) -> ParcelZoning | None:
    """Return what the plans say of a parcel; its number names the commune and the map sheet."""
    commune, sheet, _number = parcel_id.split("-")
    zone = zones_by_sheet().get((commune, int(sheet)))
    if zone is None:
        return None
    allowed = zone.indicators is not None
    remark = (
        "Được xây dựng theo chỉ tiêu của khu vực. · Building is allowed within the zone's indicators."
        if allowed
        else "Không được xây dựng công trình. · No building is allowed."
    )
    return ParcelZoning(parcel_id=parcel_id, zone=zone, building_allowed=allowed, remark=remark)


def create_app(around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("planning")
    book = Book(around.book("information-requests"), InformationRequest)

    @app.get("/zones", operation_id="listZones")
    async def list_zones(
        paging: PageWanted,
        q: Words = None,
        commune: Annotated[str | None, Query(alias="communeCode", pattern=r"^\d{5}$")] = None,
        function: Annotated[FunctionCode | None, Query()] = None,
        level: Annotated[Level | None, Query()] = None,
    ) -> ListPage[Zone]:
        return paging.of(
            zone
            for zone in zones().values()
            if (commune is None or zone.commune_code == commune)
            and (function is None or zone.function.code == function)
            and (level is None or zone.level == level)
            and matches(q, zone.zone_code, zone.name, zone.plan_name)
        )

    @app.get("/zones/{zoneCode}", operation_id="getZone")
    async def get_zone(zone_code: ZoneCode) -> Zone:
        return known_entry(zones(), zone_code, "khu vực quy hoạch", "zone")

    @app.get("/parcels/{parcelId}/zoning", operation_id="getParcelZoning")
    async def get_parcel_zoning(parcel_id: ParcelId) -> ParcelZoning:
        found = zoning(parcel_id)
        if found is None:
            raise not_found("quy hoạch của thửa đất", "parcel in any plan")
        return found

    @app.post("/information-requests", operation_id="requestInformation", status_code=201)
    async def request_information(wanted: NewInformationRequest) -> InformationRequest:
        if wanted.zone_code not in zones():
            raise not_found("khu vực quy hoạch", "zone")
        today = around.today()
        received = InformationRequest(
            request_id=f"TTQH-{today.year}-{len(book.entries) + 1:05d}",
            received_on=today,
            due_on=today + timedelta(days=ANSWER_DAYS),
            **wanted.model_dump(),
        )
        return book.append(received)

    @app.get("/information-requests/{requestId}", operation_id="getInformationRequest")
    async def get_information_request(request_id: RequestId) -> InformationRequest:
        for received in book.entries:
            if received.request_id == request_id:
                return received
        raise not_found("phiếu đề nghị", "request")

    return app
