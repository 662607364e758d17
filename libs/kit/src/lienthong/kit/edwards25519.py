"""Whether 32 bytes are a good Ed25519 public key: full validation (NIST SP 800-186, appendix D.1.3.2).

OpenSSL takes any 32 bytes. A point of small order verifies signatures that nobody made; a point with a part
of small order, or an encoding that is not the only one, verifies for one library and not for another, and
gives one key two thumbprints (RFC 8032 section 5.1.3). Only public values are computed with here, so that
nothing depends on how long it takes.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from lienthong.kit.text import BilingualText

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_D2: Final = 2 * _D % _P
_ROOT_OF_MINUS_1: Final = pow(2, (_P - 1) // 4, _P)
_Y_BITS: Final = 255

_Point: TypeAlias = tuple[int, int, int, int]
"""X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 section 5.1.4)."""
_NEUTRAL: Final[_Point] = (0, 1, 1, 0)


class PointFault(Enum):
    """Why an encoding is no good public key, and what its owner is told."""

    NOT_CANONICAL = BilingualText(
        "'x' is not the canonical encoding of a point", "'x' không phải cách mã hoá chuẩn của một điểm"
    )
    NOT_ON_CURVE = BilingualText(
        "the point is not on the curve Ed25519", "điểm không nằm trên đường cong Ed25519"
    )
    SMALL_ORDER = BilingualText(
        "the point has small order: anyone can sign for this key; make a new key",
        "điểm có cấp nhỏ: ai cũng ký thay được bằng khoá này; hãy tạo khoá mới",
    )
    MIXED_ORDER = BilingualText(
        "the point is not in the group of prime order; make a new key",
        "điểm không thuộc nhóm có cấp nguyên tố; hãy tạo khoá mới",
    )

    @property
    def weak(self) -> bool:
        """Whether it is a point, but one that gives no security."""
        return self in (PointFault.SMALL_ORDER, PointFault.MIXED_ORDER)


def point_fault(encoded: bytes) -> PointFault | None:
    """What is wrong with a public key of 32 bytes; None for a good one. Takes a millisecond or two."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & ((1 << _Y_BITS) - 1), number >> _Y_BITS
    if y >= _P:
        return PointFault.NOT_CANONICAL
    x = _x_of(y)
    if x is None:
        return PointFault.NOT_ON_CURVE
    if x == 0 and sign:
        return PointFault.NOT_CANONICAL
    point = (x, y, 1, x * y % _P)
    if _is_neutral(_times(8, point)):
        return PointFault.SMALL_ORDER
    return None if _is_neutral(_times(_ORDER, point)) else PointFault.MIXED_ORDER


def _x_of(y: int) -> int | None:
    """One of the two x that belong to a y; which, does not matter for the order of the point."""
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == u:
        return x
    return x * _ROOT_OF_MINUS_1 % _P if v * x * x % _P == -u % _P else None


def _times(scalar: int, point: _Point) -> _Point:
    result = _NEUTRAL
    for bit in f"{scalar:b}":
        result = _double(result)
        if bit == "1":
            result = _add(result, point)
    return result


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = one[3] * _D2 * other[3] % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(point: _Point) -> _Point:
    a = point[0] * point[0] % _P
    b = point[1] * point[1] % _P
    h = a + b
    e = h - (point[0] + point[1]) ** 2 % _P
    g = a - b
    f = 2 * point[2] * point[2] % _P + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _is_neutral(point: _Point) -> bool:
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0
