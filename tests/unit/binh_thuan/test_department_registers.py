"""What is registered with a department takes effect, is checked, and survives its restart."""

from datetime import date
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from binh_thuan.data.people import adults, population
from binh_thuan.departments import civil_status, land, officials, planning, procedures
from binh_thuan.departments.procedures import working_days_after
from binh_thuan.departments.web import Surroundings

TODAY = date(2025, 6, 30)
PARCEL = "59301-1-30"


def department(module: ModuleType, folder: Path | None) -> httpx.AsyncClient:
    app = module.create_app(Surroundings(folder, lambda: TODAY))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://department")


async def test_a_transfer_gives_the_parcel_to_the_new_owner_for_good(tmp_path: Path) -> None:
    buyer = adults()[0]
    change = {"kind": "transfer", "reason": "Chuyển nhượng", "newOwnerId": buyer.personal_id}
    async with department(land, tmp_path) as before:
        registered = await before.post(f"/parcels/{PARCEL}/changes", json=change)
        assert registered.status_code == 201
        assert registered.json()["registeredOn"] == "2025-06-30"
    async with department(land, tmp_path) as after:
        parcel = (await after.get(f"/parcels/{PARCEL}")).json()
        assert [owner["personalId"] for owner in parcel["owners"]] == [buyer.personal_id]
        assert parcel["version"] == registered.json()["version"] == 2
        history = (await after.get(f"/parcels/{PARCEL}/changes")).json()["items"]
        assert [one["kind"] for one in history] == ["transfer", "first-registration"]
        owned = (await after.get("/parcels", params={"ownerId": buyer.personal_id})).json()["items"]
        assert PARCEL in [one["parcelId"] for one in owned]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "transfer", "reason": "x"},
        {"kind": "transfer", "reason": "x", "newOwnerId": "060000000000"},
        {"kind": "use-change", "reason": "x"},
        {"kind": "mortgage-release", "reason": "x"},
        {"kind": "first-registration", "reason": "x"},
    ],
)
async def test_a_change_that_cannot_be_is_refused_and_leaves_the_parcel_alone(change: dict[str, str]) -> None:
    async with department(land, None) as client:
        before = (await client.get(f"/parcels/{PARCEL}")).json()
        refused = await client.post(f"/parcels/{PARCEL}/changes", json=change)
        assert refused.status_code == 409
        assert (await client.get(f"/parcels/{PARCEL}")).json() == before


async def test_a_mortgaged_parcel_is_not_transferred() -> None:
    async with department(land, None) as client:
        path = f"/parcels/{PARCEL}/changes"
        assert (await client.post(path, json={"kind": "mortgage", "reason": "x"})).status_code == 201
        sale = {"kind": "transfer", "reason": "x", "newOwnerId": adults()[0].personal_id}
        assert (await client.post(path, json=sale)).status_code == 409


async def test_an_entry_torn_by_a_crash_is_left_out_and_the_book_goes_on(tmp_path: Path) -> None:
    change = {"kind": "correction", "reason": "Đính chính"}
    async with department(land, tmp_path) as client:
        await client.post(f"/parcels/{PARCEL}/changes", json=change)
    with (tmp_path / "changes.jsonl").open("ab") as book:
        book.write(b'{"change": {"chang')
    async with department(land, tmp_path) as client:
        assert (await client.get(f"/parcels/{PARCEL}")).json()["version"] == 2
        await client.post(f"/parcels/{PARCEL}/changes", json=change)
    async with department(land, tmp_path) as client:
        assert (await client.get(f"/parcels/{PARCEL}")).json()["version"] == 3


