"""Zones of the specialised plans: what may be built where, and how high."""

import random
from datetime import date
from functools import cache
from typing import Literal

from binh_thuan.data.land import MAP_SHEETS
from binh_thuan.data.places import PROVINCE, Commune, communes
from binh_thuan.data.records import Record
from binh_thuan.data.seeds import day_between, stream

ZONES_PER_COMMUNE = 9

Level = Literal["general", "zoning", "detailed"]
FunctionCode = Literal["NO", "DV", "CC", "CX", "CN", "NN", "GT", "DL", "HT"]
ZoneStatus = Literal["in-force", "under-adjustment"]


class ZoneFunction(Record):
    """What a zone is for."""

    code: FunctionCode
    name: str


class Indicators(Record):
    """Limits for what is built in a zone; none where nothing may be built."""

    max_density_percent: int
    max_floors: int
    floor_area_ratio: float


class Decision(Record):
    """The decision by which the plan was approved."""

    number: str
    date: date
    authority: str


class Zone(Record):
    """A zone of an approved plan."""

    zone_code: str
    name: str
    plan_name: str
    level: Level
    scale: str
    commune_code: str
    map_sheets: list[int]
    function: ZoneFunction
    area_ha: float
    indicators: Indicators | None
    decision: Decision
    valid_until: date
    status: ZoneStatus


class ParcelZoning(Record):
    """What the plans say about a parcel."""

    parcel_id: str
    zone: Zone
    building_allowed: bool
    remark: str


#: Function, its name, and limits: density in percent, floors, floor-area ratio.
FUNCTIONS: dict[FunctionCode, tuple[str, tuple[int, int, float] | None]] = {
    "NO": ("Đất nhóm nhà ở", (80, 7, 4.0)),
    "DV": ("Đất dịch vụ, thương mại hỗn hợp", (60, 15, 6.0)),
    "CC": ("Đất công trình công cộng", (40, 5, 2.0)),
    "CX": ("Đất cây xanh, công viên", None),
    "CN": ("Đất công nghiệp, tiểu thủ công nghiệp", (60, 3, 1.8)),
    "NN": ("Đất sản xuất nông nghiệp", None),
    "GT": ("Đất giao thông", None),
    "DL": ("Đất du lịch ven biển", (25, 5, 1.2)),
    "HT": ("Đất hạ tầng kỹ thuật đầu mối", (40, 2, 0.8)),
}

_LEVELS: dict[Level, tuple[str, str]] = {
    "general": ("Quy hoạch chung", "1/10000"),
    "zoning": ("Quy hoạch phân khu", "1/2000"),
    "detailed": ("Quy hoạch chi tiết", "1/500"),
}


def _function(rng: random.Random, commune: Commune) -> FunctionCode:
    codes = tuple(FUNCTIONS)
    weights = (34, 14, 10, 10, 6, 3, 8, 8, 4) if commune.urban else (26, 5, 8, 5, 6, 32, 8, 4, 6)
    return rng.choices(codes, weights)[0]


def _zone(commune: Commune, index: int, number: int) -> Zone:
    rng = stream("zone", commune.code, index)
    code = _function(rng, commune)
    name, limits = FUNCTIONS[code]
    levels: tuple[Level, ...] = ("general", "zoning", "detailed")
    level = rng.choices(levels, (3, 5, 2) if commune.urban else (6, 3, 1))[0]
    plan, scale = _LEVELS[level]
    decided = day_between(rng, date(2014, 1, 6), date(2025, 4, 28))
    return Zone(
        zone_code=f"QH-{commune.district.short}-{number:04d}",
        name=f"{name} số {index + 1}, {commune.full_name}",
        plan_name=f"{plan} {commune.full_name}, {commune.district.kind} {commune.district.name}",
        level=level,
        scale=scale,
        commune_code=commune.code,
        map_sheets=[sheet for sheet in range(1, MAP_SHEETS + 1) if (sheet - 1) % ZONES_PER_COMMUNE == index],
        function=ZoneFunction(code=code, name=name),
        area_ha=round(rng.uniform(0.8, 60.0), 2),
        indicators=_indicators(rng, limits),
        decision=Decision(
            number=f"{rng.randint(40, 3800)}/QĐ-UBND", date=decided, authority=f"UBND tỉnh {PROVINCE}"
        ),
        valid_until=date(decided.year + 15, 12, 31),
        status="under-adjustment" if rng.random() < 0.08 else "in-force",
    )


def _indicators(rng: random.Random, limits: tuple[int, int, float] | None) -> Indicators | None:
    if limits is None:
        return None
    density, floors, ratio = limits
    part = rng.choice((0.5, 0.75, 1.0))
    return Indicators(
        max_density_percent=round(density * part),
        max_floors=max(1, round(floors * part)),
        floor_area_ratio=round(ratio * part, 2),
    )


@cache
def zones() -> dict[str, Zone]:
    """Return every zone by its code; numbers run within a district."""
    found: dict[str, Zone] = {}
    counts: dict[str, int] = {}
    for commune in communes():
        for index in range(ZONES_PER_COMMUNE):
            counts[commune.district.code] = number = counts.get(commune.district.code, 0) + 1
            zone = _zone(commune, index, number)
            found[zone.zone_code] = zone
    return found


@cache
def zones_by_sheet() -> dict[tuple[str, int], Zone]:
    """Return the zone that lies over each map sheet of each commune."""
    return {(zone.commune_code, sheet): zone for zone in zones().values() for sheet in zone.map_sheets}
