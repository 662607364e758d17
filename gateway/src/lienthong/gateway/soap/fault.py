"""Problems as SOAP says them: faults whose detail is the problem, as RFC 9457 appendix B writes it in XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from lienthong.gateway.soap.version import SoapVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_OF_GATEWAY: Final = 500
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML has (XML 1.0 section 2.2)."""
_BEGINNING: Final = '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{}"><s:Body><s:Fault>'
_END: Final = "</s:Fault></s:Body></s:Envelope>"


def fault_status(version: SoapVersion, status: int) -> int:
    """The status of a fault for a problem's.

    Of SOAP 1.1 it is always 500 (SOAP 1.1 section 6.2; WS-I Basic Profile 1.1, R1126): clients in Java and
    .NET read no fault with another. Of SOAP 1.2 the problem's own tells what it is about, and is read.
    """
    return _FIRST_OF_GATEWAY if version is SoapVersion.V1_1 else status


def fault(version: SoapVersion, problem: Mapping[str, Any]) -> bytes:
    """The envelope with a fault for a problem document."""
    senders = problem["status"] < _FIRST_OF_GATEWAY
    vi = _reason(problem, "title_vi", "detail_vi")
    en = _reason(problem, "title", "detail")
    detail = f'<problem xmlns="urn:ietf:rfc:7807">{_members(problem)}</problem>'
    if version is SoapVersion.V1_1:
        code = "Client" if senders else "Server"
        inside = (
            f"<faultcode>s:{code}</faultcode><faultstring>{vi} / {en}</faultstring><detail>{detail}</detail>"
        )
    else:
        code = "Sender" if senders else "Receiver"
        inside = (
            f"<s:Code><s:Value>s:{code}</s:Value></s:Code><s:Reason>"
            f'<s:Text xml:lang="vi">{vi}</s:Text><s:Text xml:lang="en">{en}</s:Text></s:Reason>'
            f"<s:Detail>{detail}</s:Detail>"
        )
    return f"{_BEGINNING.format(version.value)}{inside}{_END}".encode()


def _reason(problem: Mapping[str, Any], title: str, detail: str) -> str:
    return _text(f"{problem[title]}: {problem[detail]} [{problem['code']}, {problem['instance']}]")


def _members(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return "".join(f"<{name}>{_members(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<i>{_members(item)}</i>" for item in value)
    return _text(str(value))


def _text(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))
