"""What axe-core finds on a page that is open in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from axe_playwright_python.async_playwright import Axe

if TYPE_CHECKING:
    from playwright.async_api import Page

_SERIOUS: Final = ["serious", "critical"]
_LOOK: Final = """async serious => {
  const found = await axe.run({resultTypes: ["violations"]});
  return found.violations.filter(one => serious.includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html} (${node.failureSummary})`));
}"""
"""Only what is wrong leaves the browser: to hand over all that axe tells takes longer than to find it."""


async def serious_faults(page: Page) -> list[str]:
    """What axe calls serious or critical: the rule, the element, and how to mend it.

    The debugging protocol brings axe into the page, once while it stays open: its content security policy
    does not have to let it in.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(Axe().axe_script)
    found: list[str] = await page.evaluate(_LOOK, _SERIOUS)
    return found
