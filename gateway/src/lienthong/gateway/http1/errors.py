"""Why an exchange with a provider failed.

ProviderError
├── ProviderUnreachableError   no connection stood: the provider has not seen the request
├── ProviderTimeoutError      the exchange was not over at its deadline
└── ProviderBrokenError        what came is no proper HTTP answer, or not all of it
"""

from __future__ import annotations


class ProviderError(Exception):
    """The message says what happened, for the log; it never holds what the provider sent."""


class ProviderUnreachableError(ProviderError):
    """No connection could be made."""


class ProviderTimeoutError(ProviderError):
    """The deadline has passed."""


class ProviderBrokenError(ProviderError):
    """The connection ended too early, or brought something else than an answer."""
