"""Districts and communes of the former province of Bình Thuận (before 1 July 2025).

Names are those of the ten districts and their communes; commune codes are examples: the district's code
and a running number.
"""

from dataclasses import dataclass
from functools import cache

PROVINCE = "Bình Thuận"

#: Codes that personal numbers begin with: the province where the birth was registered.
PROVINCES = {
    "060": PROVINCE,
    "051": "Quảng Ngãi",
    "052": "Bình Định",
    "056": "Khánh Hòa",
    "058": "Ninh Thuận",
    "068": "Lâm Đồng",
    "075": "Đồng Nai",
    "079": "Thành phố Hồ Chí Minh",
}


@dataclass(frozen=True, slots=True)
class District:
    """A city, town or district; `share` is its part of the province's people in thousandths."""

    code: str
    short: str
    kind: str
    name: str
    latitude: float
    longitude: float
    share: int
    wards: str
    townships: str
    villages: str


@dataclass(frozen=True, slots=True)
class Commune:
    """A ward (phường), township (thị trấn) or village commune (xã)."""

    code: str
    kind: str
    name: str
    district: District

    @property
    def full_name(self) -> str:
        """Its kind and name, e.g. "phường Mũi Né"."""
        return f"{self.kind} {self.name}"

    @property
    def address(self) -> str:
        """Its whole address, down to the province."""
        return f"{self.full_name}, {self.district.kind} {self.district.name}, tỉnh {PROVINCE}"

    @property
    def urban(self) -> bool:
        """Whether housing land there is urban (ODT) rather than rural (ONT)."""
        return self.kind != "xã"


DISTRICTS = (
    District(
        "593", "PT", "thành phố", "Phan Thiết", 10.93, 108.10, 190,
        "Bình Hưng, Đức Long, Đức Thắng, Hàm Tiến, Hưng Long, Lạc Đạo, Mũi Né, Phú Hài, Phú Tài, Phú Thủy, "
        "Phú Trinh, Thanh Hải, Xuân An",
        "",
        "Phong Nẫm, Thiện Nghiệp, Tiến Lợi, Tiến Thành",
    ),
    District(
        "594", "LG", "thị xã", "La Gi", 10.66, 107.77, 90,
        "Bình Tân, Phước Hội, Phước Lộc, Tân An, Tân Thiện", "", "Tân Bình, Tân Hải, Tân Phước, Tân Tiến",
    ),
    District(
        "595", "TP", "huyện", "Tuy Phong", 11.22, 108.70, 115,
        "", "Liên Hương, Phan Rí Cửa",
        "Bình Thạnh, Chí Công, Hòa Minh, Phan Dũng, Phong Phú, Phú Lạc, Phước Thể, Vĩnh Hảo, Vĩnh Tân",
    ),
    District(
        "596", "BB", "huyện", "Bắc Bình", 11.22, 108.41, 105,
        "", "Chợ Lầu, Lương Sơn",
        "Bình An, Bình Tân, Hải Ninh, Hòa Thắng, Hồng Phong, Hồng Thái, Phan Điền, Phan Hiệp, Phan Hòa, "
        "Phan Lâm, Phan Rí Thành, Phan Sơn, Phan Thanh, Phan Tiến, Sông Bình, Sông Lũy",
    ),
    District(
        "597", "HTB", "huyện", "Hàm Thuận Bắc", 11.07, 108.10, 145,
        "", "Ma Lâm, Phú Long",
        "Đa Mi, Đông Giang, Đông Tiến, Hàm Chính, Hàm Đức, Hàm Hiệp, Hàm Liêm, Hàm Phú, Hàm Thắng, Hàm Trí, "
        "Hồng Liêm, Hồng Sơn, La Dạ, Thuận Hòa, Thuận Minh",
    ),
    District(
        "598", "HTN", "huyện", "Hàm Thuận Nam", 10.86, 107.89, 85,
        "", "Thuận Nam",
        "Hàm Cần, Hàm Cường, Hàm Kiệm, Hàm Minh, Hàm Mỹ, Hàm Thạnh, Mương Mán, Mỹ Thạnh, Tân Lập, Tân Thành, "
        "Tân Thuận, Thuận Quý",
    ),
    District(
        "599", "TL", "huyện", "Tánh Linh", 11.09, 107.68, 85,
        "", "Lạc Tánh",
        "Bắc Ruộng, Đồng Kho, Đức Bình, Đức Phú, Đức Thuận, Gia An, Gia Huynh, Huy Khiêm, La Ngâu, Măng Tố, "
        "Nghị Đức, Suối Kiết",
    ),
    District(
        "600", "DL", "huyện", "Đức Linh", 11.18, 107.55, 105,
        "", "Đức Tài, Võ Xu",
        "Đa Kai, Đông Hà, Đức Hạnh, Đức Tín, Mê Pu, Nam Chính, Sùng Nhơn, Tân Hà, Trà Tân, Vũ Hòa",
    ),
    District(
        "601", "HT", "huyện", "Hàm Tân", 10.77, 107.65, 60,
        "", "Tân Minh, Tân Nghĩa",
        "Sơn Mỹ, Sông Phan, Tân Đức, Tân Hà, Tân Phúc, Tân Thắng, Tân Xuân, Thắng Hải",
    ),
    District(
        "602", "PQ", "huyện", "Phú Quý", 10.53, 108.94, 20,
        "", "", "Long Hải, Ngũ Phụng, Tam Thanh",
    ),
)  # fmt: skip


@cache
def communes() -> tuple[Commune, ...]:
    """Return every commune of the province, in the order of their codes."""
    found: list[Commune] = []
    for district in DISTRICTS:
        kinds = (("phường", district.wards), ("thị trấn", district.townships), ("xã", district.villages))
        names = [(kind, name) for kind, listed in kinds for name in listed.split(", ") if name]
        found += [
            Commune(f"{district.code}{number:02d}", kind, name, district)
            for number, (kind, name) in enumerate(names, start=1)
        ]
    return tuple(found)


@cache
def communes_by_code() -> dict[str, Commune]:
    """Return the communes by their code."""
    return {commune.code: commune for commune in communes()}


@cache
def crowded_communes() -> tuple[tuple[Commune, ...], tuple[int, ...]]:
    """Return communes and their weights for drawing where somebody lives."""
    sizes = {district: len([c for c in communes() if c.district is district]) for district in DISTRICTS}
    weights = tuple(commune.district.share * 100 // sizes[commune.district] for commune in communes())
    return communes(), weights
