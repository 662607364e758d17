"""The development authority: what it signs is kept, and made anew when it would not do."""

from __future__ import annotations

import datetime
import ssl
from typing import TYPE_CHECKING

from cryptography import x509

from lienthong.edge import Authority, authority, sha256

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    first = Authority(tmp_path)
    server, client = first.server("edge", ["localhost", "::1"]), first.client("land", "H11.05/land")
    before = [file.read_bytes() for file in (*server, *client, first.certificate)]
    again = Authority(tmp_path)
    assert again.server("edge", ["localhost", "::1"]) == server
    assert again.client("land", "H11.05/land") == client
    assert [file.read_bytes() for file in (*server, *client, again.certificate)] == before
    for key in (server[1], client[1], tmp_path / "ca.key"):
        assert key.stat().st_mode & 0o077 == 0
    assert len(sha256(client[0])) == 64


def test_another_name_or_an_end_that_is_near_makes_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Authority(tmp_path)
    (certificate, _) = made.server("edge", ["localhost"])
    before = sha256(certificate)
    made.server("edge", ["localhost", "10.0.0.1"])
    changed = sha256(certificate)
    assert changed != before
    monkeypatch.setattr(authority, "_RENEWED_BEFORE", datetime.timedelta(days=10_000))
    renewed = Authority(tmp_path)
    renewed.server("edge", ["localhost", "10.0.0.1"])
    assert sha256(certificate) != changed
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(renewed.certificate.read_bytes()))


def test_openssl_takes_them(tmp_path: Path) -> None:
    made = Authority(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*made.server("edge", ["localhost"]))
    server.load_verify_locations(made.certificate)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    client = ssl.create_default_context(cafile=str(made.certificate))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_cert_chain(*made.client("land", "H11.05/land"))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert (other.getpeercert() or {})["subject"] == ((("commonName", "H11.05/land"),),)
