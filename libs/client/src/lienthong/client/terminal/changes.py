"""What an apply changes, as lines of a coloured diff."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text as Styled

from lienthong.client.errors import Text
from lienthong.client.terminal.language import Language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lienthong.client.answers import AppliedResource, ApplyResult
    from lienthong.client.terminal.screen import Screen

VALUE_WIDTH = 120
_SIGNS: Mapping[str, tuple[str, str]] = {
    "created": ("+", "green"),
    "updated": ("~", "yellow"),
    "unchanged": ("=", "dim"),
}
_WORDS: Mapping[str, Text] = {
    "created": Text("tạo mới", "created"),
    "updated": Text("cập nhật", "updated"),
    "unchanged": Text("giữ nguyên", "unchanged"),
}
_DRY_RUN = Text("chạy thử, chưa ghi gì", "dry run, nothing was written")
_VERSION = Text("phiên bản danh mục", "catalog version")


def lines(applied: ApplyResult, screen: Screen) -> Iterator[Styled]:
    """A line for each resource, below it what changes and the catalog's warnings, at the end the sums."""
    for result in applied.results:
        yield from _resource(result, screen)
    yield _summary(applied, screen)


def _resource(result: AppliedResource, screen: Screen) -> Iterator[Styled]:
    sign, style = _SIGNS.get(result.action, ("?", ""))
    action = result.action
    if screen.language is Language.VI and action in _WORDS:
        action = _WORDS[action].vi
    yield Styled(f"{sign} {result.kind} {result.id}", style=style).append(f"  {action}", style="dim")
    if result.action == "updated":
        for change in result.changes:
            yield Styled(f"    {change.path}")
            if change.old is not None:
                yield Styled(f"      - {shown(change.old)}", style="red")
            if change.new is not None:
                yield Styled(f"      + {shown(change.new)}", style="green")
    for warning in result.warnings:
        yield screen.warning(warning, indent="    ")


def _summary(applied: ApplyResult, screen: Screen) -> Styled:
    counts = Counter(result.action for result in applied.results)
    parts = [f"{counts[action]} {screen.label(word)}" for action, word in _WORDS.items() if counts[action]]
    line = Styled(", ".join(parts) or "0", style="bold")
    if applied.dry_run:
        return line.append(f"  ({screen.label(_DRY_RUN, ' / ')})", style="yellow")
    return line.append(f"  ({screen.label(_VERSION)} {applied.version})", style="dim")


def shown(value: object) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"
