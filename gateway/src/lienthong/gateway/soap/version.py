"""The versions of SOAP."""

from __future__ import annotations

from enum import Enum


class SoapVersion(Enum):
    """A version of SOAP; its value is the namespace of its envelopes."""

    V1_1 = "http://schemas.xmlsoap.org/soap/envelope/"
    V1_2 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def number(self) -> str:
        """As people write it."""
        return "1.1" if self is SoapVersion.V1_1 else "1.2"

    @property
    def media_type(self) -> str:
        """The media type of its messages (SOAP 1.1 section 6, SOAP 1.2 part 2 section 7.1.4)."""
        return "text/xml" if self is SoapVersion.V1_1 else "application/soap+xml"
