"""Every way in which the gateway itself refuses or fails a call, as RFC 9457 problems."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from lienthong.gateway.http1.head import Flaw
from lienthong.kit.problems import ProblemError, agreements, calls, catalog, general
from lienthong.kit.problems.callers import (
    certificate_mismatch,
    client_suspended,
    insufficient_scope,
    no_token,
    person_refused,
    proof_refused,
    token_refused,
)
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = [
    "audit_unavailable",
    "bound_token_required",
    "certificate_mismatch",
    "client_suspended",
    "flawed_request",
    "headers_too_large",
    "insufficient_scope",
    "internal_error",
    "loop_detected",
    "malformed_envelope",
    "malformed_request",
    "method_not_allowed",
    "missing_header",
    "no_agreement",
    "no_token",
    "not_a_party",
    "not_ready",
    "operation_not_in_agreement",
    "origin_not_allowed",
    "path_not_normal",
    "person_refused",
    "platform_unavailable",
    "proof_refused",
    "provider_address_refused",
    "provider_broken",
    "provider_credentials_missing",
    "provider_timeout",
    "provider_token_unavailable",
    "provider_unreachable",
    "purpose_needed",
    "purpose_not_in_agreement",
    "request_timeout",
    "request_too_large",
    "service_retired",
    "service_suspended",
    "soap_action_mismatch",
    "token_refused",
    "unknown_agreement",
    "unknown_operation",
    "unknown_path",
    "unknown_service",
    "unknown_soap_operation",
    "unreadable_request",
    "unsupported_soap_type",
    "websocket_not_supported",
]

_KINDS_OF_FLAWS: Final = {
    Flaw.TOO_LARGE: calls.HEADERS_TOO_LARGE,
    Flaw.TOO_SLOW: general.REQUEST_TIMEOUT,
}
_LONGEST_NAME: Final = 200
_RETRY_SOON: Final = {"Retry-After": "1"}


def path_not_normal(reason: str) -> ProblemError:
    """The path could be understood in two ways; `reason` is in English."""
    detail = BilingualText(
        f"The path is refused: {reason}.",
        "Đường dẫn bị từ chối vì có thể được hiểu theo nhiều cách.",
    )
    return ProblemError(calls.PATH_NOT_NORMAL, detail)


def malformed_request(en: str, vi: str) -> ProblemError:
    """A header or the query cannot be accepted as it is."""
    return ProblemError(general.MALFORMED_REQUEST, BilingualText(en, vi))


def unreadable_request() -> ProblemError:
    """What came is not HTTP/1.1 at all."""
    detail = BilingualText(
        "This is not a request of HTTP/1.1. TLS and HTTP/2 are spoken in front of the gateway, not with it.",
        "Nội dung nhận được không phải yêu cầu HTTP/1.1. TLS và HTTP/2 do thành phần trước cổng đảm nhận.",
    )
    return ProblemError(general.MALFORMED_REQUEST, detail)


def flawed_request(flaw: Flaw) -> ProblemError:
    """The request is not one of HTTP/1.1, or not in time, or larger than is read."""
    kind = _KINDS_OF_FLAWS.get(flaw, general.MALFORMED_REQUEST)
    return ProblemError(kind, flaw.value)


def no_agreement(client: str, service: str) -> ProblemError:
    """The client has no agreement on this service, or only rejected ones."""
    detail = BilingualText(
        f"{client} has no agreement on {service}.",
        f"{client} chưa có thoả thuận với {service}.",
    )
    return ProblemError(agreements.NO_AGREEMENT, detail)


def operation_not_in_agreement(operation: str) -> ProblemError:
    """There is an agreement, but on other operations."""
    detail = BilingualText(
        f"The agreement does not allow the operation {operation}.",
        f"Thoả thuận không cho phép thao tác {operation}.",
    )
    return ProblemError(agreements.OPERATION_NOT_IN_AGREEMENT, detail)


def purpose_not_in_agreement() -> ProblemError:
    """The stated purpose is not one of the agreement's."""
    detail = BilingualText(
        "The agreement does not allow the purpose that the header LGSP-Purpose states.",
        "Thoả thuận không cho phép mục đích nêu trong trường LGSP-Purpose.",
    )
    return ProblemError(agreements.PURPOSE_NOT_IN_AGREEMENT, detail)


