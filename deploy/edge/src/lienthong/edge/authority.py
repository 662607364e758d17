"""A development authority: it signs the edge's certificate and those of systems on one machine.

Only for machines on which nobody else has made certificates. An installation that others depend on has them
from an authority of its own (RFC 5280 says what they contain).
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lienthong.kit.files import PUBLIC, make_folder, replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LIFETIME: Final = timedelta(days=825)
"""Longer ones are refused by some systems, also of authorities that were installed by hand."""
_RENEWED_BEFORE: Final = timedelta(days=30)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


class Authority:
    """Certificates and keys in one folder, in PEM; what is there is kept until it soon ends."""

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder
        self.certificate = folder / "ca.crt"
        """Its own certificate, which both sides trust."""
        if not self._lasts(self.certificate):
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Liên thông: máy phát triển · development authority")
            usage = x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            constraints = x509.BasicConstraints(ca=True, path_length=0)
            certificate = (
                _builder(name, name, key.public_key())
                .add_extension(constraints, critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .sign(key, hashes.SHA256())
            )
            self._write("ca", certificate, key)
        self._own = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        self._key = _private_key(folder / "ca.key")

    def server(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """The files of certificate and key of a server that is called by these host names and addresses."""
        names = [_general_name(host) for host in hosts]
        return self._signed(name, x509.SubjectAlternativeName(names), ExtendedKeyUsageOID.SERVER_AUTH)

    def client(self, name: str, subject: str) -> tuple[Path, Path]:
        """The files of certificate and key of a system; `subject` is its common name."""
        return self._signed(name, None, ExtendedKeyUsageOID.CLIENT_AUTH, subject)

    def _signed(
        self,
        name: str,
        names: x509.SubjectAlternativeName | None,
        usage: x509.ObjectIdentifier,
        subject: str | None = None,
    ) -> tuple[Path, Path]:
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        if all(file.exists() for file in files) and self._lasts(files[0]) and self._is_ours(files[0], names):
            return files
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(subject or name), self._own.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        self._write(name, builder.sign(self._key, hashes.SHA256()), key)
        return files

    def _is_ours(self, file: Path, names: x509.SubjectAlternativeName | None) -> bool:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        try:
            certificate.verify_directly_issued_by(self._own)
        except Exception:  # noqa: BLE001  whatever is wrong with it: it is made anew
            return False
        found = certificate.extensions
        kept = [one.value for one in found if isinstance(one.value, x509.SubjectAlternativeName)]
        return kept == ([names] if names is not None else [])

    def _lasts(self, file: Path) -> bool:
        if not file.exists() or not file.with_suffix(".key").exists():
            return False
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        return certificate.not_valid_after_utc > datetime.now(UTC) + _RENEWED_BEFORE

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        written = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # The key first: a certificate whose key is missing is made anew.
        replace_file(self._folder / f"{name}.key", written.decode())
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        replace_file(self._folder / f"{name}.crt", pem.decode(), mode=PUBLIC)


def sha256(certificate: Path) -> str:
    """SHA-256 of a certificate's DER form, in hex: what records of calls name it by."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _LIFETIME)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} is no key for an elliptic curve: delete the folder, and it is made anew")
    return key
