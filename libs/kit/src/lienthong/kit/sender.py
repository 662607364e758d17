"""Whether a request comes from the one that its access token is bound to.

It is asked on every request, also where the token is known from an earlier one: the token alone says who may
use it, not who does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.problems.callers import certificate_mismatch

if TYPE_CHECKING:
    from lienthong.kit.tokens import Confirmation


def check_sender(bound: Confirmation, certificate: str | None) -> None:
    """Check that a request came with what the token is bound to.

    `certificate` is what the edge says that the caller showed: the SHA-256 of its DER form, in hex.

    Raises:
        ProblemError: certificate-mismatch (RFC 8705 section 3).
    """
    if bound.certificate != certificate:
        raise certificate_mismatch(shown=certificate is not None)