def purpose_needed() -> ProblemError:
    """The agreement allows several purposes and the call states none."""
    detail = BilingualText(
        "The agreement allows several purposes: state one of them in the header LGSP-Purpose.",
        "Thoả thuận cho phép nhiều mục đích: hãy nêu một mục đích trong trường LGSP-Purpose.",
    )
    return ProblemError(agreements.PURPOSE_NOT_IN_AGREEMENT, detail)


def missing_header(service: str, headers: Iterable[str]) -> ProblemError:
    """The call does not state what the service, or the agreement on it, requires every call to state."""
    names = ", ".join(headers)
    detail = BilingualText(
        f"{service}, or the agreement on it, requires of every call: {names}.",
        f"{service} hoặc thoả thuận về dịch vụ này yêu cầu mọi lời gọi phải có: {names}.",
    )
    return ProblemError(calls.MISSING_HEADER, detail)


def bound_token_required(service: str) -> ProblemError:
    """The service, or the agreement on it, takes no token that whoever holds it could use."""
    detail = BilingualText(
        f"{service}, or the agreement on it, requires an access token that is bound to the caller;"
        " that of this call is not.",
        f"{service} hoặc thoả thuận về dịch vụ này yêu cầu mã truy cập gắn với bên gọi;"
        " mã của lời gọi này không gắn.",
    )
    return ProblemError(calls.BOUND_TOKEN_REQUIRED, detail)


def unknown_path() -> ProblemError:
    """Neither a service nor a part of the platform is at this path."""
    detail = BilingualText("Nothing is at this address.", "Không có nội dung nào tại địa chỉ này.")
    return ProblemError(calls.UNKNOWN_PATH, detail)


def unknown_service(service: str) -> ProblemError:
    """No such service in the catalog."""
    detail = BilingualText(f"The catalog has no service {service}.", f"Danh mục không có dịch vụ {service}.")
    return ProblemError(calls.UNKNOWN_SERVICE, detail)


def service_suspended(service: str) -> ProblemError:
    """The service is in the catalog, but it or its system is not active."""
    detail = BilingualText(
        f"The service {service} is not offered at present.",
        f"Dịch vụ {service} hiện không được cung cấp.",
    )
    return ProblemError(calls.UNKNOWN_SERVICE, detail)


def service_retired(service: str, successor: str) -> ProblemError:
    """The service has ended; `successor` is the id of the one that takes its place, or ""."""
    detail = BilingualText(
        f"The service {service} has ended." + (f" {successor} takes its place." if successor else ""),
        f"Dịch vụ {service} đã ngừng." + (f" Dịch vụ thay thế: {successor}." if successor else ""),
    )
    return ProblemError(calls.SERVICE_RETIRED, detail, extra={"successor": successor} if successor else {})


def unknown_operation(service: str) -> ProblemError:
    """The service declares no such path."""
    detail = BilingualText(
        f"The document of {service}, OpenAPI or WSDL, declares no such path.",
        f"Tài liệu OpenAPI hoặc WSDL của {service} không khai báo đường dẫn này.",
    )
    return ProblemError(calls.UNKNOWN_OPERATION, detail)


def malformed_envelope(reason: BilingualText, line: int) -> ProblemError:
    """The body of a SOAP call is no envelope that is taken."""
    detail = BilingualText(
        f"The body is no SOAP envelope that is taken, at line {line}: {reason.en}.",
        f"Nội dung không phải SOAP envelope được nhận, ở dòng {line}: {reason.vi}.",
    )
    return ProblemError(general.MALFORMED_REQUEST, detail)


