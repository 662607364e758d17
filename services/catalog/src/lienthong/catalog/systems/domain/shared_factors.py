"""RSA keys of different systems that have a prime in common: whoever has both has the private half of both.

That happens to keys that machines make before they have gathered any randomness (Heninger and others, 2012).
It shows only in the company of all keys, so the catalog is where it can be seen.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.errors import Violation
from lienthong.kit.text import BilingualText
from lienthong.kit.weak_rsa import shares_a_factor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lienthong.catalog.domain.drafts import Draft
    from lienthong.kit.json_pointer import JsonPath

MOST_COMPARISONS: Final = 500_000
_SECONDS_FOR_2048_BITS: Final = 20e-6
"""Of processor time, for one comparison; it grows with the square of the size."""
_SPARE: Final = 4.0


@dataclass(frozen=True, slots=True)
class RsaKey:
    """The modulus of a key that is being registered, and where it stands in the request."""

    path: JsonPath
    modulus: int


def rsa_keys(jwks: Mapping[str, Any], path: JsonPath = ()) -> Iterator[RsaKey]:
    """The RSA keys of a JWK set that has been found good."""
    for index, key in enumerate(jwks.get("keys", ())):
        if key["kty"] == "RSA":
            octets = base64.urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
            yield RsaKey((*path, "keys", index), int.from_bytes(octets))


def rsa_keys_of(drafts: Iterable[Draft]) -> list[RsaKey]:
    """The RSA keys of the systems among drafts."""
    return [
        key
        for draft in drafts
        if draft.kind is ResourceKind.SYSTEM and draft.spec is not None
        for key in rsa_keys(draft.spec["jwks"], (*draft.spec_path, "jwks"))
    ]


def comparison_seconds(new: Sequence[RsaKey], registered: Sequence[int]) -> float:
    """What comparing may cost, with some to spare."""
    weight = sum((key.modulus.bit_length() / 2048) ** 2 for key in new)
    return 1.0 + _SPARE * _SECONDS_FOR_2048_BITS * weight * (len(registered) + len(new))


def shared_factors(new: Sequence[RsaKey], registered: Iterable[int]) -> list[Violation]:
    """What is wrong with new keys, beside each other and beside registered ones; the same key is no fault."""
    moduli = {*registered, *(key.modulus for key in new)}
    text = BilingualText(
        "the modulus has a prime in common with another registered key, so that both can be factored; make a "
        "new key, on a machine that has gathered randomness",
        "modulus có chung thừa số nguyên tố với một khoá khác đã đăng ký, nên cả hai đều bị phân tích được; "
        "hãy tạo khoá mới trên máy có đủ nguồn ngẫu nhiên",
    )
    return [Violation(key.path, text) for key in new if shares_a_factor(key.modulus, moduli)]


def too_many(new: Sequence[RsaKey]) -> Violation:
    """More keys at once than are compared."""
    return Violation(
        new[0].path,
        BilingualText(
            f"{len(new)} new RSA keys are more than are compared with all others at once; apply in smaller "
            "portions",
            f"{len(new)} khoá RSA mới là quá nhiều để so sánh cùng lúc với mọi khoá khác; hãy chia thành "
            "nhiều lần",
        ),
    )
