"""The texts of validation errors in manifests, with the nearest known name for an unknown member."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lienthong.kit.text import BilingualText
from lienthong.kit.validation import bilingual_error, error_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic_core import ErrorDetails, PydanticCustomError

    from lienthong.catalog.errors import InvalidValueError


def pydantic_error(reason: InvalidValueError) -> PydanticCustomError:
    """Turn an error with both texts into one that Pydantic passes on with them."""
    return bilingual_error(reason.text)


def messages(
    error: ErrorDetails, known_members: Callable[[tuple[str | int, ...]], Collection[str]]
) -> BilingualText:
    """Return the text of one validation error.

    `known_members` returns the members that the object at a path may have, to suggest the nearest to an
    unknown one.
    """
    if error["type"] == "extra_forbidden":
        return _unknown_member(error["loc"], known_members(error["loc"][:-1]))
    return error_text(error)


def _unknown_member(path: tuple[str | int, ...], known: Collection[str]) -> BilingualText:
    name = str(path[-1])[:60]
    bare = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.replace("_", "").lower(), list(bare), n=1, cutoff=0.7)
    if near:
        meant = bare[near[0]]
        return BilingualText(
            f"'{name}' is not known here; did you mean '{meant}'?",
            f"không có trường '{name}'; có phải ý bạn là '{meant}'?",
        )
    listed = ", ".join(sorted(known))
    return BilingualText(
        f"'{name}' is not known here; known are: {listed}",
        f"không có trường '{name}'; các trường hợp lệ: {listed}",
    )