def unknown_soap_operation(service: str, element: str) -> ProblemError:
    """No operation has this first element, `namespace local`, in the Body of its calls."""
    namespace, _, local = element.rpartition(" ")
    found = f"{{{shown(namespace, _LONGEST_NAME)}}}{shown(local, _LONGEST_NAME)}"
    detail = BilingualText(
        f"The WSDL document of {service} has no operation whose Body begins with {found}."
        if element
        else f"The WSDL document of {service} has no operation with an empty Body.",
        f"Tài liệu WSDL của {service} không có thao tác nào với Body bắt đầu bằng {found}."
        if element
        else f"Tài liệu WSDL của {service} không có thao tác nào với Body rỗng.",
    )
    return ProblemError(calls.UNKNOWN_OPERATION, detail)


def soap_action_mismatch(action: str, operation: str) -> ProblemError:
    """The action that a SOAP call states is not one of the operation that its Body is of."""
    detail = BilingualText(
        f"The call states the action '{shown(action, _LONGEST_NAME)}', which is not one of {operation}, "
        "whose "
        "element is in the Body.",
        f"Lời gọi nêu action '{shown(action, _LONGEST_NAME)}', không thuộc thao tác {operation} có phần tử "
        "trong "
        "Body.",
    )
    return ProblemError(calls.SOAP_ACTION_MISMATCH, detail)


def unsupported_soap_type(en: str, vi: str) -> ProblemError:
    """The body of a SOAP call is of a type or in an encoding that is not taken."""
    return ProblemError(general.UNSUPPORTED_MEDIA_TYPE, BilingualText(en, vi))


def method_not_allowed(allowed: Iterable[str]) -> ProblemError:
    """The path is declared, the method is not."""
    methods = ", ".join(sorted(allowed))
    detail = BilingualText(f"This path allows {methods}.", f"Đường dẫn này cho phép {methods}.")
    return ProblemError(general.METHOD_NOT_ALLOWED, detail, {"Allow": methods})


def origin_not_allowed(origin: str) -> ProblemError:
    """A page asks whether it may call, and the service does not name its origin."""
    detail = BilingualText(
        f"The service does not let pages of {origin} call it.",
        f"Dịch vụ không cho phép trang web thuộc {origin} gọi tới.",
    )
    return ProblemError(calls.ORIGIN_NOT_ALLOWED, detail)


def websocket_not_supported() -> ProblemError:
    """The caller wants to go on with WebSocket."""
    detail = BilingualText(
        "Calls are requests with one answer; a WebSocket does not pass the gateway.",
        "Lời gọi là một yêu cầu kèm một trả lời; kết nối WebSocket không đi qua cổng.",
    )
    return ProblemError(calls.WEBSOCKET_NOT_SUPPORTED, detail)


def unknown_agreement(agreement: str) -> ProblemError:
    """No approved agreement on a service has this id."""
    detail = BilingualText(
        f"There is no approved agreement {shown(agreement, _LONGEST_NAME)} on a service.",
        f"Không có thoả thuận {shown(agreement, _LONGEST_NAME)} đã duyệt về một dịch vụ.",
    )
    return ProblemError(catalog.UNKNOWN_RESOURCE, detail)


def not_a_party(agreement: str) -> ProblemError:
    """The caller may not see how the agreement is used."""
    detail = BilingualText(
        f"How {agreement} is used is shown to its consumer, to systems of the providing agency and to the"
        " operator.",
        f"Mức sử dụng của {agreement} chỉ hiển thị cho bên khai thác, các hệ thống của cơ quan cung cấp và"
        " đơn vị vận hành.",
    )
    return ProblemError(catalog.NOT_ALLOWED, detail)


