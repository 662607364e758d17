"""Who may speak gRPC with whom: the certificate of the servers, and the token of all processes (ADR 0024).

An installation has one of each, in the folder `LIENTHONG_RPC_DIR`:

- `rpc.crt`, `rpc.key`: the certificate that every server shows, signed by itself, and its key. Clients trust
  this certificate and no other, whatever address they called.
- `rpc.token`: what clients send with every call (`authorization: Bearer …`, RFC 6750).

A folder that is missing is made, with new keys: so an embedded installation needs nothing. A folder that
stands is never written to.
"""

from __future__ import annotations

import hmac
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lienthong.kit.files import create_file, make_folder, sync_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SERVER_NAME: Final = "rpc.lienthong.internal"
"""The name in the certificate; `.internal` is reserved for private use."""
_CERTIFICATE, _KEY, _TOKEN = "rpc.crt", "rpc.key", "rpc.token"
_VALID_FOR: Final = timedelta(days=3650)
_BEFORE: Final = timedelta(days=1)
"""How far the clock of another machine may be behind."""
_OPEN_TO_ALL: Final = "/grpc.health."


class RpcTrustError(Exception):
    """The files of the folder `LIENTHONG_RPC_DIR` cannot be used; says why, and how to mend it."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"the keys for gRPC in {folder} (LIENTHONG_RPC_DIR) cannot be used: {why}; give every process of"
            f" the installation the same {_CERTIFICATE} and {_TOKEN}, and {_KEY} to those that serve"
        )


def _unreadable(folder: Path, error: OSError | UnicodeDecodeError) -> RpcTrustError:
    if isinstance(error, UnicodeDecodeError):
        return RpcTrustError(folder, f"{_TOKEN} is not ASCII text")
    return RpcTrustError(folder, f"{error.filename}: {error.strerror}")


@dataclass(frozen=True, slots=True, repr=False)
class RpcTrust:
    """What a process needs to know its peers, and to be known by them."""

    folder: Path
    certificate: bytes
    token: str

    @classmethod
    def load(cls, folder: Path) -> RpcTrust:
        """Read the folder; one that is missing is made.

        Raises:
            RpcTrustError: it has not all the files, or cannot be made.
        """
        try:
            if not folder.exists():
                make_rpc_trust(folder)
            token = (folder / _TOKEN).read_text(encoding="ascii").strip()
            certificate = (folder / _CERTIFICATE).read_bytes()
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(folder, error) from error
        if not token or not certificate:
            raise RpcTrustError(folder, f"{_CERTIFICATE if token else _TOKEN} is empty")
        return cls(folder, certificate, token)

    def server_credentials(self) -> grpc.ServerCredentials:
        """What a server shows to its clients.

        Raises:
            RpcTrustError: the key of the certificate is missing: this process is not meant to serve.
        """
        try:
            key = (self.folder / _KEY).read_bytes()
        except OSError as error:
            raise _unreadable(self.folder, error) from error
        return grpc.ssl_server_credentials([(key, self.certificate)])

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """What a client wants to see, and sends."""
        return grpc.composite_channel_credentials(
            grpc.ssl_channel_credentials(self.certificate), grpc.access_token_call_credentials(self.token)
        )


class OnlyInside(grpc.aio.ServerInterceptor):
    """Server side: calls without the installation's token are UNAUTHENTICATED, health checks excepted."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Refuse, or look for the method that was asked for."""
        if handler_call_details.method.startswith(_OPEN_TO_ALL):
            return await continuation(handler_call_details)
        sent = [value for name, value in handler_call_details.invocation_metadata if name == "authorization"]
        if len(sent) == 1 and hmac.compare_digest(_octets(sent[0]), self._expected):
            return await continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


async def _refuse(_request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    await context.abort(
        grpc.StatusCode.UNAUTHENTICATED,
        "only processes of this installation may call: send the token in rpc.token of its LIENTHONG_RPC_DIR",
    )


def make_rpc_trust(folder: Path) -> None:
    """Make a folder with a new certificate and a new token.

    Of several processes that do this at once one succeeds, and all find the same folder.

    Raises:
        OSError: it cannot be made.
    """
    make_folder(folder.parent)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write_rpc_trust(draft)
        try:
            draft.rename(folder)
        except OSError:
            # A folder with files in it is never replaced by a rename: another process was first.
            if not folder.exists():
                raise
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_rpc_trust(folder: Path) -> None:
    """Write a new certificate and a new token into a folder that has none.

    Raises:
        FileExistsError: it has one.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVER_NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    create_file(
        folder / _KEY,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    create_file(folder / _CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))
    create_file(folder / _TOKEN, secrets.token_hex(32) + "\n")


def _octets(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
