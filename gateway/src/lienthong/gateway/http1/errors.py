"""Why an exchange with a provider failed.

ProviderError
├── Unreachable   no connection stood: the provider has not seen the request
├── TimedOut      the exchange was not over at its deadline
└── Broken        what came is no proper HTTP answer, or not all of it
"""

from __future__ import annotations


class ProviderError(Exception):
    """The message says what happened, for the log; it never holds what the provider sent."""


class Unreachable(ProviderError):  # noqa: N818  the name says what the provider is
    """No connection could be made."""


class TimedOut(ProviderError):  # noqa: N818  the name says what the exchange did
    """The deadline has passed."""


class Broken(ProviderError):  # noqa: N818  the name says what the exchange is
    """The connection ended too early, or brought something else than an answer."""
