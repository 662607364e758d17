"""A system's credentials: a folder with `client.json` and `key.jwk`.

`client.json` names the client, the issuer and the token endpoint; `key.jwk` is the private key (RFC 7517).
The kind of key decides the algorithm: P-256 signs ES256, Ed25519 EdDSA, RSA PS256.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.util import urlsafe_b64decode

from lienthong.client.errors import CredentialsError, Text
from lienthong.client.files import PRIVATE, PUBLIC, create_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from joserfc.jwk import KeyParameters

Algorithm: TypeAlias = Literal["ES256", "EdDSA", "PS256"]
PrivateKey: TypeAlias = ECKey | OKPKey | RSAKey

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
RSA_BITS = range(2048, 8193)
"""Sizes of RSA keys that the catalog takes."""
CLIENT_FILE = "client.json"
KEY_FILE = "key.jwk"
PUBLIC_FILE = "public.jwks"

_MAKE_KEYS = Text(
    "Tạo khoá: lienthong keys new --client-id CƠ_QUAN/HỆ_THỐNG --dir THƯ_MỤC",
    "Make keys: lienthong keys new --client-id AGENCY/SYSTEM --dir FOLDER",
)


def key_parameters(algorithm: Algorithm, ends: datetime | None) -> KeyParameters:
    """The members of a JWK beside the key itself; `exp` (a NumericDate) says when it ends."""
    named: dict[str, Any] = {"alg": algorithm, "use": "sig"}
    if ends is not None:
        named["exp"] = int(ends.timestamp())
    return cast("KeyParameters", named)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who a client is, where it gets tokens, and the private key with which it proves itself.

    The key never shows in `repr` or in messages.
    """

    client_id: str
    issuer: str
    token_endpoint: str
    key: PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """The JWS algorithm that the kind of key stands for."""
        return _algorithm(self.key)

    def public_keys(self) -> dict[str, Any]:
        """The public half as a JWK Set, as the catalog registers it."""
        return {"keys": [self.key.as_dict(private=False)]}

    @classmethod
    def load(cls, folder: Path | str) -> Credentials:
        """Read a folder; raises `CredentialsError` that names the file and what is wrong with it."""
        folder = Path(folder)
        client = _read_object(folder / CLIENT_FILE)
        texts = {name: client.get(name) for name in ("client_id", "issuer", "token_endpoint")}
        missing = [name for name, value in texts.items() if not isinstance(value, str) or not value]
        if missing:
            raise _broken(
                folder / CLIENT_FILE, Text(f"thiếu {', '.join(missing)}", f"{', '.join(missing)} missing")
            )
        return cls(
            client_id=str(texts["client_id"]),
            issuer=str(texts["issuer"]),
            token_endpoint=str(texts["token_endpoint"]),
            key=_read_key(folder / KEY_FILE),
        )

    @classmethod
    def new(cls, client_id: str, *, gateway: str, algorithm: Algorithm = "ES256") -> Credentials:
        """Fresh credentials for the gateway at this address; the key id is the RFC 7638 thumbprint."""
        gateway = gateway.rstrip("/")
        return cls(client_id, gateway, f"{gateway}/oauth2/token", generate_key(algorithm))

    def save(self, folder: Path | str) -> None:
        """Write `client.json`, `key.jwk` (mode 0600) and `public.jwks`; refuses to overwrite any of them."""
        key = _json(self.key.as_dict(private=True))
        _create_all(Path(folder), {KEY_FILE: key} | _public_files(self, self.public_keys()))


@dataclass(frozen=True, slots=True)
class PublicCredentials:
    """Credentials whose private key is kept elsewhere, in a security module or by another program."""

    client_id: str
    issuer: str
    token_endpoint: str
    keys: Mapping[str, Any]

    def save(self, folder: Path | str) -> None:
        """Write `client.json` and `public.jwks`; refuses to overwrite either of them."""
        _create_all(Path(folder), _public_files(self, self.keys))


