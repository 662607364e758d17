"""Vietnamese names: family name, middle name that fits the gender, given name."""

import random
from typing import Literal

Gender = Literal["male", "female"]

#: Family names and how many of a thousand people bear them.
FAMILY_NAMES = {
    "Nguyễn": 360, "Trần": 120, "Lê": 95, "Phạm": 70, "Huỳnh": 45, "Phan": 42, "Võ": 42, "Đặng": 30,
    "Bùi": 28, "Đỗ": 24, "Hồ": 24, "Ngô": 20, "Dương": 18, "Lý": 10, "Trương": 20, "Mai": 12, "Đinh": 10,
    "Lương": 8, "Cao": 8, "Châu": 7, "Tạ": 7,
}  # fmt: skip

#: Family names common among the Chăm of Bắc Bình and Tuy Phong.
CHAM_FAMILY_NAMES = {
    "Thông": 20, "Lư": 15, "Đàng": 15, "Bá": 12, "Quảng": 12, "Từ": 10, "Thổ": 8, "Đạo": 8,
}  # fmt: skip

MIDDLE_NAMES: dict[Gender, dict[str, int]] = {
    "male": {
        "Văn": 26, "Hữu": 9, "Đức": 9, "Minh": 10, "Quốc": 8, "Công": 6, "Đình": 6, "Thanh": 7, "Xuân": 5,
        "Ngọc": 5, "Hoàng": 6, "Gia": 4, "Anh": 3, "Trọng": 3, "Tấn": 4, "Thành": 4,
    },
    "female": {
        "Thị": 30, "Ngọc": 10, "Thu": 7, "Kim": 7, "Mỹ": 6, "Thanh": 7, "Bích": 5, "Phương": 5, "Hồng": 6,
        "Diệu": 3, "Thúy": 4, "Minh": 4, "Bảo": 3, "Khánh": 3,
    },
}  # fmt: skip

GIVEN_NAMES: dict[Gender, tuple[str, ...]] = {
    "male": (
        "An", "Bảo", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Hải", "Hào", "Hiếu", "Hòa", "Hùng", "Huy",
        "Hưng", "Khang", "Khánh", "Khoa", "Kiên", "Lâm", "Long", "Lộc", "Nam", "Nghĩa", "Nhân", "Phát",
        "Phong", "Phúc", "Phước", "Quân", "Quang", "Sang", "Sơn", "Tài", "Tâm", "Tân", "Thái", "Thắng",
        "Thiện", "Thịnh", "Thuận", "Tiến", "Toàn", "Trí", "Trung", "Tú", "Tuấn", "Tùng", "Việt", "Vinh",
        "Vũ",
    ),
    "female": (
        "An", "Ánh", "Châu", "Chi", "Diễm", "Diệp", "Dung", "Duyên", "Giang", "Hà", "Hạnh", "Hân",
        "Hiền", "Hoa", "Hồng", "Huệ", "Hương", "Khuê", "Lan", "Liên", "Linh", "Loan", "Ly", "Mai", "My",
        "Nga", "Ngân", "Nhi", "Nhung", "Oanh", "Phượng", "Quyên", "Quỳnh", "Sương", "Thảo", "Thơ",
        "Thủy", "Thư", "Tiên", "Trang", "Trâm", "Trinh", "Tuyết", "Uyên", "Vân", "Vy", "Xuân", "Yến",
    ),
}  # fmt: skip


def _drawn(rng: random.Random, weights: dict[str, int]) -> str:
    return rng.choices(tuple(weights), tuple(weights.values()))[0]


def family_name(rng: random.Random, ethnicity: str = "Kinh") -> str:
    """Draw a family name as frequent as it is."""
    return _drawn(rng, CHAM_FAMILY_NAMES if ethnicity == "Chăm" else FAMILY_NAMES)


def full_name(rng: random.Random, family: str, gender: Gender, birth_year: int) -> str:
    """Draw middle and given name for `family`; "Thị" and "Văn" are rarer among the young."""
    middles = dict(MIDDLE_NAMES[gender])
    if birth_year >= 1995:
        middles["Thị" if gender == "female" else "Văn"] //= 4
    middle = _drawn(rng, middles)
    given = rng.choice([name for name in GIVEN_NAMES[gender] if name != middle])
    return f"{family} {middle} {given}"
