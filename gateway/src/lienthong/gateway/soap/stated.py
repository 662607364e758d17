"""What the head of a call states: the version of SOAP, and the action.

Providers decide by the action, by the first element of the Body, or by both. So the action is taken only
where it is plain: a field that could be read in two ways is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lienthong.gateway import problems
from lienthong.gateway.http1.fields import field_prefix
from lienthong.gateway.soap.version import SoapVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.gateway.request_headers import RequestHeaders

_CONTENT_TYPE: Final = field_prefix(b"content-type")
_CONTENT_ENCODING: Final = field_prefix(b"content-encoding")
_SOAP_ACTION: Final = field_prefix(b"soapaction")
_VERSIONS: Final = {version.media_type: version for version in SoapVersion}
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  RFC 9110 section 5.6.2
_TYPE = re.compile(rf"[ \t]*({_TOKEN}/{_TOKEN})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*({_TOKEN})=("[^"\\]*"|[A-Za-z0-9!#$%&\'*+./:?=@^_`|~-]+)[ \t]*')
_END = re.compile(r";?[ \t]*")
_ACTION = re.compile(r'"([^"\\]*)"|([^"\\]*)')
_NAMED: Final = "text/xml (SOAP 1.1), application/soap+xml (SOAP 1.2)"


def stated_version(headers: RequestHeaders) -> SoapVersion:
    """The version that a caller seems to speak: in which it is told that something is wrong."""
    values = headers.passed_values(_CONTENT_TYPE)
    twelve = any(value.strip().lower().startswith(b"application/soap+xml") for value in values)
    return SoapVersion.V1_2 if twelve else SoapVersion.V1_1


def read_stated(headers: RequestHeaders) -> tuple[SoapVersion, list[str]]:
    """The version that the media type states, and the actions, none of them empty.

    SOAP 1.1 states it in SOAPAction (section 6.1.1; quoted, empty where the address says enough, and often
    left out), SOAP 1.2 in the parameter `action` of the media type (RFC 3902). Some providers read both
    whatever the version is, so here both count.

    Raises:
        ProblemError: unsupported-media-type, malformed-request.
    """
    if any(value.strip().lower() != b"identity" for value in headers.passed_values(_CONTENT_ENCODING)):
        raise problems.unsupported_soap_type(
            "The body is compressed, so that its operation cannot be read: send it without Content-Encoding.",
            "Nội dung bị nén nên không đọc được thao tác: hãy gửi không kèm Content-Encoding.",
        )
    media_type, parameters = _media_type(headers.passed_values(_CONTENT_TYPE))
    version = _VERSIONS.get(media_type)
    if version is None:
        attachments = media_type.startswith("multipart/")
        raise problems.unsupported_soap_type(
            f"Send {_NAMED}."
            + (" Attachments (MTOM) are not taken: write them into the envelope." if attachments else ""),
            f"Hãy gửi {_NAMED}."
            + (" Không nhận tệp đính kèm (MTOM): hãy đặt vào trong envelope." if attachments else ""),
        )
    if parameters.get("charset", "utf-8").lower() != "utf-8":
        raise problems.unsupported_soap_type(
            "Only UTF-8 is taken: charset=utf-8.", "Chỉ nhận UTF-8: charset=utf-8."
        )
    actions = [parameters.get("action", ""), _soap_action(headers.passed_values(_SOAP_ACTION))]
    return version, [action for action in actions if action]


def _media_type(values: list[bytes]) -> tuple[str, Mapping[str, str]]:
    text = values[0].decode("latin-1") if len(values) == 1 else ""
    found = _TYPE.match(text)
    parameters: dict[str, str] = {}
    if found is None:
        return "", parameters
    end = found.end()
    while parameter := _PARAMETER.match(text, end):
        name, value = parameter[1].lower(), parameter[2]
        if name in parameters:
            raise _ambiguous("Content-Type")
        parameters[name] = value[1:-1] if value.startswith('"') else value
        end = parameter.end()
    if _END.fullmatch(text, end) is None:
        raise _ambiguous("Content-Type")
    return found[1].lower(), parameters


def _soap_action(values: list[bytes]) -> str:
    if not values:
        return ""
    found = _ACTION.fullmatch(values[0].decode("latin-1").strip(" \t"))
    if len(values) > 1 or found is None:
        raise _ambiguous("SOAPAction")
    return (found[1] or found[2] or "").strip()


def _ambiguous(field: str) -> Exception:
    return problems.malformed_request(
        f"{field} comes twice, or could be read in two ways.",
        f"{field} xuất hiện hai lần, hoặc có thể hiểu theo hai cách.",
    )
