"""Keys and certificates that exist already become what the catalog takes, or are refused with the reason."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from joserfc.jwk import import_key

from lienthong.client.errors import InputError
from lienthong.client.key_files import LARGEST_FILE, read_key_files

if TYPE_CHECKING:
    from collections.abc import Callable

P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {"ES256": P256, "EdDSA": ED25519, "PS256": RSA}
_TYPES: dict[str, Any] = {"ES256": "EC", "EdDSA": "OKP", "PS256": "RSA"}
EXPIRES = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, passphrase: bytes | None = None) -> bytes:  # noqa: ANN401
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    content: bytes = key.private_bytes(Encoding.PEM, form, encryption)
    return content


def public_pem(key: Any) -> bytes:  # noqa: ANN401
    content: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return content


def certificate(key: Any) -> bytes:  # noqa: ANN401
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sở Thử nghiệm")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(EXPIRES - dt.timedelta(days=365))
        .not_valid_after(EXPIRES)
        .sign(key, None if key is ED25519 else hashes.SHA256())
    )
    return built.public_bytes(Encoding.PEM)


def never() -> bytes:
    raise AssertionError("no passphrase is needed")


OLDER = PrivateFormat.TraditionalOpenSSL
FORMS = {
    "P-256": ("ES256", PrivateFormat.PKCS8),
    "P-256, older form": ("ES256", OLDER),
    "Ed25519": ("EdDSA", PrivateFormat.PKCS8),
    "RSA": ("PS256", PrivateFormat.PKCS8),
    "RSA, older form": ("PS256", OLDER),
}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("passphrase", [None, "mật khẩu"], ids=["plain", "encrypted"])
def test_each_kind_of_key_in_each_form(kind: str, passphrase: str | None) -> None:
    algorithm, form = FORMS[kind]
    secret = None if passphrase is None else passphrase.encode()
    found = read_key_files([pem(KEYS[algorithm], form, secret)], never if secret is None else lambda: secret)
    assert (found.algorithm, found.private, found.expires) == (algorithm, True, None)
    document = found.key.as_dict(private=True)
    assert (document["alg"], document["use"], document["kid"]) == (algorithm, "sig", found.key.thumbprint())
    (public,) = found.public_keys()["keys"]
    assert public == import_key(document).as_dict(private=False)
    assert "d" not in public


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_certificate_or_a_public_key_gives_the_public_half(algorithm: str) -> None:
    key = KEYS[algorithm]
    whole = read_key_files([pem(key)], never)
    for content, expires in ((certificate(key), EXPIRES), (public_pem(key), None)):
        found = read_key_files([content], never)
        assert (found.private, found.expires) == (False, expires)
        [public] = whole.public_keys()["keys"]
        end = {} if expires is None else {"exp": int(expires.timestamp())}
        assert found.public_keys() == {"keys": [public | end]}


def test_a_key_and_its_certificate_in_one_file_or_two_with_the_chain() -> None:
    chain = certificate(P256) + certificate(RSA)
    for contents in ([pem(P256) + chain], [chain, pem(P256)], [b"Bag Attributes\n" + pem(P256), chain]):
        found = read_key_files(contents, never)
        assert (found.private, found.expires) == (True, EXPIRES)


def test_a_jwk_keeps_its_end() -> None:
    [public] = read_key_files([certificate(P256)], never).public_keys()["keys"]
    found = read_key_files([json.dumps(public).encode()], never)
    assert found.expires == EXPIRES
    assert found.public_keys() == {"keys": [public]}
    for wrong in ("soon", 1e300, None, 10**30):
        with pytest.raises(InputError):
            read_key_files([json.dumps({**public, "exp": wrong}).encode()], never)


PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def test_the_parameters_that_openssl_puts_before_a_key_are_skipped() -> None:
    older = pem(P256, OLDER)
    assert read_key_files([PARAMETERS + older], never).algorithm == "ES256"


REFUSED: dict[str, tuple[Callable[[], list[bytes]], str]] = {
    "P-384": (lambda: [pem(ec.generate_private_key(ec.SECP384R1()))], "P-256, Ed25519 or RSA"),
    "Ed448": (lambda: [pem(ed448.Ed448PrivateKey.generate())], "P-256, Ed25519 or RSA"),
    "DSA": (lambda: [pem(dsa.generate_private_key(2048))], "P-256, Ed25519 or RSA"),
    "RSA of 1024 bits": (lambda: [pem(rsa.generate_private_key(65537, 1024))], "has 1024 bits"),  # noqa: S505
    "another's certificate": (lambda: [pem(P256), certificate(RSA)], "does not belong"),
    "another's public key": (lambda: [pem(P256), public_pem(ED25519)], "does not belong"),
    "two private keys": (lambda: [pem(P256), pem(RSA)], "more than one private key"),
    "parameters alone": (lambda: [PARAMETERS], "no key and no certificate"),
    "DER": (lambda: [b"\x30\x82\x01\x00"], "Not PEM"),
    "nothing": (lambda: [b""], "Not PEM"),
    "a damaged key": (lambda: [pem(P256).replace(b"M", b"N")], "damaged"),
    "a damaged certificate": (lambda: [certificate(P256).replace(b"M", b"N")], "damaged"),
    "a damaged public key": (lambda: [public_pem(P256).replace(b"M", b"N")], "damaged"),
    "a large file": (lambda: [pem(P256) + b"\n" * LARGEST_FILE], f"more than {LARGEST_FILE} bytes"),
    # Time that grows with the square of the size would be minutes here.
    "many beginnings": (lambda: [b"-----BEGIN A-----\n" * 50_000], "Not PEM"),
    "a request": (
        lambda: [certificate(P256).replace(b"CERTIFICATE", b"CERTIFICATE REQUEST")],
        "'CERTIFICATE REQUEST' is not supported",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_with_the_reason(case: str) -> None:
    make, reason = REFUSED[case]
    contents = make()
    with pytest.raises(InputError) as refused:
        read_key_files(contents, never)
    told = refused.value.document()
    assert reason in told["detail"]
    assert told["detail_vi"] != told["detail"]
    body = max(contents).splitlines()
    assert len(body) < 3 or body[1].decode() not in str(told)


def test_a_wrong_passphrase_is_told_apart() -> None:
    with pytest.raises(InputError, match="passphrase is wrong") as refused:
        read_key_files([pem(P256, passphrase=b"right")], lambda: b"wrong")
    assert refused.value.code == "bad-passphrase"


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "PS256"])
@pytest.mark.parametrize("private", [True, False])
def test_a_jwk_keeps_the_kid_by_which_it_is_registered(algorithm: str, private: bool) -> None:
    given = import_key(pem(KEYS[algorithm]), _TYPES[algorithm], {"kid": "2026-11-30-abc"})
    content = json.dumps(given.as_dict(private=private)).encode()
    found = read_key_files([content], never)
    assert (found.key.kid, found.algorithm, found.private) == ("2026-11-30-abc", algorithm, private)
    assert found.key.thumbprint() == given.thumbprint()


def test_a_jwk_without_kid_is_named_by_its_thumbprint() -> None:
    given = import_key(pem(P256), "EC")
    content = json.dumps(given.as_dict(private=True)).encode()
    assert read_key_files([content], never).key.kid == given.thumbprint()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}', "JWK is damaged"),
        (b'{"kty": "oct", "k": "c2VjcmV0"}', "EC P-256, Ed25519 or RSA"),
        (b'{"kty": "EC"', "JWK is damaged"),
        (b'{"keys": []}', "JWK is damaged"),
        (b'{"a":' * 100_000, "JWK is damaged"),
        (b"{" + b" " * LARGEST_FILE, "more than"),
    ],
    ids=["point", "symmetric", "cut off", "set", "deep", "large"],
)
def test_a_jwk_that_cannot_be_used_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_key_files([content], never)
