"""Keys that exist already, as the folder of a system's credentials holds them.

Reads PEM (RFC 7468): private keys as PKCS #8 or in the older forms of OpenSSL, plain or with a passphrase,
X.509 certificates and public keys; or one JWK (RFC 7517), such as a page of the console saves. The kinds of
key are those that the catalog takes: EC P-256, Ed25519, and RSA of 2,048 to 8,192 bits.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from lienthong.client.credentials import RSA_BITS, key_parameters
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from joserfc.jwk import KeyParameters

    from lienthong.client.credentials import Algorithm, PrivateKey

    Private: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
    Public: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(?:(?!-----).)*-----END \1-----", re.DOTALL)
LARGEST_FILE = 1024 * 1024
"""Bytes of a file; a key with all certificates of its chain has some thousand."""
_PRIVATE = {b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"EC PRIVATE KEY", b"RSA PRIVATE KEY"}
_IGNORED = {b"EC PARAMETERS"}
_ENCRYPTED = (b"-----BEGIN ENCRYPTED", b"Proc-Type: 4,ENCRYPTED")

_HOW_TO_CONVERT = Text(
    "Đổi sang PEM, ví dụ: openssl pkey -in KHOÁ -out key.pem; openssl x509 -in CHỨNG_THƯ -out cert.pem; "
    "openssl pkcs12 -in TỆP.p12 -out key.pem",
    "Convert to PEM, for example: openssl pkey -in KEY -out key.pem; openssl x509 -in CERT -out cert.pem; "
    "openssl pkcs12 -in FILE.p12 -out key.pem",
)


@dataclass(frozen=True, slots=True)
class ImportedKey:
    """A key pair, or its public half alone where only a certificate or a public key was given.

    `key` has `kid` (that of the JWK, or the RFC 7638 thumbprint), `alg` and `use`, and `exp` where it ends:
    `expires` is that of the certificate, or of the JWK.
    """

    key: PrivateKey
    algorithm: Algorithm
    expires: datetime | None

    @property
    def private(self) -> bool:
        """Whether the private half is there."""
        return bool(self.key.is_private)

    def public_keys(self) -> dict[str, Any]:
        """The public half as a JWK Set, as the catalog registers it."""
        return {"keys": [self.key.as_dict(private=False)]}


def read_key_files(contents: Sequence[bytes], passphrase: Callable[[], bytes]) -> ImportedKey:
    """The one key that these PEM files hold, or the only file as a JWK.

    A certificate beside the private key must belong to it.

    `passphrase` is asked only when the key is encrypted. Raises `InputError` that says what cannot be used;
    its text never contains any part of a key.
    """
    if len(contents) == 1 and contents[0].lstrip()[:1] == b"{":
        return _from_jwk(contents[0])
    private: Private | None = None
    public: list[Public] = []
    expires: datetime | None = None
    for label, block in _blocks(contents):
        if label in _PRIVATE:
            if private is not None:
                raise _refused(Text("có hơn một khoá bí mật", "there is more than one private key"))
            private = _private_key(block, passphrase)
        elif label == b"CERTIFICATE":
            if expires is None:  # what follows the first certificate is the chain of its issuers
                certificate = _certificate(block)
                expires = certificate.not_valid_after_utc
                public.append(_usable(certificate.public_key()))
        elif label == b"PUBLIC KEY":
            public.append(_public_key(block))
        elif label not in _IGNORED:
            name = label.decode()
            raise _refused(Text(f"không nhận «{name}»", f"'{name}' is not supported"), _HOW_TO_CONVERT)
    halves = [*([] if private is None else [_usable(private.public_key())]), *public]
    if not halves:
        raise _refused(Text("không có khoá hay chứng thư nào", "there is no key and no certificate"))
    if any(half != halves[0] for half in halves):
        raise _refused(
            Text(
                "chứng thư hoặc khoá công khai không thuộc khoá bí mật này",
                "the certificate or public key does not belong to this private key",
            )
        )
    key, algorithm = _jwk(halves[0] if private is None else private, ends=expires)
    return ImportedKey(key, algorithm, expires)


_NOT_A_KEY = (JoseError, ValueError, TypeError, KeyError, RecursionError, OverflowError, OSError)


def _from_jwk(content: bytes) -> ImportedKey:
    """The key of a JWK, under the `kid` by which it may be registered already."""
    if len(content) > LARGEST_FILE:
        raise _too_large()
    try:
        given = json.loads(content)
        if given.get("kty") == "oct":
            raise _wrong_kind()
        found = import_key(given)
        if not isinstance(found, ECKey | OKPKey | RSAKey):
            raise _wrong_kind()
        half: object = found.private_key if found.is_private else found.public_key
        ends = datetime.fromtimestamp(given["exp"], UTC) if "exp" in given else None
    except (*_NOT_A_KEY, UnsupportedAlgorithm) as error:
        raise _refused(Text("JWK đã hỏng, hoặc không phải JWK", "the JWK is damaged, or is none")) from error
    if isinstance(half, EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey):
        _usable(half.public_key())
        key, algorithm = _jwk(half, found.kid, ends)
    else:
        key, algorithm = _jwk(_usable(half), found.kid, ends)
    return ImportedKey(key, algorithm, ends)


def _too_large() -> InputError:
    return _refused(Text(f"tệp lớn hơn {LARGEST_FILE} byte", f"the file has more than {LARGEST_FILE} bytes"))


def _blocks(contents: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    found = []
    for content in contents:
        if len(content) > LARGEST_FILE:
            raise _too_large()
        blocks = [(match[1], match[0] + b"\n") for match in _BLOCK.finditer(content)]
        if not blocks:
            raise _refused(
                Text("không phải PEM, cũng không phải JWK", "not PEM, and no JWK"), _HOW_TO_CONVERT
            )
        found += blocks
    return found


def _private_key(block: bytes, passphrase: Callable[[], bytes]) -> Private:
    encrypted = any(mark in block for mark in _ENCRYPTED)
    try:
        key = load_pem_private_key(block, passphrase() if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if encrypted:
            raise InputError(
                Text("Không mở được khoá", "The key cannot be decrypted"),
                Text("Mật khẩu sai, hoặc tệp đã hỏng.", "The passphrase is wrong, or the file is damaged."),
                code="bad-passphrase",
            ) from error
        raise _refused(Text("khoá bí mật đã hỏng", "the private key is damaged")) from error
    if isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey):
        _usable(key.public_key())
        return key
    raise _wrong_kind()


def _certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError as error:
        raise _refused(Text("chứng thư đã hỏng", "the certificate is damaged")) from error


def _public_key(block: bytes) -> Public:
    try:
        return _usable(load_pem_public_key(block))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refused(Text("khoá công khai đã hỏng", "the public key is damaged")) from error


def _usable(key: object) -> Public:
    """The key, if it is of a kind that the catalog takes."""
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return key
    if isinstance(key, RSAPublicKey):
        if key.key_size in RSA_BITS:
            return key
        raise _refused(
            Text(
                f"khoá RSA có {key.key_size} bit; cần từ {RSA_BITS.start} đến {RSA_BITS[-1]}",
                f"the RSA key has {key.key_size} bits; {RSA_BITS.start} to {RSA_BITS[-1]} are needed",
            )
        )
    raise _wrong_kind()


def _jwk(
    key: Private | Public, kid: str | None = None, ends: datetime | None = None
) -> tuple[PrivateKey, Algorithm]:
    if isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    found: PrivateKey
    algorithm: Algorithm
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey):
        algorithm = "ES256"
        found = ECKey.import_key(pem, parameters=_parameters(algorithm, kid, ends))
    elif isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        algorithm = "EdDSA"
        found = OKPKey.import_key(pem, parameters=_parameters(algorithm, kid, ends))
    else:
        algorithm = "PS256"
        found = RSAKey.import_key(pem, parameters=_parameters(algorithm, kid, ends))
    found.ensure_kid()
    return found, algorithm


def _parameters(algorithm: Algorithm, kid: str | None, ends: datetime | None) -> KeyParameters:
    named = key_parameters(algorithm, ends)
    return named if kid is None else {**named, "kid": kid}


def _wrong_kind() -> InputError:
    return _refused(
        Text(
            "cần khoá EC P-256, Ed25519, hoặc RSA từ 2048 bit",
            "an EC P-256, Ed25519 or RSA key (2,048 bits or more) is needed",
        )
    )


def _refused(why: Text, advice: Text | None = None) -> InputError:
    return InputError(
        Text("Không dùng được khoá này", "This key cannot be used"),
        Text(f"{why.vi[0].upper()}{why.vi[1:]}.", f"{why.en[0].upper()}{why.en[1:]}."),
        advice,
        code="bad-key-file",
    )
