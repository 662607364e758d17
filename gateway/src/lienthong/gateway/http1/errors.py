"""Why an exchange with a provider failed, and why a caller's request did not come to its end.

ProviderError
├── ProviderUnreachableError   no connection was made: the provider has not seen the request
├── ProviderRefusedError       its address is one that no connection is made to
├── ProviderTimeoutError       the provider did not go on in time
│   ├── ExchangeTooLongError       the time of the whole exchange is over, whoever took it
│   └── UploadTimeoutError         and it was the request's body that was waited for, not the provider
└── ProviderBrokenError        the response is not valid HTTP, or not complete

CallerGoneError                the caller has closed the connection
BrokenRequestError             the body of a caller's request is not valid HTTP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienthong.gateway.http1.head import Flaw
    from lienthong.kit.addresses import AddressRefusal


class ProviderError(Exception):
    """The message says what happened, for the log; it never contains what the provider sent."""


class ProviderUnreachableError(ProviderError):
    """No connection could be made."""


class ProviderRefusedError(ProviderError):
    """The address is one that no connection is made to; `reason` says why."""

    def __init__(self, reason: AddressRefusal) -> None:
        super().__init__(f"it leads to {reason.value.en}")
        self.reason = reason


class ProviderTimeoutError(ProviderError):
    """The provider did not accept, take or send the next part in time."""


class ExchangeTooLongError(ProviderTimeoutError):
    """The time that the whole exchange may take has passed."""


class UploadTimeoutError(ProviderTimeoutError):
    """It has passed while the provider, which had taken all that came, waited for the rest."""


class ProviderBrokenError(ProviderError):
    """The connection ended too early, or what was received is not an HTTP response."""


class CallerGoneError(Exception):
    """The caller has closed the connection; nobody waits for the answer."""


class BrokenRequestError(Exception):
    """The body of a request cannot be read to its end; `flaw` says why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value.en)
        self.flaw = flaw
