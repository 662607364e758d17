"""The keys that assertions to providers are signed with: each day has its own, derived from one secret.

Whoever has the secret derives the same keys: all workers and all gateways of an installation, also after a
restart, without a word between them. The private keys are in memory alone. Why they are derived:
docs/adr/0040-calls-prove-their-gateway.md.
"""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey

from lienthong.kit.files import create_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEYS_PATH: Final = "/.well-known/lgsp-assertion-keys.json"
"""Where the public keys are, for everyone."""
KEYS_MAX_AGE_S: Final = 3600
"""For how long providers may keep them: the key of tomorrow is among them."""
SECRET_BYTES: Final = 32
MOST_SECRETS: Final = 4
PERIOD_S: Final = 86_400
"""For so long one key signs. It is published for a period before, and for one after."""
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (NIST SP 800-186, section 3.2.1.3)."""
_DERIVED_BYTES: Final = 48
"""128 bits more than the order has, so that no key is likelier than another (FIPS 186-5, appendix A.2.1)."""
_COORDINATE_BYTES: Final = 32
_SIGNATURE: Final = ec.ECDSA(SHA256())


class SigningKey:
    """The key of one period: EC on P-256, for ES256."""

    __slots__ = ("_private", "jwk", "kid")

    def __init__(self, secret: bytes, period: int) -> None:
        info = b"lienthong assertion key, period %d" % period
        derived = HKDF(SHA256(), _DERIVED_BYTES, salt=None, info=info).derive(secret)
        scalar = int.from_bytes(derived) % (_ORDER - 1) + 1
        self._private = ec.derive_private_key(scalar, ec.SECP256R1())
        public = ECKey.import_key(self._private.public_key())
        self.kid: str = public.thumbprint()
        """The thumbprint of the key (RFC 7638)."""
        self.jwk: dict[str, object] = {
            **public.as_dict(private=False),
            "kid": self.kid,
            "use": "sig",
            "alg": "ES256",
        }
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """The signature as JWS writes it: R and S, 32 bytes each (RFC 7518 section 3.4)."""
        r, s = decode_dss_signature(self._private.sign(data, _SIGNATURE))
        return r.to_bytes(_COORDINATE_BYTES) + s.to_bytes(_COORDINATE_BYTES)


class AssertionKeys:
    """The keys of an installation: the first of its secrets signs, those of all are published.

    Two secrets are there while one takes the place of the other: verifiers have to know the keys of the new
    one before it signs, and of the old one until what it signed has expired.

    Raises:
        ValueError: there is none, or more than four, or one is shorter than 32 bytes.
    """

    def __init__(self, found: Sequence[bytes]) -> None:
        if not 1 <= len(found) <= MOST_SECRETS:
            raise ValueError(f"{len(found)} secrets of assertions, there have to be 1 to {MOST_SECRETS}")
        if any(len(secret) < SECRET_BYTES for secret in found):
            raise ValueError(f"a secret of assertions has fewer than {SECRET_BYTES} bytes")
        self._secrets = tuple(found)
        self._period = -1
        self._keys: dict[tuple[int, int], SigningKey] = {}
        self._published = b""

    def signing(self, at: float) -> SigningKey:
        """The key that signs at a time (Unix seconds)."""
        period = self._turn(at)
        return self._keys[0, period]

    def published(self, at: float) -> bytes:
        """The JWK set (RFC 7517): the keys of this period, of the one before and of the next."""
        self._turn(at)
        return self._published

    def _turn(self, at: float) -> int:
        period = int(at // PERIOD_S)
        if period != self._period:
            wanted = [(number, near) for number in range(len(self._secrets)) for near in _near(period)]
            self._keys = {
                (number, near): self._keys.get((number, near)) or SigningKey(self._secrets[number], near)
                for number, near in wanted
            }
            self._published = msgspec.json.encode({"keys": [key.jwk for key in self._keys.values()]})
            self._period = period
        return period


def _near(period: int) -> tuple[int, int, int]:
    return period, period + 1, period - 1


def assertion_secrets(path: Path) -> list[bytes]:
    """The secrets in a file, each in hex on a line; it is made, for its owner only, where it is missing.

    Raises:
        OSError: it cannot be read or made.
        ValueError: a line is not hex.
    """
    if not path.exists():
        # Another worker may be doing the same: whoever is first has made the secret.
        with contextlib.suppress(FileExistsError):
            create_file(path, secrets.token_hex(SECRET_BYTES) + "\n")
    return [bytes.fromhex(line) for line in path.read_text().split()]
