"""The public keys of a system (JWK set, RFC 7517): what identity will verify its assertions with.

Private and symmetric keys are refused, whatever else is right about them: a secret that was sent here is no
longer one, and its owner must hear that.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.kit.json_text import canonical, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_text import JsonObject

MAX_KEYS = 16
MAX_KEY_BYTES = 16 * 1024
RSA_MIN_BITS = 2048
RSA_MAX_BITS = 8192

_SECRET_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ALGORITHMS = {"EC": ("ES256",), "OKP": ("EdDSA", "Ed25519"), "RSA": ("PS256",)}
_MATERIAL = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


def violations(jwks: JsonObject) -> Iterator[Violation]:
    """Yield everything that is wrong with a JWK set, paths relative to it."""
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        yield Violation(
            ("keys",) if "keys" in jwks else (),
            "a JWK set is an object with a list 'keys'",
            "bộ khoá JWK là đối tượng có danh sách 'keys'",
        )
        return
    if len(keys) > MAX_KEYS:
        yield Violation(
            ("keys",), f"more than {MAX_KEYS} keys; remove old ones", f"hơn {MAX_KEYS} khoá; hãy bỏ khoá cũ"
        )
    for name in jwks:
        if name != "keys":
            yield Violation((name,), "only 'keys' belongs here; remove it", "ở đây chỉ có 'keys'; hãy bỏ đi")
    kids: set[str] = set()
    materials: set[str] = set()
    for index, key in enumerate(keys):
        place = ("keys", index)
        if not isinstance(key, dict):
            yield Violation(place, "must be a JWK object", "phải là một đối tượng JWK")
            continue
        wrong = list(_key_violations(key))
        yield from (violation.under(*place) for violation in wrong)
        kid = key.get("kid")
        if isinstance(kid, str) and kid in kids:
            yield Violation(
                (*place, "kid"), f"'{kid}' names another key already", f"'{kid}' đã là tên của khoá khác"
            )
        elif isinstance(kid, str):
            kids.add(kid)
        if not wrong:
            material = canonical({name: key[name] for name in ("kty", *_MATERIAL[key["kty"]])})
            if material in materials:
                yield Violation(
                    place,
                    "the same key stands here twice; keep one",
                    "một khoá xuất hiện hai lần; chỉ giữ một",
                )
            materials.add(material)


def _key_violations(key: dict[str, Any]) -> Iterator[Violation]:
    secret = [name for name in _SECRET_MEMBERS if name in key]
    if secret or key.get("kty") == "oct":
        names = ", ".join(f"'{name}'" for name in secret) or "'kty': 'oct'"
        yield Violation(
            (),
            f"this is a secret key ({names}); send only the public part, and since this key has left "
            f"its owner, "
            f"make a new one",
            f"đây là khoá bí mật ({names}); chỉ gửi phần công khai, và vì khoá này đã lộ ra ngoài, hãy "
            f"tạo khoá mới",
        )
        return
    kty = key.get("kty")
    if kty not in _ALGORITHMS:
        yield Violation(
            ("kty",) if "kty" in key else (),
            "the key type must be EC (P-256), OKP (Ed25519) or RSA (2048 bits or more)",
            "loại khoá phải là EC (P-256), OKP (Ed25519) hoặc RSA (từ 2048 bit)",
        )
        return
    if size(key) > MAX_KEY_BYTES:
        yield Violation((), f"larger than {MAX_KEY_BYTES} bytes", f"lớn hơn {MAX_KEY_BYTES} byte")
        return
    yield from _usage_violations(key, kty)
    try:
        _CHECKS[kty](key)
    except InvalidValueError as reason:
        yield Violation((), reason.en, reason.vi)


def _usage_violations(key: dict[str, Any], kty: str) -> Iterator[Violation]:
    if "alg" in key and key["alg"] not in _ALGORITHMS[kty]:
        allowed = "' or '".join(_ALGORITHMS[kty])
        yield Violation(
            ("alg",),
            f"a key of type {kty} signs with '{allowed}'; correct or remove 'alg'",
            f"khoá loại {kty} ký bằng '{allowed}'; hãy sửa hoặc bỏ 'alg'",
        )
    if key.get("use", "sig") != "sig":
        yield Violation(("use",), "the key must be for signatures ('sig')", "khoá phải dùng để ký ('sig')")
    if "key_ops" in key and key["key_ops"] != ["verify"]:
        yield Violation(
            ("key_ops",), "a public key is for ['verify']", "khoá công khai chỉ dùng để ['verify']"
        )
    kid = key.get("kid")
    if "kid" in key and not (isinstance(kid, str) and 0 < len(kid) <= 200):
        yield Violation(("kid",), "must be text of 1 to 200 characters", "phải là chuỗi từ 1 đến 200 ký tự")


def _check_ec(key: dict[str, Any]) -> None:
    if key.get("crv") != "P-256":
        raise InvalidValueError("the curve must be P-256", "đường cong phải là P-256")
    x, y = (_octets(key, name, length=32) for name in ("x", "y"))
    try:
        EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()
    except ValueError:
        raise InvalidValueError(
            "the point is not on the curve P-256", "điểm không nằm trên đường cong P-256"
        ) from None


def _check_okp(key: dict[str, Any]) -> None:
    if key.get("crv") != "Ed25519":
        raise InvalidValueError("the curve must be Ed25519", "đường cong phải là Ed25519")
    octets = _octets(key, "x", length=32)
    try:
        Ed25519PublicKey.from_public_bytes(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidValueError(
            "'x' is not an Ed25519 public key", "'x' không phải khoá công khai Ed25519"
        ) from None


def _check_rsa(key: dict[str, Any]) -> None:
    modulus = int.from_bytes(_octets(key, "n"))
    exponent = int.from_bytes(_octets(key, "e"))
    bits = modulus.bit_length()
    if not RSA_MIN_BITS <= bits <= RSA_MAX_BITS or modulus % 2 == 0:
        raise InvalidValueError(
            f"the modulus has {bits} bits; make a key of {RSA_MIN_BITS} to {RSA_MAX_BITS} bits",
            f"modulus có {bits} bit; hãy tạo khoá từ {RSA_MIN_BITS} đến {RSA_MAX_BITS} bit",
        )
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 32:
        raise InvalidValueError(
            "the exponent must be odd, like 65537 ('AQAB')", "số mũ phải lẻ, ví dụ 65537 ('AQAB')"
        )


_CHECKS = {"EC": _check_ec, "OKP": _check_okp, "RSA": _check_rsa}


def _octets(key: dict[str, Any], name: str, length: int | None = None) -> bytes:
    text = key.get(name)
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise InvalidValueError(
            f"'{name}' must be base64url text without '='", f"'{name}' phải là base64url không có '='"
        )
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise InvalidValueError(
            f"'{name}' is not whole base64url text", f"'{name}' không phải base64url trọn vẹn"
        ) from None
    if length is not None and len(octets) != length:
        raise InvalidValueError(
            f"'{name}' has {len(octets)} bytes instead of {length}",
            f"'{name}' dài {len(octets)} byte thay vì {length}",
        )
    return octets
