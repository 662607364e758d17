"""The demo province's records are plausible, agree with each other, and are the same everywhere."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from binh_thuan.data import civil_status, land, officials, people, planning, procedures
from binh_thuan.data.names import MIDDLE_NAMES
from binh_thuan.data.places import DISTRICTS, PROVINCES, communes, communes_by_code
from binh_thuan.data.seeds import REFERENCE_DAY, fold
from binh_thuan.province import ROOM

FINGERPRINT = (
    "from binh_thuan.data.people import population; from binh_thuan.data.land import parcels;"
    "import hashlib; print(hashlib.sha256((repr(list(population().items()))"
    "+''.join(p.model_dump_json() for p in parcels().values())).encode()).hexdigest())"
)


def test_the_ten_districts_have_their_communes() -> None:
    assert [district.name for district in DISTRICTS] == [
        "Phan Thiết", "La Gi", "Tuy Phong", "Bắc Bình", "Hàm Thuận Bắc", "Hàm Thuận Nam", "Tánh Linh",
        "Đức Linh", "Hàm Tân", "Phú Quý",
    ]  # fmt: skip
    assert all(any(c.district is district for c in communes()) for district in DISTRICTS)
    assert len(communes_by_code()) == len(communes()) > 110


@pytest.mark.parametrize(
    "records",
    [
        people.population,
        land.parcels,
        planning.zones,
        officials.officials,
        civil_status.births,
        civil_status.marriages,
        procedures.procedures,
    ],
    ids=lambda records: records.__name__,
)
def test_each_database_holds_at_least_a_thousand_records_under_their_own_numbers(
    records: Callable[[], Mapping[str, object]],
) -> None:
    assert len(records()) >= 1000


def test_a_personal_number_tells_province_century_gender_and_year_and_is_marked_as_an_example() -> None:
    provinces = {name: code for code, name in PROVINCES.items()}
    for number, person in people.population().items():
        born = person.date_of_birth
        century = {(19, "male"): "0", (19, "female"): "1", (20, "male"): "2", (20, "female"): "3"}
        assert number == person.personal_id
        assert re.fullmatch(r"\d{12}", number)
        assert number[:3] == provinces[person.birth_province]
        assert number[3] == century[(born.year // 100, person.gender)]
        assert number[4:6] == f"{born.year % 100:02d}"
        assert number[6:9] == people.EXAMPLE_MARK


def test_middle_names_fit_the_gender() -> None:
    for person in people.population().values():
        _family, middle, _given = person.full_name.split(" ")
        assert middle in MIDDLE_NAMES[person.gender]
        assert (person.gender, middle) not in {("male", "Thị"), ("female", "Văn")}


def test_families_are_possible() -> None:
    everybody = people.population()
    for person in everybody.values():
        assert person.date_of_birth <= REFERENCE_DAY
        if person.spouse_id:
            spouse = everybody[person.spouse_id]
            assert spouse.spouse_id == person.personal_id
            assert spouse.gender != person.gender
            assert person.married_on == spouse.married_on
            assert person.married_on is not None
            assert person.age(person.married_on) >= (20 if person.gender == "male" else 18)
        if person.mother_id and person.father_id:
            mother, father = everybody[person.mother_id], everybody[person.father_id]
            assert (mother.gender, father.gender) == ("female", "male")
            assert mother.age(person.date_of_birth) >= 18
            assert father.full_name.split(" ")[0] == person.full_name.split(" ")[0]
            assert mother.died_on is None or mother.died_on > person.date_of_birth
        if person.died_on:
            assert person.date_of_birth < person.died_on <= REFERENCE_DAY


def test_every_parcel_belongs_to_the_living_and_lies_in_its_commune() -> None:
    for number, parcel in land.parcels().items():
        commune, sheet, serial = number.split("-")
        assert (parcel.commune_code, str(parcel.map_sheet), str(parcel.parcel_number)) == (
            commune,
            sheet,
            serial,
        )
        assert sum(owner.share_percent for owner in parcel.owners) == 100
        for owner in parcel.owners:
            holder = people.population()[owner.personal_id]
            assert holder.full_name == owner.full_name
            assert holder.died_on is None
            assert holder.age() >= 18
        urban = communes_by_code()[commune].urban
        assert parcel.use_type.code != ("ONT" if urban else "ODT")
        assert (parcel.use_term_ends is None) == (parcel.use_type.code in ("ODT", "ONT"))


def test_each_birth_marriage_and_death_is_that_of_people_of_the_population() -> None:
    everybody = people.population()
    for birth in civil_status.births().values():
        child = everybody[birth.personal_id]
        assert (child.full_name, child.mother_id) == (birth.full_name, birth.mother.personal_id)
        assert birth.registration.registered_on >= birth.date_of_birth
    for marriage in civil_status.marriages().values():
        assert everybody[marriage.husband.personal_id].spouse_id == marriage.wife.personal_id
    for death in civil_status.deaths().values():
        assert everybody[death.deceased.personal_id].died_on == death.died_on
        assert death.registration.registered_on >= death.died_on


def test_an_entry_has_a_number_of_its_own_in_its_book() -> None:
    entries = [
        *(entry.registration for entry in civil_status.births().values()),
        *(entry.registration for entry in civil_status.marriages().values()),
        *(entry.registration for entry in civil_status.deaths().values()),
    ]
    places = {(entry.book, entry.number) for entry in entries}
    assert len(places) == len(entries)


def test_every_parcel_lies_in_exactly_one_zone() -> None:
    for parcel in land.parcels().values():
        found = [
            zone
            for zone in planning.zones().values()
            if zone.commune_code == parcel.commune_code and parcel.map_sheet in zone.map_sheets
        ]
        assert found == [planning.zones_by_sheet()[(parcel.commune_code, parcel.map_sheet)]]


def test_zone_and_procedure_codes_are_in_the_national_style() -> None:
    assert all(re.fullmatch(r"QH-[A-Z]{2,3}-\d{4}", code) for code in planning.zones())
    assert all(re.fullmatch(r"[123]\.\d{6}", code) for code in procedures.procedures())


def test_everybody_in_office_is_one_person_of_working_age_with_the_coefficient_of_the_step() -> None:
    holders = officials.officials().values()
    assert len({official.personal_id for official in holders}) == len(holders)
    for official in holders:
        person = people.population()[official.personal_id]
        assert person.died_on is None
        assert 24 <= person.age() <= 60
        assert official.recruited_on <= official.position_since <= REFERENCE_DAY
        assert official.organisation_code in officials.organisations()
        if (official.grade.code, official.grade.step) == ("01.003", 2):
            assert official.grade.coefficient == 2.67


def test_the_records_are_the_same_in_every_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    own = repr(list(people.population().items())) + "".join(
        parcel.model_dump_json() for parcel in land.parcels().values()
    )
    assert found == {hashlib.sha256(own.encode()).hexdigest()}


def test_folding_finds_words_written_without_marks() -> None:
    assert fold("Phường Đức Nghĩa, Phan Thiết") == "phuong duc nghia, phan thiet"


@pytest.mark.parametrize(("name", "separator"), [("README.md", ","), ("README.vi.md", ".")])
def test_the_readme_counts_what_there_is(name: str, separator: str) -> None:
    text = (ROOM / name).read_text(encoding="utf-8")
    counts = (
        len(people.population()),
        len(land.parcels()),
        len(planning.zones()),
        len(officials.officials()),
        len(procedures.procedures()),
        len(civil_status.births()) + len(civil_status.marriages()) + len(civil_status.deaths()),
    )
    for count in counts:
        assert f"{count:,}".replace(",", separator) in text
    assert str(len(officials.organisations())) in text
