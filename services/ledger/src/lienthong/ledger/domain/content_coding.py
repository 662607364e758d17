"""Choosing a content coding by the request's `Accept-Encoding` (RFC 9110 §12.5.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

GZIP: Final = "gzip"
IDENTITY: Final = "identity"
"""No coding at all."""

_ALIASES: Final = {"x-gzip": GZIP}
_MEMBER: Final = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)


def choose_coding(accept_encoding: str | None, offered: Sequence[str]) -> str | None:
    """The coding to send: of those in `offered`, the acceptable one with the highest quality value.

    `offered` is in the server's order of preference, which decides between equal values. Without the header
    (None) the caller accepts anything but has not asked for a coding, and gets `identity` if that is offered.
    Members of the header that do not follow the grammar are ignored. Returns None when nothing that is
    offered is acceptable.
    """
    if accept_encoding is None:
        return IDENTITY if IDENTITY in offered else offered[0]
    weights = _weights(accept_encoding)
    best = max(offered, key=lambda coding: _quality(coding, weights))
    return best if _quality(best, weights) > 0 else None


def _weights(accept_encoding: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for member in accept_encoding.split(","):
        if found := _MEMBER.fullmatch(member):
            name = found[1].lower()
            weights.setdefault(_ALIASES.get(name, name), float(found[2] or 1))
    return weights


def _quality(coding: str, weights: dict[str, float]) -> float:
    if coding in weights:
        return weights[coding]
    if "*" in weights:
        return weights["*"]
    # Acceptable without being listed, but less wanted than anything that is.
    return 0.0001 if coding == IDENTITY else 0.0