def loop_detected() -> ProblemError:
    """The request was forwarded by this installation before."""
    detail = BilingualText(
        "The call has come back to the gateway that forwarded it: its Via names this installation. The"
        " address of the service that was called first leads here.",
        "Lời gọi đã quay lại chính cổng đã chuyển tiếp nó: trường Via nêu hệ thống này. Địa chỉ của dịch vụ"
        " được gọi đầu tiên dẫn tới đây.",
    )
    return ProblemError(calls.LOOP_DETECTED, detail)


def request_timeout() -> ProblemError:
    """The caller sends the body too slowly."""
    detail = BilingualText(
        "The body of the request did not arrive in time.", "Nội dung yêu cầu không đến đủ trong thời hạn."
    )
    return ProblemError(general.REQUEST_TIMEOUT, detail)


def request_too_large(limit: int, service: str | None) -> ProblemError:
    """The body is larger than the service takes; None stands for the platform's own services."""
    if service is None:
        detail = BilingualText(
            f"The body of the request exceeds {limit} bytes, the most that this service of the platform"
            " takes. Send it in smaller portions; the catalog's limit the operator may raise:"
            " LIENTHONG_CATALOG_MAX_REQUEST_BYTES.",
            f"Nội dung yêu cầu vượt quá {limit} byte, mức tối đa mà dịch vụ này của nền tảng nhận."
            " Hãy chia thành nhiều lần gửi; riêng mức của danh mục đơn vị vận hành có thể nâng:"
            " LIENTHONG_CATALOG_MAX_REQUEST_BYTES.",
        )
    else:
        detail = BilingualText(
            f"The body of the request exceeds {limit} bytes, the most that {service} takes."
            " Its provider may raise it: maxRequestBytes in the service's manifest.",
            f"Nội dung yêu cầu vượt quá {limit} byte, mức tối đa mà {service} nhận."
            " Bên cung cấp có thể nâng mức này: maxRequestBytes trong tệp khai báo dịch vụ.",
        )
    return ProblemError(general.REQUEST_TOO_LARGE, detail)


def digest_mismatch(algorithm: str) -> ProblemError:
    """The body is not the one whose digest the request states."""
    detail = BilingualText(
        f"The {algorithm} digest that the request states is not that of its body.",
        f"Mã băm {algorithm} mà yêu cầu nêu không khớp với nội dung.",
    )
    return ProblemError(calls.DIGEST_MISMATCH, detail)


def headers_too_large() -> ProblemError:
    """Too many header fields, or they and the address are too large."""
    detail = BilingualText(
        "The address and the header fields are too large together, or there are too many fields.",
        "Địa chỉ cùng các trường tiêu đề của yêu cầu quá lớn, hoặc có quá nhiều trường.",
    )
    return ProblemError(calls.HEADERS_TOO_LARGE, detail)


def internal_error() -> ProblemError:
    """The gateway has a fault of its own; the log has more under the transaction id."""
    detail = BilingualText(
        "Something failed in the gateway. The log has more under the transaction id.",
        "Cổng gặp lỗi. Nhật ký hệ thống ghi thêm thông tin theo mã giao dịch.",
    )
    return ProblemError(general.INTERNAL_ERROR, detail)


def platform_unavailable() -> ProblemError:
    """No connection to the service of the platform that the path belongs to."""
    detail = BilingualText(
        "The platform's own service at this address accepts no connection.",
        "Dịch vụ của chính nền tảng tại địa chỉ này không nhận kết nối.",
    )
    return ProblemError(general.PLATFORM_UNAVAILABLE, detail)


def provider_unreachable() -> ProblemError:
    """No connection to any of the provider's addresses."""
    detail = BilingualText(
        "The provider's system accepts no connection.", "Hệ thống cung cấp không nhận kết nối."
    )
    return ProblemError(calls.PROVIDER_UNREACHABLE, detail)


