"""What pages show of things that are no text: a secret as a QR code, a browser by its name."""

from typing import Any, Final

import segno
from markupsafe import Markup

from lienthong.identity.people.service.factors import NewTotp
from lienthong.kit.text import BilingualText

_GROUP: Final = 4
_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("coc_coc_browser", "Cốc Cốc"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
"""What a browser calls itself, in the order in which one says that it is another one, too."""
_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


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


def browser_name(client: str) -> BilingualText:
    """What people call a browser, such as `Chrome trên Windows`; else what it calls itself."""
    browser = next((name for mark, name in _BROWSERS if mark in client), "")
    system = next((name for mark, name in _SYSTEMS if mark in client), "")
    if not browser:
        return BilingualText(client or "Unknown browser", client or "Trình duyệt không rõ")
    if not system:
        return BilingualText(browser, browser)
    return BilingualText(f"{browser} on {system}", f"{browser} trên {system}")
