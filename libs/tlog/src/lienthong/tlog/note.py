"""Signed notes with Ed25519 keys: c2sp.org/signed-note."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lienthong.tlog.errors import MalformedKeyError, MalformedNoteError, SignatureRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ED25519: Final = 0x01
MAX_SIGNATURES: Final = 100
_SIGNING_PREFIX = "PRIVATE+KEY+"
_HEX_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key that signs notes."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != 32:
            raise MalformedKeyError(
                f"the Ed25519 key of {self.name} has {len(self.public)} bytes instead of 32"
            )

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read `<name>+<hex key id>+<base64(type ‖ public key)>`.

        Raises:
            MalformedKeyError: it is spelled differently, of another type, or its id is not that of its key.
        """
        name, hex_id, raw = _parse_key(text)
        key = cls(name, raw)
        if key.key_id.hex() != hex_id:
            raise MalformedKeyError(f"the id of this key is {key.key_id.hex()}, not {hex_id}")
        return key

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_encode(bytes([ED25519]) + self.public)}"

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether this key made the signature over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs notes; only `export` reveals its private half."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.seed) != 32:
            raise MalformedKeyError(
                f"the Ed25519 key of {self.name} has {len(self.seed)} bytes instead of 32"
            )

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read `PRIVATE+KEY+<name>+<hex key id>+<base64(type ‖ seed)>`, as Go's sumdb/note writes it.

        Raises:
            MalformedKeyError: it is spelled differently, of another type, or its id is not that of its key.
        """
        if not text.startswith(_SIGNING_PREFIX):
            raise MalformedKeyError(f"a signing key starts with {_SIGNING_PREFIX}")
        name, hex_id, raw = _parse_key(text.removeprefix(_SIGNING_PREFIX))
        key = cls(name, raw)
        if key.verifier.key_id.hex() != hex_id:
            raise MalformedKeyError(f"the id of this key is {key.verifier.key_id.hex()}, not {hex_id}")
        return key

    def export(self) -> str:
        """The private key as text: for a file that only its owner may read."""
        secret = _encode(bytes([ED25519]) + self.seed)
        return f"{_SIGNING_PREFIX}{self.name}+{self.verifier.key_id.hex()}+{secret}"

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return VerifierKey(self.name, private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Sign a note's text."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        return Signature(self.name, self.verifier.key_id, signature)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note, verified or not."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {_encode(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Its signatures are verified only where it comes from `open_note`."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n"):
            raise MalformedNoteError("the text of a note ends with a newline")
        if _CONTROL.search(self.text):
            raise MalformedNoteError("a note has no control characters but newlines")

    @classmethod
    def parse(cls, raw: str | bytes) -> Note:
        """Parse a note without verifying its signatures.

        Raises:
            MalformedNoteError: it breaks a rule of the format.
        """
        try:
            whole = raw.decode() if isinstance(raw, bytes) else raw
        except UnicodeDecodeError as error:
            raise MalformedNoteError("a note is UTF-8 text") from error
        text, blank_line, lines = whole.rpartition("\n\n")
        if not blank_line or not lines.endswith("\n"):
            raise MalformedNoteError("a note is a text, an empty line and signature lines")
        signature_lines = lines.removesuffix("\n").split("\n")
        if len(signature_lines) > MAX_SIGNATURES:
            raise MalformedNoteError(f"a note has at most {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(_parse_signature(line) for line in signature_lines))

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


def sign_note(text: str, keys: Iterable[SigningKey]) -> str:
    """Make a signed note out of a text that ends with a newline.

    Raises:
        MalformedNoteError: the text cannot be a note's.
    """
    return str(Note(text, tuple(key.sign(text) for key in keys)))


def open_note(raw: str | bytes, keys: Sequence[VerifierKey]) -> Note:
    """Parse a note and verify it; only the signatures of known keys are kept.

    Signatures of unknown keys are ignored, also when they share the name or the id (not both) with a known
    key.

    Raises:
        MalformedNoteError: it is no note.
        SignatureRefusedError: no known key signed it, or a known key's signature is wrong.
    """
    note = Note.parse(raw)
    known = {(key.name, key.key_id): key for key in keys}
    verified: list[Signature] = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(note.text, signature.signature):
            raise SignatureRefusedError(f"the signature of {key.name} does not fit the text")
        verified.append(signature)
    if not verified:
        signers = ", ".join(f"{item.name} ({item.key_id.hex()})" for item in note.signatures)
        raise SignatureRefusedError(f"none of the known keys signed this note; it is signed by {signers}")
    return Note(note.text, tuple(verified))


def decode_base64(text: str) -> bytes:
    """Read standard base64 in its one canonical spelling.

    Raises:
        ValueError: it is spelled differently.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if _encode(raw) != text:
        raise ValueError("not the canonical base64")
    return raw


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _usable_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() or ord(char) < 0x20 for char in name)


def _check_name(name: str) -> None:
    if not _usable_name(name):
        raise MalformedKeyError(f"a key's name is not empty and has neither spaces nor +: {name!r}")


def _parse_key(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3 or not _HEX_ID.fullmatch(parts[1]):
        raise MalformedKeyError("a key is <name>+<8 hexadecimal digits>+<base64>")
    name, hex_id, encoded = parts
    try:
        raw = decode_base64(encoded)
    except ValueError as error:
        raise MalformedKeyError(f"the key of {name!r} is not in base64") from error
    if not raw or raw[0] != ED25519:
        raise MalformedKeyError(f"the key of {name!r} is not an Ed25519 key")
    return name, hex_id, raw[1:]


def _parse_signature(line: str) -> Signature:
    dash, name, encoded = (*line.split(" "), "", "", "")[:3]
    if dash != "—" or line.count(" ") != 2 or not _usable_name(name):
        raise MalformedNoteError(f"not a signature line: {line!r}")
    try:
        raw = decode_base64(encoded)
    except ValueError as error:
        raise MalformedNoteError(f"the signature of {name} is not in base64") from error
    if len(raw) < 5:
        raise MalformedNoteError(f"the signature of {name} is too short")
    return Signature(name, raw[:4], raw[4:])
