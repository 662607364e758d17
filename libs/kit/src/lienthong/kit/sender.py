"""Whether a request comes from the one that its access token is bound to.

It is asked on every request, also where the token is known from an earlier one: the token alone says who may
use it, not who does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.problems.callers import certificate_mismatch, proof_refused

if TYPE_CHECKING:
    from lienthong.kit.tokens import Confirmation


def check_certificate(bound: Confirmation, certificate: str | None) -> None:
    """Check that a request came with the certificate that the token is bound to, if it is to one.

    `certificate` is what the edge says that the caller showed: the SHA-256 of its DER form, in hex.

    Raises:
        ProblemError: certificate-mismatch (RFC 8705 section 3).
    """
    if bound.certificate is not None and bound.certificate != certificate:
        raise certificate_mismatch(shown=certificate is not None)


def check_key(bound: Confirmation, key: str | None) -> None:
    """Check that a request came from the holder of the key that the token is bound to, if it is to one.

    `key` is what the gateway says that the caller has proved to hold: its RFC 7638 thumbprint.

    Raises:
        ProblemError: dpop-proof-refused (RFC 9449 section 7).
    """
    if bound.key is not None and bound.key != key:
        raise proof_refused("missing" if key is None else "key")
