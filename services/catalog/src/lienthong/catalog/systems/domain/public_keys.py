"""The public keys of a system (JWK set, RFC 7517), with which identity verifies its client assertions.

Private and symmetric keys are refused before anything else is checked: a secret key that has been sent is
compromised, and its owner has to be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.catalog.errors import Violation
from lienthong.kit.json_text import canonical
from lienthong.kit.jwk import MATERIAL, KeyRefusedError, read_public_key, refusals
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_text import JsonObject

MAX_KEYS = 16


def violations(jwks: JsonObject) -> Iterator[Violation]:
    """Yield everything that is wrong with a JWK set, paths relative to it."""
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        yield Violation(
            ("keys",) if "keys" in jwks else (),
            BilingualText(
                "a JWK set is an object with a list 'keys'", "bộ khoá JWK là đối tượng có danh sách 'keys'"
            ),
        )
        return
    if len(keys) > MAX_KEYS:
        yield Violation(
            ("keys",),
            BilingualText(
                f"more than {MAX_KEYS} keys; remove old ones", f"hơn {MAX_KEYS} khoá; hãy bỏ khoá cũ"
            ),
        )
    for name in jwks:
        if name != "keys":
            yield Violation(
                (name,),
                BilingualText("only 'keys' belongs here; remove it", "ở đây chỉ có 'keys'; hãy bỏ đi"),
            )
    kids: set[str] = set()
    materials: set[str] = set()
    for index, key in enumerate(keys):
        place = ("keys", index)
        wrong = list(refusals(key))
        yield from (Violation((*place, *one.path), one.text) for one in wrong)
        if not isinstance(key, dict):
            continue
        kid = key.get("kid")
        if isinstance(kid, str) and kid in kids:
            yield Violation(
                (*place, "kid"),
                BilingualText(
                    f"'{kid}' is already the kid of another key", f"'{kid}' đã là tên của khoá khác"
                ),
            )
        elif isinstance(kid, str):
            kids.add(kid)
        if not wrong:
            material = canonical({name: key[name] for name in ("kty", *MATERIAL[key["kty"]])})
            if material in materials:
                yield Violation(
                    place,
                    BilingualText(
                        "the same key is listed twice; keep one", "một khoá được liệt kê hai lần; chỉ giữ một"
                    ),
                )
            materials.add(material)


def thumbprint_of(key: object) -> str:
    """Return the RFC 7638 thumbprint of a key, by which it is named; "" where it is none that is usable."""
    try:
        return read_public_key(key).thumbprint
    except KeyRefusedError:
        return ""
