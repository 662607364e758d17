"""The language in which the command speaks: Vietnamese, English, or both side by side."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LIENTHONG_LANG"
BESIDE = " · "
"""Stands in help texts between the Vietnamese and the English half."""


class Language(StrEnum):
    """What is shown of a text that exists in both languages."""

    VI = "vi"
    EN = "en"
    BOTH = "both"


def language_of(environment: Mapping[str, str]) -> Language:
    """The language that LIENTHONG_LANG names, else the locale's (POSIX: LC_ALL, LC_MESSAGES, LANG).

    A locale of another language gets English; without one (none set, C, POSIX) both languages are shown.
    Raises `InputError` for a value of LIENTHONG_LANG that is not known.
    """
    wanted = environment.get(VARIABLE, "")
    if wanted:
        try:
            return Language(wanted.lower())
        except ValueError as error:
            raise InputError(
                Text(f"{VARIABLE} không hợp lệ", f"{VARIABLE} is not valid"),
                Text(f"Đang là «{wanted}».", f"It is '{wanted}'."),
                Text(f"Đặt {VARIABLE}=vi, en hoặc both.", f"Set {VARIABLE}=vi, en or both."),
            ) from error
    locale = next(
        (environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), ""
    )
    code = re.split(r"[_.@-]", locale)[0].lower()
    if code in {"", "c", "posix"}:
        return Language.BOTH
    return Language.VI if code == "vi" else Language.EN


def half(text: str, language: Language) -> str:
    """The part of a help text (`Vietnamese · English`, paragraph by paragraph) in this language.

    A paragraph without the mark between the halves is the same in both languages. Lines are joined, and the
    full stop that a docstring ends with is left out.
    """
    paragraphs = [" ".join(paragraph.split()).removesuffix(".") for paragraph in text.split("\n\n")]
    if language is not Language.BOTH:
        side = 0 if language is Language.VI else -1
        paragraphs = [paragraph.split(BESIDE, 1)[side] for paragraph in paragraphs]
    return "\n\n".join(paragraphs)