def generate_key(algorithm: Algorithm, ends: datetime | None = None) -> PrivateKey:
    """A fresh private key for the algorithm, with `kid`, `alg` and `use` set, and `exp` where it ends."""
    parameters = key_parameters(algorithm, ends)
    if algorithm == "ES256":
        return ECKey.generate_key("P-256", parameters=parameters, private=True, auto_kid=True)
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", parameters=parameters, private=True, auto_kid=True)
    return RSAKey.generate_key(3072, parameters=parameters, private=True, auto_kid=True)


def _algorithm(key: PrivateKey) -> Algorithm:
    if isinstance(key, ECKey):
        return "ES256"
    return "EdDSA" if isinstance(key, OKPKey) else "PS256"


def _read_key(path: Path) -> PrivateKey:
    document = _read_object(path)
    if not _usable(document):
        raise _broken(
            path,
            Text(
                "cần khoá P-256, Ed25519 hoặc RSA từ 2048 đến 8192 bit",
                "a P-256, Ed25519 or RSA (2,048 to 8,192 bits) key is needed",
            ),
        )
    try:
        key = import_key(document)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        # The library's message may quote the document, and that holds the secret: it is not repeated.
        raise _broken(path, Text("không phải JWK hợp lệ", "not a valid JWK")) from error
    if not isinstance(key, ECKey | OKPKey | RSAKey) or not key.is_private:
        raise _broken(path, Text("chỉ có nửa công khai", "only the public half is in it"))
    return key


def _usable(document: Mapping[str, Any]) -> bool:
    """Whether the catalog takes a key of this kind; what is wrong besides, joserfc finds when it reads it."""
    match document.get("kty"), document.get("crv"):
        case ("EC", None | "P-256") | ("OKP", None | "Ed25519"):
            return True
        case "RSA", _:
            modulus = document.get("n")
            # Told here: joserfc would only warn of a short key.
            return not isinstance(modulus, str) or _bits(modulus) in RSA_BITS
        case kty, _:
            return kty not in {"EC", "OKP", "oct"}


def _bits(modulus: str) -> int:
    try:
        return int.from_bytes(urlsafe_b64decode(modulus.encode())).bit_length()
    except ValueError:
        return 0


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise _broken(path, Text("không có tệp này", "there is no such file")) from error
    except OSError as error:
        raise _broken(
            path, Text(f"không đọc được ({error.strerror})", f"cannot be read ({error.strerror})")
        ) from error
    except ValueError as error:
        raise _broken(path, Text("không phải JSON", "not JSON")) from error
    if not isinstance(document, dict):
        raise _broken(path, Text("không phải một đối tượng JSON", "not a JSON object"))
    return document


def _broken(path: Path, what: Text) -> CredentialsError:
    return CredentialsError(
        Text("Không dùng được thông tin xác thực", "The credentials cannot be used"),
        Text(f"{path}: {what.vi}.", f"{path}: {what.en}."),
        _MAKE_KEYS,
    )


def _public_files(credentials: Credentials | PublicCredentials, keys: Mapping[str, Any]) -> dict[str, bytes]:
    client = {
        "client_id": credentials.client_id,
        "token_endpoint": credentials.token_endpoint,
        "issuer": credentials.issuer,
    }
    return {CLIENT_FILE: _json(client), PUBLIC_FILE: _json(keys)}


def _create_all(folder: Path, files: Mapping[str, bytes]) -> None:
    present = [name for name in files if (folder / name).exists()]
    if present:
        raise CredentialsError(
            Text("Không ghi đè khoá đang có", "Existing keys are not overwritten"),
            Text(
                f"{folder} đã có {', '.join(present)}.",
                f"{folder} already holds {', '.join(present)}.",
            ),
            Text("Chọn thư mục khác bằng --dir.", "Choose another folder with --dir."),
            code="keys-exist",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in files.items():
            create_file(folder / name, content, mode=PRIVATE if name == KEY_FILE else PUBLIC)
    except OSError as error:
        raise CredentialsError(
            Text("Không ghi được khoá", "The keys cannot be written"),
            Text(f"{error.filename}: {error.strerror}", f"{error.filename}: {error.strerror}"),
        ) from error


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
