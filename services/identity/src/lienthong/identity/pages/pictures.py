"""What pages show of things that are no text: a secret as a QR code."""

from typing import Any, Final

import segno
from markupsafe import Markup

from lienthong.identity.people.service.factors import NewTotp

_GROUP: Final = 4


def shown_totp(made: NewTotp) -> dict[str, Any]:
    """A new secret of an authenticator application for a page: in groups of four, and as a QR code.

    To draw one takes 10 ms and more of the process that issues tokens: only what we made ourselves is drawn.
    """
    secret = made.secret
    groups = " ".join(secret[start : start + _GROUP] for start in range(0, len(secret), _GROUP))
    drawn = segno.make(made.uri, error="m", micro=False).svg_inline(
        border=3, omitsize=True, svgclass="qr", lineclass=None, dark="#000", light="#fff"
    )
    # segno draws shapes, and writes no text of ours into them.
    return {"groups": groups, "qr": Markup(drawn)}  # noqa: S704
