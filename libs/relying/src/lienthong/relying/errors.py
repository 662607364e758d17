"""What can go wrong between a relying party and its provider. No text repeats a token, a code or a claim."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")


class RelyingError(Exception):
    """Something between us and a provider; the text is for the log."""


class ProviderAwayError(RelyingError):
    """The provider does not answer, or not so that it could be used: it may another time."""


class ProviderBusyError(ProviderAwayError):
    """As many requests to the provider are under way and waiting as may be."""


class ProviderRefusedError(RelyingError):
    """The provider has answered with an error (RFC 6749 §4.1.2.1 and §5.2). `code` is its word for it."""

    def __init__(self, code: object) -> None:
        self.code = code if isinstance(code, str) and _WORD.fullmatch(code) else "unknown"
        super().__init__(self.code)


class AnswerRefusedError(RelyingError):
    """What came with a browser is no answer to what was asked; the text says what of it."""


class TokenRefusedError(RelyingError):
    """A token of the provider does not prove what it should; the text is one or two words."""


class UnknownKeyError(TokenRefusedError):
    """A token names a key that the provider has not published, as far as we have read."""
