"""Checking a JWK (RFC 7517): may this public key verify signatures on the platform, and by which algorithm?

A key verifies one algorithm, given by its type: ES256 with EC P-256, EdDSA with OKP Ed25519, PS256 with RSA
of 2,048 to 8,192 bits; these are the algorithms that FAPI 2.0 §5.4.1 allows. The algorithm is bound to the
key here, once, so that nothing in a signed text can choose another (RFC 8725 §3.1).

The catalog reports to the owner everything that is wrong with a key (`refusals`); identity and the verifier
of access tokens accept only a key without faults (`read_public_key`).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, thumbprint
from joserfc.jws import JWSRegistry

from lienthong.kit.edwards25519 import point_fault
from lienthong.kit.json_text import size
from lienthong.kit.text import BilingualText
from lienthong.kit.weak_rsa import modulus_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lienthong.kit.json_pointer import JsonPath

ALGORITHMS: Final = ("ES256", "EdDSA", "PS256")
ALIASES: Final[Mapping[str, str]] = MappingProxyType({"Ed25519": "EdDSA"})
"""The same algorithm under the name that RFC 9864 gives it."""
RSA_BITS: Final = range(2048, 8193)
RSA_EXPONENTS: Final = range(65_537, 2**32)
MAX_KEY_BYTES: Final = 16 * 1024
"""Of one JWK as JSON text."""

LATEST_END: Final = 253_402_300_799
"""The last second of the year 9999."""

MATERIAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("n", "e")}
)
"""The members that make the key, beside `kty`, by type (RFC 7638 §3.2)."""
_ALGORITHM: Final = {"EC": "ES256", "OKP": "EdDSA", "RSA": "PS256"}
_SECRET: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_ES256: Final = ECDSA(SHA256())
_ES256_BYTES: Final = 64
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")

JoseKey: TypeAlias = ECKey | OKPKey | RSAKey


class KeyFault(Enum):
    """What kind of fault a refusal names."""

    SECRET = auto()
    """It holds a private or symmetric key."""
    UNSUITABLE = auto()
    """It may be a good key, of a type or for a use that is not known here."""
    BROKEN = auto()
    """Its numbers are not a key of its type."""
    WEAK = auto()
    """Others can find its private half, or sign without it."""


@dataclass(frozen=True, slots=True)
class KeyRefusal:
    """One reason why a JWK is refused; `path` names the member, empty for the key as a whole."""

    fault: KeyFault
    path: JsonPath
    text: BilingualText


class KeyRefusedError(ValueError):
    """A JWK that may not verify; `refusals` holds every reason."""

    def __init__(self, refusals: tuple[KeyRefusal, ...]) -> None:
        super().__init__("; ".join(refusal.text.en for refusal in refusals))
        self.refusals = refusals

    @property
    def is_secret(self) -> bool:
        """Whether it holds a private or symmetric key."""
        return any(refusal.fault is KeyFault.SECRET for refusal in self.refusals)


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """A public key and the only algorithm that it verifies."""

    algorithm: str
    thumbprint: str
    """Of RFC 7638, with SHA-256."""
    key_id: str | None
    """Its `kid`."""
    key: JoseKey
    ends_at: int | None = None
    """When it ends, its `exp`, in seconds since 1970; None where it has no end."""

    def has_ended(self, now: float) -> bool:
        """Whether nothing that is signed with it is taken any more, at a moment in seconds since 1970."""
        return self.ends_at is not None and self.ends_at <= now

    def named(self, key_id: str) -> bool:
        """Whether the `kid` of a signed text can mean this key: its own id, or its thumbprint.

        A key without a `kid` may be the one that any names (RFC 7515 §4.1.4: it is a hint).
        """
        return self.key_id is None or key_id in (self.key_id, self.thumbprint)

    def verifies(self, signing_input: bytes, signature: bytes) -> bool:
        """Whether the signature (RFC 7515 §5.2) over the bytes was made with this key's private half."""
        if isinstance(self.key, ECKey):
            return _is_es256(self.key, signing_input, signature)
        try:
            return JWSRegistry.algorithms[self.algorithm].verify(signing_input, signature, self.key)
        except (JoseError, ValueError):
            return False


