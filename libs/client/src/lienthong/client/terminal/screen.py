"""Output: text for people, JSON for programs.

Results go to standard output, what is said beside them to standard error: a pipe gets results only. At a
terminal lines are broken between words, never inside one, so that ids, commands and addresses can be copied.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Styled

from lienthong.client.errors import Text
from lienthong.client.terminal.language import Language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TextIO

    from rich.console import RenderableType

    from lienthong.client.answers import Notice
    from lienthong.client.errors import LienthongError

PIPE_WIDTH = 400
ONE_LINE = 90
_INDENT = "  "


class Screen:
    """Standard output and standard error; `as_json` chooses output for programs."""

    def __init__(self, *, as_json: bool, language: Language = Language.BOTH) -> None:
        self.as_json = as_json
        self.language = language
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

    def print(self, what: RenderableType, *, indent: int | None = None) -> None:
        """Something on standard output; `indent` is that of the lines into which a long one is broken."""
        _print(self.out, what, indent)

    def done(self, text: Text) -> None:
        """A success, on standard output."""
        self.print(self.said(text, "green", "✓ "))

    def note(self, text: Text) -> None:
        """A remark on standard error."""
        _print(self.err, self.said(text))

    @contextmanager
    def progress(self, text: Text) -> Iterator[Callable[[int], None]]:
        """A running count beside the text, at a terminal only; the function that is yielded sets it."""
        if self.as_json or not self.err.is_terminal:
            yield lambda _: None
            return
        with self.err.status(self.said(text)) as status:
            yield lambda count: status.update(self.said(text).append(f"  {count}"))

    def failure(self, error: LienthongError) -> None:
        """An error: JSON on standard output, or text on standard error."""
        if self.as_json:
            self.json({"error": error.document()})
            return
        for line in self.failure_lines(error):
            _print(self.err, line)

    def label(self, text: Text, between: str = "/") -> str:
        """A word or two, as for a table's head: `MÃ/ID` where both languages are shown."""
        if self.language is Language.BOTH and text.vi != text.en:
            return f"{text.vi}{between}{text.en}"
        return text.en if self.language is Language.EN else text.vi

    def said(self, text: Text, style: str = "", mark: str = "") -> Styled:
        """A sentence in the chosen language.

        Both languages: Vietnamese, then English dimmed, on one line where both are short.
        """
        if self.language is not Language.BOTH or text.en == text.vi:
            return Styled(mark + self.label(text), style=style)
        line = Styled(mark + text.vi, style=style)
        beside = len(mark) + len(text.vi) + len(text.en) + len(_INDENT) <= min(ONE_LINE, self.out.width)
        line.append(_INDENT if beside else "\n" + " " * len(mark))
        return line.append(text.en, style="dim not bold")

    def warning(self, warning: Notice, indent: str = "") -> Styled:
        """A warning of the catalog: the field, and what is to be known about it."""
        return self.said(warning.detail, "yellow", f"{indent}! {warning.field}: ")

    def failure_lines(self, error: LienthongError) -> list[Styled]:
        """An error as lines: what, why, every mistake with its place, what to do next, the transaction."""
        lines = [self.said(error.title, "bold red", "✗ ")]
        if error.detail is not None and not _repeated(error):
            lines.append(self.said(error.detail, "", _INDENT))
        for mistake in error.mistakes:
            place = ":".join(str(part) for part in (mistake.file, mistake.line) if part is not None)
            line = Styled(_INDENT)
            for part, style in ((place, "cyan"), (mistake.field or mistake.pointer, "bold")):
                if part:
                    line.append(part, style=style).append(": ")
            lines.append(line.append_text(self.said(mistake.detail)))
        if error.advice is not None:
            lines.append(self.said(error.advice, "yellow", "→ "))
        document = error.document()
        facts = [
            f"{self.label(name)} {document[key]}"
            for key, name in _FACTS.items()
            if document.get(key) is not None
        ]
        lines.append(Styled(_INDENT + " · ".join(facts), style="dim"))
        return lines


def _repeated(error: LienthongError) -> bool:
    # The bus sums its mistakes up in the detail; they follow one by one.
    detail = error.detail.en if error.detail is not None else ""
    return any(mistake.detail.en and mistake.detail.en in detail for mistake in error.mistakes)


_FACTS: Mapping[str, Text] = {
    "code": Text("mã lỗi", "code"),
    "status": Text("HTTP", "HTTP"),
    "transaction_id": Text("giao dịch", "transaction"),
}


def _console(file: TextIO) -> Console:
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(file=file, highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)
    return console


def _print(console: Console, what: RenderableType, indent: int | None = None) -> None:
    if not isinstance(what, str | Styled):
        console.print(what)
        return
    text = Styled(what) if isinstance(what, str) else what
    for line in text.split("\n", allow_blank=True):
        for part in _between_words(console, line, indent) if console.is_terminal else [line]:
            console.print(part, soft_wrap=True)


def _between_words(console: Console, line: Styled, indent: int | None) -> Iterator[Styled]:
    """The line in parts that fit, the later ones indented; a word longer than a line stays whole."""
    if line.cell_len <= console.width:
        yield line
        return
    start = line.plain[: len(line.plain) - len(line.plain.lstrip())]
    if indent is None:
        indent = len(start) or len(_INDENT)
    words = line[len(start) :]
    for number, part in enumerate(words.divide(_breaks(words.plain, console.width - indent))):
        part.rstrip()
        yield Styled(start if number == 0 else " " * indent).append_text(part)


def _breaks(text: str, width: int) -> list[int]:
    """The offsets at which to break a text into lines of at most `width` cells."""
    breaks: list[int] = []
    used = 0
    for word in re.finditer(r"\S+\s*", text):
        if used and used + cell_len(word[0].rstrip()) > width:
            breaks.append(word.start())
            used = 0
        used += cell_len(word[0])
    return breaks
