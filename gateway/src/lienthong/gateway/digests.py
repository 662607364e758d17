"""Digest fields (RFC 9530): what a request states of its body, and what is to be stated of the answer.

The algorithms are sha-256 and sha-512, which are active (RFC 9530, section 7.2); others say nothing here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.fields import field_prefix

if TYPE_CHECKING:
    from hashlib import _Hash

    from lienthong.kit.problems import ProblemError

CONTENT_DIGEST: Final = b"content-digest"
REPR_DIGEST: Final = b"repr-digest"
WANT_CONTENT_DIGEST: Final = b"want-content-digest"
WANT_REPR_DIGEST: Final = b"want-repr-digest"
DIGEST_FIELDS: Final = frozenset((CONTENT_DIGEST, REPR_DIGEST, WANT_CONTENT_DIGEST, WANT_REPR_DIGEST))
_CONTENT_RANGE: Final = field_prefix(b"content-range")
_OF_CONTENT: Final = field_prefix(CONTENT_DIGEST)
_OF_REPRESENTATION: Final = field_prefix(REPR_DIGEST)
_SHA_256: Final = b"sha-256"
_SHA_512: Final = b"sha-512"
# An entry of a dictionary of structured fields (RFC 9651, section 3.2): a byte sequence, or an integer.
_STATED: Final = re.compile(rb"([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):[^,]*")
_WANTED: Final = re.compile(rb"([a-z*][a-z0-9_.*-]*)=([0-9]|10)(?:;[^,]*)?")
_ACTIVE: Final = (_SHA_256, _SHA_512)
_OK: Final = 200


class StatedDigests:
    """What a request states of its body, by algorithm: digests that have to be those of what comes."""

    __slots__ = ("_sha512", "_stated")

    def __init__(self, stated: list[tuple[bytes, bytes]]) -> None:
        self._stated = stated
        self._sha512 = hashlib.sha512() if any(algorithm == _SHA_512 for algorithm, _ in stated) else None

    def update(self, part: bytes) -> None:
        """Take the next part of the body."""
        if self._sha512 is not None:
            self._sha512.update(part)

    def check(self, sha256: bytes) -> None:
        """Compare at the end of the body, whose SHA-256 is this.

        Raises:
            ProblemError: digest-mismatch.
        """
        sha512 = self._sha512.digest() if self._sha512 is not None else b""
        for algorithm, digest in self._stated:
            if digest != (sha256 if algorithm == _SHA_256 else sha512):
                raise problems.digest_mismatch(algorithm.decode())


class WantedDigests:
    """What the caller wants stated of an answer: the algorithm for its content and its representation."""

    __slots__ = ("_content", "_representation")

    def __init__(self, content: bytes | None, representation: bytes | None) -> None:
        self._content = content
        self._representation = representation

    def fields(self, status: int, body: bytes, sha256: _Hash, present: list[bytes]) -> list[bytes]:
        """The fields for an answer whose body is this, as they are written; `present` are those it has.

        Its body is the whole representation where the status is 200.
        """
        found: list[bytes] = []
        for prefix, algorithm in (
            (_OF_CONTENT, self._content),
            (_OF_REPRESENTATION, self._representation if status == _OK else None),
        ):
            if algorithm is not None and prefix not in present:
                digest = sha256.digest() if algorithm == _SHA_256 else hashlib.sha512(body).digest()
                found += (prefix, b"%b=:%b:" % (algorithm, base64.b64encode(digest)))
        return found


def stated_digests(
    content: bytes | None, representation: bytes | None, passed: list[bytes]
) -> StatedDigests | None:
    """What Content-Digest and Repr-Digest of a request state; None: nothing that can be compared.

    The representation that a request encloses is its body, but for a part of one (Content-Range; `passed` has
    the fields for the provider).

    Raises:
        ProblemError: malformed-request.
    """
    stated = _stated(content, "Content-Digest")
    if _CONTENT_RANGE not in passed:
        stated += _stated(representation, "Repr-Digest")
    return StatedDigests(stated) if stated else None


def wanted_digests(content: bytes | None, representation: bytes | None) -> WantedDigests | None:
    """What Want-Content-Digest and Want-Repr-Digest ask for; None: nothing that is had here."""
    of_content, of_representation = _preferred(content), _preferred(representation)
    if of_content is None and of_representation is None:
        return None
    return WantedDigests(of_content, of_representation)


def _stated(value: bytes | None, name: str) -> list[tuple[bytes, bytes]]:
    if value is None:
        return []
    found: dict[bytes, bytes] = {}
    for entry in value.split(b","):
        match = _STATED.fullmatch(entry.strip(b" \t"))
        if match is None:
            raise _malformed(name)
        algorithm = match[1]
        if algorithm in _ACTIVE:
            try:
                found[algorithm] = base64.b64decode(match[2], validate=True)
            except binascii.Error:
                raise _malformed(name) from None
    return list(found.items())


def _preferred(value: bytes | None) -> bytes | None:
    """The algorithm with the highest preference, of equals sha-256; 0 stands for not wanted."""
    best, most = None, 0
    for entry in value.split(b",") if value is not None else ():
        match = _WANTED.fullmatch(entry.strip(b" \t"))
        if match is None or match[1] not in _ACTIVE:
            continue
        preference = int(match[2])
        if preference > most or (preference == most and best == _SHA_512):
            best, most = match[1], preference
    return best


def _malformed(name: str) -> ProblemError:
    return problems.malformed_request(
        f"{name} is not a list of digests like sha-256=:…: in base64 (RFC 9530).",
        f"{name} không phải danh sách mã băm dạng sha-256=:…: theo base64 (RFC 9530).",
    )
