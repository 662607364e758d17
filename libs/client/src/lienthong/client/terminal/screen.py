"""The two ways of speaking: text for people, JSON for machines.

Results go to standard output, what is said beside them to standard error: a pipe gets results only.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text as Styled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

    from rich.console import RenderableType

    from lienthong.client.errors import LienthongError, Text

PIPE_WIDTH = 400
ONE_LINE = 90


class Screen:
    """Standard output and standard error; `as_json` chooses machine output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def result(self, document: Any, show: Callable[[], None]) -> None:  # noqa: ANN401
        """The command's result: as JSON, or shown by `show`."""
        if self.as_json:
            self.json(document)
        else:
            show()

    def json(self, document: Any) -> None:  # noqa: ANN401
        """A JSON document on standard output."""
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")

    def raw(self, text: str) -> None:
        """Text on standard output as it is."""
        sys.stdout.write(text)

    def print(self, what: RenderableType) -> None:
        """Something on standard output; lines are not broken."""
        self.out.print(what, soft_wrap=isinstance(what, str | Styled))

    def done(self, text: Text) -> None:
        """A success, on standard output."""
        self.print(bilingual(text, "green", "✓ "))

    def note(self, text: Text) -> None:
        """A remark on standard error."""
        self.err.print(bilingual(text, ""), soft_wrap=True)

    @contextmanager
    def progress(self, text: Text) -> Iterator[Callable[[int], None]]:
        """A count beside the text, for people at a terminal only; the function that is yielded moves it."""
        if self.as_json or not self.err.is_terminal:
            yield lambda _: None
            return
        with self.err.status(bilingual(text, "")) as status:
            yield lambda count: status.update(bilingual(text, "").append(f"  {count}"))

    def failure(self, error: LienthongError) -> None:
        """An error: JSON on standard output, or text on standard error."""
        if self.as_json:
            self.json({"error": error.document()})
            return
        for line in failure_lines(error):
            self.err.print(line, soft_wrap=True)


def bilingual(text: Text, style: str, mark: str = "") -> Styled:
    """Vietnamese, then English dimmed: on one line where both are short, once where both are the same."""
    line = Styled(mark + text.vi, style=style)
    if text.en != text.vi:
        beside = len(text.vi) + len(text.en) <= ONE_LINE
        line.append("  " if beside else "\n" + " " * len(mark)).append(text.en, style="dim not bold")
    return line


def failure_lines(error: LienthongError) -> list[Styled]:
    """An error as lines: what, why, every mistake with its place, what to do next, the transaction."""
    lines = [bilingual(error.title, "bold red", "✗ ")]
    if error.detail is not None and not _repeated(error):
        lines.append(bilingual(error.detail, "", "  "))
    for mistake in error.mistakes:
        place = ":".join(str(part) for part in (mistake.file, mistake.line) if part is not None)
        line = Styled("  ")
        for part, style in ((place, "cyan"), (mistake.field or mistake.pointer, "bold")):
            if part:
                line.append(part, style=style).append(": ")
        lines.append(line.append_text(bilingual(mistake.detail, "")))
    if error.advice is not None:
        lines.append(bilingual(error.advice, "yellow", "→ "))
    document = error.document()
    said = [f"{name} {document[key]}" for name, key in _FACTS.items() if document.get(key) is not None]
    lines.append(Styled("  " + " · ".join(said), style="dim"))
    return lines


def _repeated(error: LienthongError) -> bool:
    # The bus sums its mistakes up in the detail; they follow one by one.
    detail = error.detail.en if error.detail is not None else ""
    return any(mistake.detail.en and mistake.detail.en in detail for mistake in error.mistakes)


_FACTS: Mapping[str, str] = {
    "mã lỗi/code": "code",
    "HTTP": "status",
    "giao dịch/transaction": "transaction_id",
}


def _console(file: TextIO) -> Console:
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(file=file, highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)
    return console
