"""Browsers by the names that people give them."""

from __future__ import annotations

from typing import Final

from lienthong.kit.text import BilingualText

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


def browser_name(client: str) -> BilingualText:
    """What people call a browser, such as `Chrome trên Windows`; else what it calls itself."""
    browser = next((name for mark, name in _BROWSERS if mark in client), "")
    system = next((name for mark, name in _SYSTEMS if mark in client), "")
    if not browser:
        return BilingualText(client or "Unknown browser", client or "Trình duyệt không rõ")
    if not system:
        return BilingualText(browser, browser)
    return BilingualText(f"{browser} on {system}", f"{browser} trên {system}")
