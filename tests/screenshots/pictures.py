"""One picture of a page in each of both colours. It has few colours, so that all together stay small."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    from playwright.async_api import Page

IMAGES: Final = Path(__file__).parents[2] / "docs" / "images"
_COLOURS: Final = 32
_ROUNDS: Final = 3
"""How often the colours are drawn nearer to what the page has most of, so that grounds stay close to theirs.
Small things in a colour of their own, as the state of a process, keep one too."""


async def write_picture(page: Page, name: str) -> None:
    """Write the page that is open, in light and dark."""
    for theme in ("light", "dark"):
        script = "theme => document.documentElement.setAttribute('data-bs-theme', theme)"
        await page.evaluate(script, theme)
        picture = Image.open(io.BytesIO(await page.screenshot(full_page=True, animations="disabled")))
        few = picture.convert("RGB").quantize(
            _COLOURS, Image.Quantize.MAXCOVERAGE, _ROUNDS, dither=Image.Dither.NONE
        )
        few.save(IMAGES / f"{name}-{theme}.png", optimize=True)
