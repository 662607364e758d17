"""The people of the province in their households: what the population, civil status and land agree on.

A personal number has twelve digits: three for the province where the birth was registered, one for century
and gender (0 and 1 for men and women born in the 1900s, 2 and 3 for the 2000s), two for the year, six
random. Here the six begin with `999`: the mark of an example.
"""

import random
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from binh_thuan.data.names import Gender, family_name, full_name
from binh_thuan.data.places import PROVINCES, Commune, crowded_communes
from binh_thuan.data.seeds import REFERENCE_DAY, day_between, stream

HOUSEHOLDS = 1200
EXAMPLE_MARK = "999"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist; parents and spouse are other people's personal numbers."""

    personal_id: str
    full_name: str
    gender: Gender
    date_of_birth: date
    birth_province: str
    ethnicity: str
    household: str
    relation: str
    commune: Commune
    street: str
    father_id: str | None = None
    mother_id: str | None = None
    spouse_id: str | None = None
    married_on: date | None = None
    died_on: date | None = None

    @property
    def address(self) -> str:
        """Where he or she lives."""
        return f"{self.street}, {self.commune.address}"

    def age(self, on: date = REFERENCE_DAY) -> int:
        """Return the age in full years on a day."""
        born = self.date_of_birth
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


class _PersonalNumbers:
    """Hands out personal numbers, each once."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}

    def number(self, rng: random.Random, gender: Gender, born: date, province: str) -> str:
        century = (born.year // 100 - 19) * 2 + (gender == "female")
        serial = rng.randrange(1000)
        while (found := f"{province}{century}{born.year % 100:02d}{EXAMPLE_MARK}{serial:03d}") in self.people:
            serial = (serial + 1) % 1000
        return found

    def add(self, rng: random.Random, gender: Gender, born: date, province: str, person: Person) -> Person:
        added = replace(person, personal_id=self.number(rng, gender, born, province))
        self.people[added.personal_id] = added
        return added


@dataclass(frozen=True, slots=True)
class _Home:
    """What the members of one household share."""

    number: str
    commune: Commune
    street: str
    ethnicity: str


_STREETS = (
    "Trần Hưng Đạo", "Nguyễn Tất Thành", "Thủ Khoa Huân", "Lê Hồng Phong", "Tôn Đức Thắng",
    "Hải Thượng Lãn Ông", "Võ Thị Sáu", "Nguyễn Đình Chiểu", "Huỳnh Thúc Kháng", "Ngô Sĩ Liên",
    "Trần Phú", "Hùng Vương",
)  # fmt: skip


def _home(rng: random.Random, index: int) -> _Home:
    places, weights = crowded_communes()
    commune = rng.choices(places, weights)[0]
    if commune.urban:
        street = f"Số {rng.randint(1, 480)} đường {rng.choice(_STREETS)}"
    else:
        street = f"Thôn {rng.randint(1, 8)}"
    cham = commune.name in ("Phan Hòa", "Phan Hiệp", "Phan Thanh", "Phú Lạc", "Phan Điền")
    return _Home(f"060{index:07d}", commune, street, "Chăm" if cham and rng.random() < 0.8 else "Kinh")


def _draft(home: _Home, name: str, gender: Gender, born: date, province: str, relation: str) -> Person:
    return Person(
        personal_id="",
        full_name=name,
        gender=gender,
        date_of_birth=born,
        birth_province=PROVINCES[province],
        ethnicity=home.ethnicity,
        household=home.number,
        relation=relation,
        commune=home.commune,
        street=home.street,
    )


def _couple(
    registry: _PersonalNumbers,
    rng: random.Random,
    home: _Home,
    family: str,
    his_year: int,
    relations: tuple[str, str],
    latest_wedding: date = REFERENCE_DAY,
) -> tuple[Person, Person]:
    """Add a married couple; the wife may come from another province."""
    born = day_between(rng, date(his_year, 1, 1), date(his_year, 12, 28))
    her_year = his_year + rng.randint(-5, 2)
    hers = day_between(rng, date(her_year, 1, 1), date(her_year, 12, 28))
    wedding_year = max(his_year + 20, her_year + 18) + 1 + rng.randint(0, 7)
    wedding = min(day_between(rng, date(wedding_year, 1, 5), date(wedding_year, 12, 20)), latest_wedding)
    others = tuple(code for code in PROVINCES if code != "060")
    her_province = "060" if rng.random() < 0.8 else rng.choice(others)
    her_family = family_name(rng, home.ethnicity)
    his_name = full_name(rng, family, "male", his_year)
    her_name = full_name(rng, her_family, "female", her_year)
    his = _draft(home, his_name, "male", born, "060", relations[0])
    husband = registry.add(rng, "male", born, "060", his)
    her = _draft(home, her_name, "female", hers, her_province, relations[1])
    wife = registry.add(rng, "female", hers, her_province, her)
    husband = replace(husband, spouse_id=wife.personal_id, married_on=wedding)
    wife = replace(wife, spouse_id=husband.personal_id, married_on=wedding)
    return husband, wife


def _passed_away(rng: random.Random, person: Person, after: date) -> Person:
    """Let the old die with the years, never before `after`."""
    if rng.random() < (person.age() - 55) / 60:
        return replace(person, died_on=day_between(rng, max(after, date(2008, 1, 2)), date(2025, 6, 20)))
    return person


def _elders(
    registry: _PersonalNumbers, rng: random.Random, home: _Home, family: str, his_year: int
) -> list[Person]:
    fathers_year, wedded = his_year - rng.randint(23, 28), date(his_year - 1, rng.randint(1, 12), 15)
    couple = _couple(registry, rng, home, family, fathers_year, ("father", "mother"), wedded)
    return [_passed_away(rng, elder, date(his_year + 1, 1, 1)) for elder in couple]


def _children(
    registry: _PersonalNumbers, rng: random.Random, home: _Home, husband: Person, wife: Person
) -> list[Person]:
    found: list[Person] = []
    wedding = husband.married_on or REFERENCE_DAY
    family = husband.full_name.split(" ", 1)[0]
    year = wedding.year + 1 + rng.randint(0, 2)
    for _ in range(rng.choices((0, 1, 2, 3, 4), (6, 22, 45, 20, 7))[0]):
        if year > REFERENCE_DAY.year or year - wife.date_of_birth.year > 43:
            break
        born = day_between(rng, date(year, 1, 1), min(date(year, 12, 28), date(2025, 6, 10)))
        gender: Gender = "male" if rng.random() < 0.52 else "female"
        draft = _draft(home, full_name(rng, family, gender, year), gender, born, "060", "child")
        child = registry.add(rng, gender, born, "060", draft)
        found.append(replace(child, father_id=husband.personal_id, mother_id=wife.personal_id))
        year += rng.randint(2, 5)
    return found


def _household(registry: _PersonalNumbers, index: int) -> list[Person]:
    rng = stream("household", index)
    home = _home(rng, index)
    family = family_name(rng, home.ethnicity)
    his_year = rng.randint(1952, 1997)
    elders = _elders(registry, rng, home, family, his_year) if his_year > 1962 and rng.random() < 0.5 else []
    husband, wife = _couple(registry, rng, home, family, his_year, ("head", "wife"))
    if elders:
        husband = replace(husband, father_id=elders[0].personal_id, mother_id=elders[1].personal_id)
    return [*elders, husband, wife, *_children(registry, rng, home, husband, wife)]


@cache
def population() -> dict[str, Person]:
    """Return everybody by personal number, household after household (some 40 ms the first time)."""
    registry = _PersonalNumbers()
    for index in range(1, HOUSEHOLDS + 1):
        registry.people.update({person.personal_id: person for person in _household(registry, index)})
    return registry.people


@cache
def adults() -> tuple[Person, ...]:
    """Return the living of full age, in the order of the population."""
    return tuple(person for person in population().values() if person.died_on is None and person.age() >= 18)


@cache
def adults_by_commune() -> dict[str, tuple[Person, ...]]:
    """Return the living of full age by the code of their commune."""
    found: dict[str, list[Person]] = {}
    for person in adults():
        found.setdefault(person.commune.code, []).append(person)
    return {code: tuple(people) for code, people in found.items()}
