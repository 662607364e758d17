"""Providers behind TLS."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lienthong.gateway.http1.address import Origin
from lienthong.gateway.http1.errors import ProviderBrokenError, ProviderUnreachableError
from lienthong.gateway.http1.pool import Pool, provider_trust
from tests.integration.gateway.http1.wire import (
    CHUNKED,
    KIB,
    LONG_S,
    MIB,
    OK,
    SECOND,
    Peer,
    Wire,
    answering,
    on_both_loops,
    provider,
    rest,
    standstill,
)
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own, and what servers show."""

    trusting: ssl.SSLContext
    """A client that trusts it."""
    good: ssl.SSLContext
    """A server with a certificate for 127.0.0.1."""
    other: ssl.SSLContext
    """A server with a certificate for another name."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("certificates")
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("test root", root_key.public_key(), "test root", root_key, [], ca=True)
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))

    def server(name: str, *names: x509.GeneralName) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate(name, key.public_key(), "test root", root_key, list(names), ca=False)
        return _server_context(folder, name, leaf, key)

    with pytest.MonkeyPatch.context() as environment:
        # As with Python before 3.13, the certificates have no Authority Key Identifier.
        environment.setenv("SSL_CERT_FILE", str(folder / "root.pem"))
        trusting = provider_trust()
    return Authority(
        trusting=trusting,
        good=server("good", address, x509.DNSName("localhost")),
        other=server("other", x509.DNSName("elsewhere.example")),
    )


def _certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName],
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _server_context(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLContext:
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@on_both_loops
async def test_a_trusted_provider_is_reached_over_tls_and_its_connection_kept(authority: Authority) -> None:
    async with provider(
        answering(OK, CHUNKED + b"2\r\nok\r\n0\r\n\r\n"), authority.good, authority.trusting
    ) as wire:
        first = await wire.call()
        second = await wire.call()
        assert (first.body, second.body) == (b"ok", b"ok")
        assert first.connection is second.connection
    assert len(wire.peers) == 1


@on_both_loops
async def test_a_certificate_that_nobody_trusts_makes_a_provider_unreachable(authority: Authority) -> None:
    async with provider(answering(OK), authority.good) as wire:
        with pytest.raises(ProviderUnreachableError):
            await wire.call()


@on_both_loops
async def test_a_certificate_of_another_name_makes_a_provider_unreachable(authority: Authority) -> None:
    async with provider(answering(OK), authority.other, authority.trusting) as wire:
        with pytest.raises(ProviderUnreachableError):
            await wire.call()


@on_both_loops
async def test_a_provider_that_speaks_no_tls_is_unreachable(authority: Authority) -> None:
    async def serve(peer: Peer) -> None:
        await peer.reader.read(10)
        await peer.send(OK)
        peer.writer.close()

    async with provider(serve, trusted=authority.trusting) as wire:
        with pytest.raises(ProviderUnreachableError):
            await wire.pool.connect(wire.origin._replace(tls=True), wire.now + LONG_S)


def _say_close_notify(connection: ssl.SSLSocket) -> None:
    connection.setblocking(False)
    while True:
        try:
            connection.unwrap()
        except ssl.SSLWantWriteError:
            time.sleep(0.001)
        except OSError:
            break
        else:
            # The other side has said the same already.
            break
    connection.settimeout(LONG_S)


@contextlib.asynccontextmanager
async def blocking_tls_provider(authority: Authority, answer: bytes, *, notify: bool) -> AsyncIterator[Wire]:
    """Answer one request over TLS and close, with or without the word that this is the end of it.

    Blocking sockets can leave that word (close_notify) out, which asyncio's transports cannot.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listener.accept()
        plain.settimeout(LONG_S)
        with authority.good.wrap_socket(plain, server_side=True) as connection:
            connection.recv(KIB)
            connection.sendall(answer)
            if notify:
                _say_close_notify(connection)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                connection.recv(KIB)

    serving = asyncio.create_task(asyncio.to_thread(serve))
    pool = Pool(connect_timeout=5, tls=authority.trusting)
    try:
        yield Wire(pool, Origin("127.0.0.1", listener.getsockname()[1], tls=True))
    finally:
        pool.close()
        await serving
        listener.close()
        for _ in range(5):
            await asyncio.sleep(0)


@on_both_loops
async def test_an_answer_over_tls_that_lasts_until_a_proper_end_is_whole(authority: Authority) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000
    async with blocking_tls_provider(authority, answer, notify=True) as wire:
        assert len((await wire.call()).body) == 300_000


@on_both_loops
async def test_an_answer_over_tls_that_somebody_cuts_off_is_not_taken_as_whole(authority: Authority) -> None:
    """Anybody on the way can end a TCP connection, only the provider can say close_notify (RFC 9112 9.8)."""
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000
    async with blocking_tls_provider(authority, answer, notify=False) as wire:
        with pytest.raises(ProviderBrokenError):
            await wire.call()


@pytest.mark.parametrize("size", [300_000, 550_000, 700_000, 2_000_000])
@pytest.mark.parametrize(("framed", "notify"), [(True, True), (True, False), (False, True)])
@on_both_loops
async def test_a_slow_reader_over_tls_gets_everything_though_the_provider_has_closed(
    authority: Authority, framed: bool, notify: bool, size: int
) -> None:
    framing = b"content-length: %d\r\n" % size if framed else b""
    answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\n%b\r\n" % framing + b"x" * size
    async with blocking_tls_provider(authority, answer, notify=notify) as wire:
        connection = await wire.take()
        wire.begin(connection)
        await connection.head()
        await standstill(lambda: connection._buffered)
        assert connection._buffered < MIB
        assert len(await rest(connection)) == size
        connection.end()


@on_both_loops
async def test_a_kept_connection_that_the_provider_ends_over_tls_is_not_used_again(
    authority: Authority,
) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK if peer.number == 0 else SECOND)
        if peer.number == 0:
            peer.writer.close()
        await peer.gone()

    async with provider(serve, authority.good, authority.trusting) as wire:
        first = await wire.call()
        await eventually(lambda: not first.connection.open, "the end is seen")
        assert (await wire.call()).body == b"second"
