"""Land parcels of the cadastral map and the changes registered on them."""

import random
from datetime import date
from functools import cache
from typing import Literal

from binh_thuan.data.people import Person, adults, adults_by_commune
from binh_thuan.data.places import Commune, communes
from binh_thuan.data.records import Record
from binh_thuan.data.seeds import day_between, stream

MAP_SHEETS = 12
PARCELS_PER_COMMUNE = 12

UseCode = Literal["ODT", "ONT", "CLN", "LUC", "HNK", "NTS", "RSX", "TMD", "SKC"]
ChangeKind = Literal[
    "first-registration", "transfer", "use-change", "mortgage", "mortgage-release", "correction"
]

USE_NAMES: dict[UseCode, str] = {
    "ODT": "Đất ở tại đô thị",
    "ONT": "Đất ở tại nông thôn",
    "CLN": "Đất trồng cây lâu năm",
    "LUC": "Đất chuyên trồng lúa",
    "HNK": "Đất trồng cây hằng năm khác",
    "NTS": "Đất nuôi trồng thủy sản",
    "RSX": "Đất rừng sản xuất",
    "TMD": "Đất thương mại, dịch vụ",
    "SKC": "Đất cơ sở sản xuất phi nông nghiệp",
}

#: Smallest and largest area in square metres, by use.
_AREAS: dict[UseCode, tuple[int, int]] = {
    "ODT": (48, 320),
    "ONT": (120, 1200),
    "CLN": (900, 18000),
    "LUC": (500, 6000),
    "HNK": (600, 9000),
    "NTS": (800, 12000),
    "RSX": (5000, 60000),
    "TMD": (300, 9000),
    "SKC": (500, 20000),
}

#: The day on which terms of agricultural land given under the law of 2013 end.
_FARMING_TERM_ENDS = date(2063, 10, 15)


class UseType(Record):
    """What a parcel may be used for."""

    code: UseCode
    name: str


class Owner(Record):
    """Who holds the right to use a parcel, and which share of it."""

    personal_id: str
    full_name: str
    share_percent: int


class Centroid(Record):
    """The middle of a parcel, WGS 84 in degrees."""

    latitude: float
    longitude: float


class Parcel(Record):
    """A parcel of the cadastral map."""

    parcel_id: str
    map_sheet: int
    parcel_number: int
    commune_code: str
    address: str
    area_m2: float
    use_type: UseType
    use_term_ends: date | None
    owners: list[Owner]
    certificate_number: str
    certificate_date: date
    mortgaged: bool
    centroid: Centroid
    version: int


class ParcelChange(Record):
    """A change that the land registration office entered for a parcel."""

    change_id: str
    parcel_id: str
    kind: ChangeKind
    registered_on: date
    reason: str
    case_id: str | None
    version: int


def owner(person: Person, share_percent: int = 100) -> Owner:
    """Return a person as an owner."""
    return Owner(personal_id=person.personal_id, full_name=person.full_name, share_percent=share_percent)


def use_type(code: UseCode) -> UseType:
    """Return the use with its name."""
    return UseType(code=code, name=USE_NAMES[code])


def _owners(rng: random.Random, commune: Commune) -> list[Owner]:
    neighbours = adults_by_commune().get(commune.code) or adults()
    first = rng.choice(neighbours)
    couple = [person for person in neighbours if person.personal_id == first.spouse_id]
    return [owner(first, 50), owner(couple[0], 50)] if couple and rng.random() < 0.7 else [owner(first)]


def _use(rng: random.Random, commune: Commune) -> UseCode:
    housing: UseCode = "ODT" if commune.urban else "ONT"
    uses: tuple[UseCode, ...] = (housing, "CLN", "LUC", "HNK", "NTS", "RSX", "TMD", "SKC")
    weights = (70, 6, 2, 5, 2, 0, 10, 5) if commune.urban else (30, 32, 14, 10, 4, 4, 3, 3)
    return rng.choices(uses, weights)[0]


def _parcel(commune: Commune, index: int) -> Parcel:
    rng = stream("parcel", commune.code, index)
    use = _use(rng, commune)
    sheet, number = 1 + index % MAP_SHEETS, 10 + index * 29 + rng.randrange(29)
    farming = use not in ("ODT", "ONT")
    smallest, largest = _AREAS[use]
    series = "".join(rng.choices("ABCDEGHKLM", k=2))
    return Parcel(
        parcel_id=f"{commune.code}-{sheet}-{number}",
        map_sheet=sheet,
        parcel_number=number,
        commune_code=commune.code,
        address=f"Thửa đất số {number}, tờ bản đồ số {sheet}, {commune.address}",
        area_m2=round(smallest + (largest - smallest) * rng.random() ** 2, 1),
        use_type=use_type(use),
        use_term_ends=_FARMING_TERM_ENDS if farming else None,
        owners=_owners(rng, commune),
        certificate_number=f"{series} {rng.randrange(100000, 999999)}",
        certificate_date=day_between(rng, date(2009, 12, 10), date(2025, 5, 30)),
        mortgaged=rng.random() < 0.12,
        centroid=Centroid(
            latitude=round(commune.district.latitude + rng.uniform(-0.06, 0.06), 6),
            longitude=round(commune.district.longitude + rng.uniform(-0.06, 0.06), 6),
        ),
        version=1,
    )


@cache
def parcels() -> dict[str, Parcel]:
    """Return every parcel by its number: commune, map sheet, parcel."""
    found = (_parcel(commune, index) for commune in communes() for index in range(PARCELS_PER_COMMUNE))
    return {parcel.parcel_id: parcel for parcel in found}


@cache
def first_registrations() -> dict[str, ParcelChange]:
    """Return the entry that opened each parcel, by the parcel's number."""
    return {
        parcel.parcel_id: ParcelChange(
            change_id=f"BD-{parcel.certificate_date.year}-{index:06d}",
            parcel_id=parcel.parcel_id,
            kind="first-registration",
            registered_on=parcel.certificate_date,
            reason="Đăng ký lần đầu · First registration",
            case_id=None,
            version=1,
        )
        for index, parcel in enumerate(parcels().values(), start=1)
    }