def _is_es256(key: ECKey, signing_input: bytes, signature: bytes) -> bool:
    """As joserfc has it (RFC 7518 §3.4), which takes half as long again to ask what the key is for."""
    if len(signature) != _ES256_BYTES:
        return False
    r, s = signature[: _ES256_BYTES // 2], signature[_ES256_BYTES // 2 :]
    try:
        written = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
        key.public_key.verify(written, signing_input, _ES256)
    except InvalidSignature:
        return False
    return True


def read_public_key(jwk: object) -> PublicKey:
    """The key of a JWK.

    Raises:
        KeyRefusedError: it may not verify, see `refusals`.
    """
    found = tuple(refusals(jwk))
    if found or not isinstance(jwk, dict):
        raise KeyRefusedError(found)
    public = {"kty": jwk["kty"], **{member: jwk[member] for member in MATERIAL[jwk["kty"]]}}
    try:
        key = _imported(public)
    except (JoseError, ValueError) as error:
        raise KeyRefusedError((_broken("the key cannot be read", "không đọc được khoá"),)) from error
    return PublicKey(_ALGORITHM[jwk["kty"]], thumbprint(public), jwk.get("kid"), key, jwk.get("exp"))


def refusals(jwk: object) -> Iterator[KeyRefusal]:
    """Everything that keeps a JWK from verifying signatures here; nothing for a good one."""
    if not isinstance(jwk, dict):
        yield KeyRefusal(
            KeyFault.BROKEN, (), BilingualText("must be a JWK object", "phải là một đối tượng JWK")
        )
        return
    secret = [name for name in _SECRET if name in jwk]
    if secret or jwk.get("kty") == "oct":
        names = ", ".join(f"'{name}'" for name in secret) or "'kty': 'oct'"
        yield KeyRefusal(
            KeyFault.SECRET,
            (),
            BilingualText(
                f"this is a secret key ({names}); send only the public part, and since this key has left "
                "its owner, make a new one",
                f"đây là khoá bí mật ({names}); chỉ gửi phần công khai, và vì khoá này đã lộ ra ngoài, hãy "
                "tạo khoá mới",
            ),
        )
        return
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in MATERIAL:
        yield _unsuitable(
            "the key type must be EC (P-256), OKP (Ed25519) or RSA (2048 bits or more)",
            "loại khoá phải là EC (P-256), OKP (Ed25519) hoặc RSA (từ 2048 bit)",
            *(("kty",) if "kty" in jwk else ()),
        )
        return
    if size(jwk) > MAX_KEY_BYTES:
        yield _unsuitable(f"larger than {MAX_KEY_BYTES} bytes", f"lớn hơn {MAX_KEY_BYTES} byte")
        return
    yield from _usage(jwk, kty)
    yield from _CHECKS[kty](jwk)


def _usage(jwk: dict[str, Any], kty: str) -> Iterator[KeyRefusal]:
    allowed = [_ALGORITHM[kty], *(name for name, meant in ALIASES.items() if meant == _ALGORITHM[kty])]
    if "alg" in jwk and jwk["alg"] not in allowed:
        names = "' or '".join(allowed)
        yield _unsuitable(
            f"a key of type {kty} signs with '{names}'; correct or remove 'alg'",
            f"khoá loại {kty} ký bằng '{names}'; hãy sửa hoặc bỏ 'alg'",
            "alg",
        )
    if jwk.get("use", "sig") != "sig":
        yield _unsuitable("the key must be for signatures ('sig')", "khoá phải dùng để ký ('sig')", "use")
    if "key_ops" in jwk and jwk["key_ops"] != ["verify"]:
        yield _unsuitable(
            "a public key is for ['verify']", "khoá công khai chỉ dùng để ['verify']", "key_ops"
        )
    kid = jwk.get("kid")
    if "kid" in jwk and not (isinstance(kid, str) and 0 < len(kid) <= 200):
        yield _unsuitable("must be text of 1 to 200 characters", "phải là chuỗi từ 1 đến 200 ký tự", "kid")

    ends = jwk.get("exp")
    if "exp" in jwk and not (type(ends) is int and 0 < ends <= LATEST_END):
        yield _unsuitable(
            "write the end of the key as whole seconds since 1970 (NumericDate), until the year 9999",
            "hãy ghi thời điểm hết hạn của khoá bằng số giây nguyên kể từ 1970 (NumericDate), đến năm 9999",
            "exp",
        )


def _check_ec(jwk: dict[str, Any]) -> Iterator[KeyRefusal]:
    if jwk.get("crv") != "P-256":
        yield _unsuitable("the curve must be P-256", "đường cong phải là P-256")
        return
    try:
        x, y = (int.from_bytes(_octets(jwk, name, length=32)) for name in ("x", "y"))
    except KeyRefusedError as error:
        yield from error.refusals
        return
    try:
        # Also refuses coordinates that are not below the field's prime (NIST SP 800-56A section 5.6.2.3.3).
        EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    except ValueError:
        yield _broken("the point is not on the curve P-256", "điểm không nằm trên đường cong P-256")


def _check_okp(jwk: dict[str, Any]) -> Iterator[KeyRefusal]:
    if jwk.get("crv") != "Ed25519":
        yield _unsuitable("the curve must be Ed25519", "đường cong phải là Ed25519")
        return
    try:
        fault = point_fault(_octets(jwk, "x", length=32))
    except KeyRefusedError as error:
        yield from error.refusals
        return
    if fault is not None:
        kind = KeyFault.WEAK if fault.weak else KeyFault.BROKEN
        yield KeyRefusal(kind, (), fault.value)


def _check_rsa(jwk: dict[str, Any]) -> Iterator[KeyRefusal]:
    try:
        modulus, exponent = (int.from_bytes(_octets(jwk, name, number=True)) for name in ("n", "e"))
    except KeyRefusedError as error:
        yield from error.refusals
        return
    bits = modulus.bit_length()
    if bits not in RSA_BITS:
        yield _unsuitable(
            f"the modulus has {bits} bits; make a key of {RSA_BITS.start} to {RSA_BITS[-1]} bits",
            f"modulus có {bits} bit; hãy tạo khoá từ {RSA_BITS.start} đến {RSA_BITS[-1]} bit",
        )
    elif modulus % 2 == 0:
        yield _broken("the modulus is even, which no RSA key has", "modulus là số chẵn, không hợp lệ")
    elif (weakness := modulus_fault(modulus)) is not None:
        yield KeyRefusal(KeyFault.WEAK, (), weakness.value)
    # FIPS 186-5 section A.1.1; up to 32 bits, so that a check costs no more than twice the usual one.
    if exponent not in RSA_EXPONENTS or exponent % 2 == 0:
        yield _broken(
            "the exponent must be odd and from 65537 ('AQAB') to 4294967295",
            "số mũ phải lẻ, từ 65537 ('AQAB') đến 4294967295",
        )


_CHECKS = {"EC": _check_ec, "OKP": _check_okp, "RSA": _check_rsa}


def _octets(jwk: dict[str, Any], name: str, *, length: int | None = None, number: bool = False) -> bytes:
    """The bytes of a member (RFC 7515 §2), in their only spelling: else one key had several thumbprints.

    Raises:
        KeyRefusedError: it is not base64url text, or not of `length` bytes, or with `number` begins with a
            zero (RFC 7518 §6.3.1.1).
    """
    text = jwk.get(name)
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise _not_octets(
            f"'{name}' must be base64url text without '='", f"'{name}' phải là base64url không có '='"
        )
    try:
        octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise _not_octets(
            f"'{name}' is not whole base64url text", f"'{name}' không phải base64url trọn vẹn"
        ) from None
    if base64.urlsafe_b64encode(octets).decode("ascii").rstrip("=") != text:
        raise _not_octets(
            f"the last character of '{name}' has bits that belong to no byte",
            f"ký tự cuối của '{name}' có bit thừa",
        )
    if number and not octets[0]:
        raise _not_octets(
            f"'{name}' begins with zero bytes; remove them", f"'{name}' có byte 0 ở đầu; hãy bỏ"
        )
    if length is not None and len(octets) != length:
        raise _not_octets(
            f"'{name}' has {len(octets)} bytes instead of {length}",
            f"'{name}' dài {len(octets)} byte thay vì {length}",
        )
    return octets


def _imported(public: dict[str, str]) -> JoseKey:
    match public["kty"]:
        case "EC":
            return ECKey.import_key({**public})
        case "OKP":
            return OKPKey.import_key({**public})
        case _:
            return RSAKey.import_key({**public})


def _not_octets(en: str, vi: str) -> KeyRefusedError:
    return KeyRefusedError((_broken(en, vi),))


def _unsuitable(en: str, vi: str, *path: str) -> KeyRefusal:
    return KeyRefusal(KeyFault.UNSUITABLE, path, BilingualText(en, vi))


def _broken(en: str, vi: str) -> KeyRefusal:
    return KeyRefusal(KeyFault.BROKEN, (), BilingualText(en, vi))
