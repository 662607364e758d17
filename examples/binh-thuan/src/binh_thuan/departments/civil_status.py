"""Justice: births, marriages and deaths of the whole province."""

from datetime import date
from typing import Annotated

from fastapi import FastAPI, Path, Query

from binh_thuan.data.civil_status import (
    Birth,
    Death,
    Marriage,
    births,
    deaths,
    marriages,
    registration,
    relative,
)
from binh_thuan.data.names import Gender
from binh_thuan.data.people import EXAMPLE_MARK, Person, population
from binh_thuan.data.places import communes_by_code
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

BirthId = Annotated[str, Path(alias="birthId")]
MarriageId = Annotated[str, Path(alias="marriageId")]
DeathId = Annotated[str, Path(alias="deathId")]
PersonalId = Annotated[str | None, Query(alias="personalId", pattern=r"^\d{12}$")]
CommuneCode = Annotated[str | None, Query(alias="communeCode", pattern=r"^\d{5}$")]


class NewBirth(Record):
    """A birth to be registered; parents are named by their personal numbers."""

    full_name: str
    gender: Gender
    date_of_birth: date
    place_of_birth: str
    commune_code: str
    mother_id: str
    father_id: str | None = None


def _personal_number(gender: Gender, born: date, taken: set[str]) -> str:
    """Return the first free example number for a child born in the province."""
    begin = f"060{(born.year // 100 - 19) * 2 + (gender == 'female')}{born.year % 100:02d}{EXAMPLE_MARK}"
    return next(found for serial in range(1000) if (found := f"{begin}{serial:03d}") not in taken)


def _parent(personal_id: str, gender: Gender, what: str) -> Person:
    person = population().get(personal_id)
    if person is None or person.gender != gender:
        raise conflict(f"Số định danh của {what} không đúng. · The parent's personal number is not right.")
    return person


def create_app(around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("civil-status")
    book = Book(around.book("births"), Birth)
    present = dict(births()) | {birth.birth_id: birth for birth in book.entries}

    @app.get("/births", operation_id="listBirths")
    async def list_births(
        paging: PageWanted,
        q: Words = None,
        commune: CommuneCode = None,
        person: PersonalId = None,
        born_from: Annotated[date | None, Query(alias="bornFrom")] = None,
        born_to: Annotated[date | None, Query(alias="bornTo")] = None,
    ) -> ListPage[Birth]:
        return paging.of(
            birth
            for birth in present.values()
            if (commune is None or birth.registration.commune_code == commune)
            and (person is None or birth.personal_id == person)
            and (born_from is None or birth.date_of_birth >= born_from)
            and (born_to is None or birth.date_of_birth <= born_to)
            and matches(q, birth.birth_id, birth.full_name, birth.mother.full_name)
        )

    @app.get("/births/{birthId}", operation_id="getBirth")
    async def get_birth(birth_id: BirthId) -> Birth:
        return known_entry(present, birth_id, "khai sinh", "birth")

    @app.post("/births", operation_id="registerBirth", status_code=201)
    async def register_birth(wanted: NewBirth) -> Birth:
        mother = _parent(wanted.mother_id, "female", "mẹ")
        father = _parent(wanted.father_id, "male", "cha") if wanted.father_id else None
        commune = communes_by_code().get(wanted.commune_code)
        today = around.today()
        if commune is None:
            raise conflict("Không có xã, phường mang mã này. · No commune has this code.")
        if not mother.date_of_birth < wanted.date_of_birth <= today:
            raise conflict("Ngày sinh không đúng. · The date of birth is not right.")
        number = len(book.entries) + 1
        birth = Birth(
            birth_id=f"KS-{wanted.date_of_birth.year}-9{number:04d}",
            personal_id=_personal_number(
                wanted.gender, wanted.date_of_birth, set(population()) | {b.personal_id for b in book.entries}
            ),
            full_name=wanted.full_name,
            gender=wanted.gender,
            date_of_birth=wanted.date_of_birth,
            place_of_birth=wanted.place_of_birth,
            ethnicity=(father or mother).ethnicity,
            father=relative(father) if father else None,
            mother=relative(mother),
            registration=registration("KS", 9000 + number, today, commune),
        )
        present[birth.birth_id] = book.append(birth)
        return birth

    @app.get("/marriages", operation_id="listMarriages")
    async def list_marriages(
        paging: PageWanted, q: Words = None, commune: CommuneCode = None, person: PersonalId = None
    ) -> ListPage[Marriage]:
        return paging.of(
            marriage
            for marriage in marriages().values()
            if (commune is None or marriage.registration.commune_code == commune)
            and (person is None or person in (marriage.husband.personal_id, marriage.wife.personal_id))
            and matches(q, marriage.marriage_id, marriage.husband.full_name, marriage.wife.full_name)
        )

    @app.get("/marriages/{marriageId}", operation_id="getMarriage")
    async def get_marriage(marriage_id: MarriageId) -> Marriage:
        return known_entry(marriages(), marriage_id, "đăng ký kết hôn", "marriage")

    @app.get("/deaths", operation_id="listDeaths")
    async def list_deaths(
        paging: PageWanted, q: Words = None, commune: CommuneCode = None, person: PersonalId = None
    ) -> ListPage[Death]:
        return paging.of(
            death
            for death in deaths().values()
            if (commune is None or death.registration.commune_code == commune)
            and (person is None or death.deceased.personal_id == person)
            and matches(q, death.death_id, death.deceased.full_name)
        )

    @app.get("/deaths/{deathId}", operation_id="getDeath")
    async def get_death(death_id: DeathId) -> Death:
        return known_entry(deaths(), death_id, "khai tử", "death")

    return app
