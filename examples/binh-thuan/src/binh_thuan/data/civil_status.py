"""Births, marriages and deaths, as registered by the communes."""

import random
from datetime import date, timedelta
from functools import cache

from binh_thuan.data.names import Gender
from binh_thuan.data.people import Person, population
from binh_thuan.data.places import Commune
from binh_thuan.data.records import Record
from binh_thuan.data.seeds import REFERENCE_DAY, stream


class Registration(Record):
    """Where and when an event was entered in the civil-status book."""

    number: str
    book: str
    registered_on: date
    commune_code: str
    authority: str


class Relative(Record):
    """A person as named in an entry."""

    personal_id: str
    full_name: str
    date_of_birth: date


class Birth(Record):
    """An entry of a birth."""

    birth_id: str
    personal_id: str
    full_name: str
    gender: Gender
    date_of_birth: date
    place_of_birth: str
    ethnicity: str
    father: Relative | None
    mother: Relative
    registration: Registration


class Marriage(Record):
    """An entry of a marriage."""

    marriage_id: str
    husband: Relative
    wife: Relative
    registration: Registration


class Death(Record):
    """An entry of a death."""

    death_id: str
    deceased: Relative
    died_on: date
    place_of_death: str
    registration: Registration


def relative(person: Person) -> Relative:
    """Return a person as named in an entry."""
    return Relative(
        personal_id=person.personal_id, full_name=person.full_name, date_of_birth=person.date_of_birth
    )


def registration(book: str, number: int, day: date, commune: Commune) -> Registration:
    """Return the entry's place in the commune's book of the year."""
    return Registration(
        number=f"{number}/{day.year}",
        book=f"{book}-{commune.code}-{day.year}",
        registered_on=day,
        commune_code=commune.code,
        authority=f"UBND {commune.full_name}",
    )


class _Books:
    """Counts entries by book, commune and year."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, int], int] = {}

    def entry(self, book: str, day: date, commune: Commune) -> Registration:
        key = (book, commune.code, day.year)
        self.counts[key] = number = self.counts.get(key, 0) + 1
        return registration(book, number, day, commune)


def _declared(rng: random.Random, event: date, days: int) -> date:
    return min(event + timedelta(days=rng.randint(1, days)), REFERENCE_DAY)


@cache
def births() -> dict[str, Birth]:
    """Return the births of everybody whose parents are known, by number."""
    books = _Books()
    found: dict[str, Birth] = {}
    people = population()
    children = sorted((p for p in people.values() if p.mother_id), key=lambda child: child.date_of_birth)
    for index, child in enumerate(children, start=1):
        rng = stream("birth", child.personal_id)
        birth_id = f"KS-{child.date_of_birth.year}-{index:05d}"
        hospital = rng.choice(("Bệnh viện Đa khoa tỉnh Bình Thuận", f"Trạm Y tế {child.commune.full_name}"))
        found[birth_id] = Birth(
            birth_id=birth_id,
            personal_id=child.personal_id,
            full_name=child.full_name,
            gender=child.gender,
            date_of_birth=child.date_of_birth,
            place_of_birth=hospital,
            ethnicity=child.ethnicity,
            father=relative(people[child.father_id]) if child.father_id else None,
            mother=relative(people[child.mother_id or ""]),
            registration=books.entry("KS", _declared(rng, child.date_of_birth, 55), child.commune),
        )
    return found


@cache
def marriages() -> dict[str, Marriage]:
    """Return the marriages of all couples, by number."""
    books = _Books()
    found: dict[str, Marriage] = {}
    people = population()
    husbands = [p for p in people.values() if p.gender == "male" and p.spouse_id and p.married_on]
    for index, husband in enumerate(sorted(husbands, key=lambda p: p.married_on or REFERENCE_DAY), start=1):
        day = husband.married_on or REFERENCE_DAY
        marriage_id = f"KH-{day.year}-{index:05d}"
        found[marriage_id] = Marriage(
            marriage_id=marriage_id,
            husband=relative(husband),
            wife=relative(people[husband.spouse_id or ""]),
            registration=books.entry("KH", day, husband.commune),
        )
    return found


@cache
def deaths() -> dict[str, Death]:
    """Return the deaths of all who passed away, by number."""
    books = _Books()
    found: dict[str, Death] = {}
    gone = [person for person in population().values() if person.died_on]
    for index, person in enumerate(sorted(gone, key=lambda p: p.died_on or REFERENCE_DAY), start=1):
        rng = stream("death", person.personal_id)
        day = person.died_on or REFERENCE_DAY
        death_id = f"KT-{day.year}-{index:05d}"
        found[death_id] = Death(
            death_id=death_id,
            deceased=relative(person),
            died_on=day,
            place_of_death=rng.choice((person.address, "Bệnh viện Đa khoa tỉnh Bình Thuận")),
            registration=books.entry("KT", _declared(rng, day, 15), person.commune),
        )
    return found