def provider_busy(service: str, calls_at_once: int) -> ProblemError:
    """As many calls as the service takes at a time are under way, and no place came free in time."""
    detail = BilingualText(
        f"{service} is given {calls_at_once} calls at a time by each process of the gateway, and as many are"
        " under way. The request was not sent.",
        f"{service} chỉ nhận {calls_at_once} lời gọi cùng lúc từ mỗi tiến trình của cổng và hiện đã đủ."
        " Yêu cầu chưa được gửi đi.",
    )
    return ProblemError(calls.PROVIDER_BUSY, detail, _RETRY_SOON)


def circuit_open(service: str, wait_s: float) -> ProblemError:
    """All addresses of the service failed and are left alone; in `wait_s` seconds one may be tried."""
    seconds = max(1, math.ceil(wait_s))
    detail = BilingualText(
        f"The last calls of {service} failed, so it is left alone for {seconds} s. The request was not sent.",
        f"Các lời gọi gần đây tới {service} đều lỗi nên dịch vụ này tạm nghỉ {seconds} giây."
        " Yêu cầu chưa được gửi đi.",
    )
    return ProblemError(calls.CIRCUIT_OPEN, detail, {"Retry-After": str(seconds)})


def provider_address_refused(leads_to: BilingualText) -> ProblemError:
    """All of the provider's addresses are such as no call goes to; which they are is not the caller's."""
    detail = BilingualText(
        f"The address that the provider registered leads to {leads_to.en}; calls do not go there.",
        f"Địa chỉ mà bên cung cấp đã đăng ký dẫn đến {leads_to.vi}; lời gọi không được gửi tới đó.",
    )
    return ProblemError(calls.PROVIDER_ADDRESS_REFUSED, detail)


def provider_credentials_missing(secret: str) -> ProblemError:
    """The provider asks for what the gateway does not have; the log and the readiness say what of it."""
    detail = BilingualText(
        f"The provider's system asks for credentials that the gateway does not have: {secret}."
        " The request was not sent.",
        f"Hệ thống cung cấp yêu cầu thông tin xác thực mà cổng không có: {secret}. Yêu cầu chưa được gửi đi.",
    )
    return ProblemError(calls.PROVIDER_CREDENTIALS_MISSING, detail)


def provider_token_unavailable(reason: str, retry_after_s: float) -> ProblemError:
    """The provider's token endpoint gives the gateway no token; `reason` follows "it"."""
    detail = BilingualText(
        f"The token endpoint of the provider's system gave no access token: {reason}."
        " The request was not sent.",
        "Nơi cấp mã truy cập của hệ thống cung cấp không cấp mã. Yêu cầu chưa được gửi đi.",
    )
    headers = {"Retry-After": str(max(1, math.ceil(retry_after_s)))}
    return ProblemError(calls.PROVIDER_TOKEN_UNAVAILABLE, detail, headers)


def provider_broken() -> ProblemError:
    """The provider's answer is not HTTP, is cut off, or did not come."""
    detail = BilingualText(
        "The provider's system did not give a proper HTTP answer.",
        "Hệ thống cung cấp không trả lời đúng giao thức HTTP.",
    )
    return ProblemError(calls.PROVIDER_BROKEN, detail)


def provider_timeout() -> ProblemError:
    """The provider took longer than its service declares."""
    detail = BilingualText(
        "The provider's system did not answer in time.",
        "Hệ thống cung cấp không trả lời trong thời hạn.",
    )
    return ProblemError(calls.PROVIDER_TIMEOUT, detail)


def audit_unavailable() -> ProblemError:
    """No call without a durable record."""
    detail = BilingualText(
        "The audit record of the call cannot be stored, so the call is not answered.",
        "Không lưu được bản ghi kiểm toán của lời gọi nên lời gọi không được trả lời.",
    )
    return ProblemError(calls.AUDIT_UNAVAILABLE, detail, _RETRY_SOON)


def not_ready(en: str, vi: str) -> ProblemError:
    """The gateway lacks what it decides by."""
    return ProblemError(general.NOT_READY, BilingualText(en, vi), _RETRY_SOON)
