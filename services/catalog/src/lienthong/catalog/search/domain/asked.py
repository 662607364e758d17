"""What was asked: the words of a query, and the terms that an entry has to have for each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lienthong.catalog import errors
from lienthong.catalog.search.domain.entries import ABOUT, ANYWHERE, MARKED, TITLE
from lienthong.catalog.search.domain.words import words
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from lienthong.catalog.search.domain.words import Word

MOST_WORDS: Final = 10


@dataclass(frozen=True, slots=True)
class Term:
    """A term that an entry has, or with `prefix` the beginning of one."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Having:
    """The entries that have all of some terms, but not all of others, nor all of yet others."""

    all: tuple[Term, ...]
    but: tuple[Term, ...] = ()
    nor: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a query; with `typing`, the last of them may be the beginning of one."""

    words: tuple[Word, ...]
    typing: bool

    @classmethod
    def of(cls, text: str) -> Asked:
        """Read a query. Its last word is still being typed unless something stands after it.

        Raises:
            ProblemError: `invalid-request`, it has more than `MOST_WORDS` words.
        """
        found = list(words(text))
        typing = bool(found) and found[-1].end == len(text)
        if typing:
            # A word that is repeated is asked for once, where it stands last.
            found = [word for word in found[:-1] if word.plain != found[-1].plain] + found[-1:]
        kept = {word.plain: word for word in found}
        if len(kept) > MOST_WORDS:
            raise errors.invalid_search(
                BilingualText(
                    f"'q' has more than {MOST_WORDS} words; leave some out",
                    f"'q' có hơn {MOST_WORDS} từ; hãy bớt đi",
                )
            )
        return cls(tuple(kept.values()), typing)

    @property
    def anywhere(self) -> Having:
        """The entries that have all words."""
        return Having(self._terms(ANYWHERE))

    @property
    def ranks(self) -> tuple[Having, ...]:
        """The entries that have all words, in groups of which each is better than the next.

        Words with the marks that were typed come before all else; then words in the title, whole ones first,
        then in what is said about the thing. No entry is in two groups.
        """
        levels = [self._terms(TITLE), self._terms(ABOUT), self._terms(ANYWHERE)]
        if self.typing:
            levels.insert(0, tuple(Term(TITLE + word.plain) for word in self.words))
        better: tuple[tuple[Term, ...], ...] = ((), *levels)
        groups = [Having(level, better[place]) for place, level in enumerate(levels)]
        if not (marked := self._marked()):
            return tuple(groups)
        with_marks = [replace(group, all=(*group.all, *marked)) for group in groups]
        return (*with_marks, *(replace(group, nor=marked) for group in groups))

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches each word that was asked for in a text without marks; there has to be one."""
        last = len(self.words) - 1
        wanted = "|".join(
            f"{word.plain}[^\\W_]*" if self.typing and place == last else word.plain
            for place, word in enumerate(self.words)
        )
        return re.compile(rf"(?<![^\W_])(?:{wanted})(?![^\W_])")

    def _marked(self) -> tuple[Term, ...]:
        last = len(self.words) - 1
        return tuple(
            Term(MARKED + word.marked, prefix=self.typing and place == last)
            for place, word in enumerate(self.words)
            if word.marked
        )

    def _terms(self, where: str) -> tuple[Term, ...]:
        last = len(self.words) - 1
        return tuple(
            Term(where + word.plain, prefix=self.typing and place == last)
            for place, word in enumerate(self.words)
        )