async def test_a_registered_birth_is_found_with_an_example_number_of_its_own(tmp_path: Path) -> None:
    mother = next(one for one in adults() if one.relation == "wife")
    wanted = {
        "fullName": "Nguyễn Khánh An", "gender": "female", "dateOfBirth": "2025-06-20",
        "placeOfBirth": "Trạm Y tế", "communeCode": "59301", "motherId": mother.personal_id,
        "fatherId": mother.spouse_id,
    }  # fmt: skip
    async with department(civil_status, tmp_path) as client:
        first = (await client.post("/births", json=wanted)).json()
        twin = (await client.post("/births", json=wanted | {"fullName": "Nguyễn Khánh Vy"})).json()
    assert first["personalId"].startswith("060325999")
    assert first["personalId"] not in population()
    assert first["personalId"] != twin["personalId"]
    async with department(civil_status, tmp_path) as client:
        assert (await client.get(f"/births/{first['birthId']}")).json() == first


async def test_a_birth_needs_a_mother_who_is_a_woman_of_the_population() -> None:
    man = next(one for one in adults() if one.gender == "male")
    wanted = {
        "fullName": "Nguyễn An", "gender": "male", "dateOfBirth": "2025-06-20", "placeOfBirth": "Trạm Y tế",
        "communeCode": "59301", "motherId": man.personal_id,
    }  # fmt: skip
    async with department(civil_status, None) as client:
        assert (await client.post("/births", json=wanted)).status_code == 409


async def test_a_case_is_due_after_the_working_days_of_its_procedure(tmp_path: Path) -> None:
    async with department(procedures, tmp_path) as client:
        wanted = {"procedureCode": "2.001007", "applicantId": adults()[0].personal_id}
        case = (await client.post("/cases", json=wanted)).json()
        assert (case["receivedOn"], case["dueOn"]) == ("2025-06-30", "2025-07-07")
    async with department(procedures, tmp_path) as client:
        assert (await client.get(f"/cases/{case['caseId']}")).json() == case


@pytest.mark.parametrize(
    ("first", "days", "due"),
    [
        (date(2025, 6, 27), 1, date(2025, 6, 30)),
        (date(2025, 6, 28), 1, date(2025, 6, 30)),
        (date(2025, 6, 29), 1, date(2025, 6, 30)),
        (date(2025, 6, 30), 5, date(2025, 7, 7)),
    ],
)
def test_working_days_leave_out_the_weekend(first: date, days: int, due: date) -> None:
    assert working_days_after(first, days) == due


async def test_an_appointment_moves_the_official(tmp_path: Path) -> None:
    wanted = {
        "organisationCode": "H11.05", "position": "Giám đốc", "effectiveOn": "2025-07-01",
        "decisionNumber": "1/QĐ",
    }  # fmt: skip
    async with department(officials, tmp_path) as client:
        assert (await client.post("/officials/CBCC-000001/appointments", json=wanted)).status_code == 201
    async with department(officials, tmp_path) as client:
        moved = (await client.get("/officials/CBCC-000001")).json()
        assert moved["organisationName"] == "Sở Nông nghiệp và Môi trường"
        assert moved["positionSince"] == "2025-07-01"


async def test_a_request_for_planning_information_is_answered_within_fifteen_days() -> None:
    async with department(planning, None) as client:
        wanted = {"zoneCode": "QH-PT-0001", "applicant": "Công ty ví dụ", "purpose": "Dự án"}
        assert (await client.post("/information-requests", json=wanted)).json()["dueOn"] == "2025-07-15"


async def test_search_does_not_mind_marks_and_capitals() -> None:
    async with department(planning, None) as client:
        with_marks = (await client.get("/zones", params={"q": "Mũi Né"})).json()["total"]
        without = (await client.get("/zones", params={"q": "mui NE"})).json()["total"]
        assert with_marks == without == 9


async def test_pages_together_are_the_whole_list() -> None:
    async with department(land, None) as client:
        seen: list[str] = []
        for page in range(1, 16):
            answer = (await client.get("/parcels", params={"page": page, "pageSize": 100})).json()
            seen += [parcel["parcelId"] for parcel in answer["items"]]
        assert len(seen) == len(set(seen)) == answer["total"]
