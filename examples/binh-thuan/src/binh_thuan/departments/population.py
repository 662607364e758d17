"""The stand-in for the national population database: persons, households, verification."""

from datetime import date
from functools import cache
from typing import Annotated, Literal

from fastapi import FastAPI, Path, Query

from binh_thuan.data.names import Gender
from binh_thuan.data.people import Person, population
from binh_thuan.data.records import ListPage, Record
from binh_thuan.data.seeds import fold
from binh_thuan.departments.web import (
    PageWanted,
    Surroundings,
    Words,
    create_department,
    known_entry,
    matches,
    not_found,
)

PersonalId = Annotated[str, Path(alias="personalId", pattern=r"^\d{12}$")]
HouseholdNumber = Annotated[str, Path(alias="householdNumber", pattern=r"^\d{10}$")]


class Citizen(Record):
    """A person as the national database answers."""

    personal_id: str
    full_name: str
    gender: Gender
    date_of_birth: date
    birth_province: str
    ethnicity: str
    nationality: str
    household_number: str
    commune_code: str
    address: str
    father_id: str | None
    mother_id: str | None
    spouse_id: str | None
    status: Literal["alive", "deceased"]


class Member(Record):
    """Somebody of a household and how he or she is related to its head."""

    personal_id: str
    full_name: str
    relation: Literal["head", "wife", "father", "mother", "child"]


class Household(Record):
    """The living members of a household."""

    household_number: str
    address: str
    members: list[Member]


class Claim(Record):
    """What somebody says of himself or herself."""

    personal_id: str
    full_name: str
    date_of_birth: date


class Verification(Record):
    """Which of the claims are right; the answer gives nothing away that the asker did not know."""

    personal_id: str
    full_name_matches: bool
    date_of_birth_matches: bool
    verified: bool


def citizen(person: Person) -> Citizen:
    """Return the person as the national database answers."""
    return Citizen(
        personal_id=person.personal_id,
        full_name=person.full_name,
        gender=person.gender,
        date_of_birth=person.date_of_birth,
        birth_province=person.birth_province,
        ethnicity=person.ethnicity,
        nationality="Việt Nam",
        household_number=person.household,
        commune_code=person.commune.code,
        address=person.address,
        father_id=person.father_id,
        mother_id=person.mother_id,
        spouse_id=person.spouse_id,
        status="deceased" if person.died_on else "alive",
    )


@cache
def households() -> dict[str, Household]:
    """Return every household by its number."""
    found: dict[str, list[Person]] = {}
    for person in population().values():
        if person.died_on is None:
            found.setdefault(person.household, []).append(person)
    return {
        number: Household(
            household_number=number,
            address=people[0].address,
            members=[
                Member.model_validate(
                    {"personal_id": one.personal_id, "full_name": one.full_name, "relation": one.relation}
                )
                for one in people
            ],
        )
        for number, people in found.items()
    }


def verified(claim: Claim) -> Verification:
    """Compare a claim with the register; an unknown number matches nothing."""
    person = population().get(claim.personal_id)
    name = person is not None and fold(person.full_name) == fold(claim.full_name)
    born = person is not None and person.date_of_birth == claim.date_of_birth
    return Verification(
        personal_id=claim.personal_id,
        full_name_matches=name,
        date_of_birth_matches=born,
        verified=name and born,
    )


def create_app(_around: Surroundings) -> FastAPI:
    """Return the web service."""
    app = create_department("population")

    @app.get("/persons", operation_id="searchPersons")
    async def search_persons(
        paging: PageWanted,
        q: Words = None,
        born: Annotated[date | None, Query(alias="dateOfBirth")] = None,
        commune: Annotated[str | None, Query(alias="communeCode", pattern=r"^\d{5}$")] = None,
    ) -> ListPage[Citizen]:
        return paging.of(
            citizen(person)
            for person in population().values()
            if (born is None or person.date_of_birth == born)
            and (commune is None or person.commune.code == commune)
            and matches(q, person.full_name)
        )

    @app.get("/persons/{personalId}", operation_id="getPerson")
    async def get_person(personal_id: PersonalId) -> Citizen:
        if personal_id not in population():
            raise not_found("người mang số định danh này", "person")
        return citizen(population()[personal_id])

    @app.get("/households/{householdNumber}", operation_id="getHousehold")
    async def get_household(household_number: HouseholdNumber) -> Household:
        return known_entry(households(), household_number, "hộ gia đình", "household")

    @app.post("/verifications", operation_id="verifyPerson")
    async def verify_person(claim: Claim) -> Verification:
        return verified(claim)

    return app
