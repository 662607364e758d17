"""Every way in which the gateway itself refuses or fails a call, as RFC 9457 problems.

`docs/reference/gateway.md` lists the codes for callers; a test holds the two together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lienthong.kit.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(NamedTuple):
    """What all problems of one code have in common."""

    status: int
    title: str
    title_vi: str


KINDS = {
    "path-not-normal": Kind(400, "Path not in normal form", "Đường dẫn không ở dạng chuẩn"),
    "malformed-request": Kind(400, "Malformed request", "Yêu cầu sai định dạng"),
    "no-token": Kind(401, "Access token needed", "Thiếu mã truy cập"),
    "token-refused": Kind(401, "Access token refused", "Mã truy cập không được chấp nhận"),
    "client-suspended": Kind(403, "Client suspended", "Hệ thống gọi đang bị đình chỉ"),
    "insufficient-scope": Kind(403, "Insufficient scope", "Mã truy cập không đủ phạm vi"),
    "no-agreement": Kind(403, "No agreement", "Chưa có thoả thuận chia sẻ dữ liệu"),
    "operation-not-in-agreement": Kind(
        403, "Operation not in the agreement", "Thao tác nằm ngoài thoả thuận"
    ),
    "purpose-not-in-agreement": Kind(403, "Purpose not in the agreement", "Mục đích nằm ngoài thoả thuận"),
    "unknown-path": Kind(404, "Unknown path", "Không có đường dẫn này"),
    "unknown-service": Kind(404, "Unknown service", "Không có dịch vụ này"),
    "unknown-operation": Kind(404, "Unknown operation", "Không có thao tác này"),
    "method-not-allowed": Kind(405, "Method not allowed", "Phương thức không được phép"),
    "request-too-large": Kind(413, "Request too large", "Yêu cầu quá lớn"),
    "headers-too-large": Kind(431, "Headers too large", "Phần đầu của yêu cầu quá lớn"),
    "internal-error": Kind(500, "Internal error", "Lỗi nội bộ"),
    "provider-unreachable": Kind(502, "Provider unreachable", "Không kết nối được hệ thống cung cấp"),
    "provider-broken": Kind(502, "Provider broken", "Hệ thống cung cấp trả lời sai"),
    "audit-unavailable": Kind(503, "Audit unavailable", "Không ghi được nhật ký"),
    "not-ready": Kind(503, "Not ready", "Chưa sẵn sàng"),
    "provider-timeout": Kind(504, "Provider too slow", "Hệ thống cung cấp trả lời quá chậm"),
}
_RETRY_SOON = {"Retry-After": "1"}


def _problem(code: str, detail: str, detail_vi: str, headers: dict[str, str] | None = None) -> ProblemError:
    kind = KINDS[code]
    return ProblemError(code, kind.status, kind.title, detail, kind.title_vi, detail_vi, headers or {})


def path_not_normal(reason: str) -> ProblemError:
    """The path could be understood in two ways."""
    return _problem(
        "path-not-normal",
        f"The path is refused: {reason}.",
        "Đường dẫn bị từ chối vì có thể được hiểu theo nhiều cách: không dùng //, . hay .., "
        "ký tự chưa mã hoá, hoặc dấu chấm, gạch chéo đã mã hoá.",
    )


def malformed_request(detail: str, detail_vi: str) -> ProblemError:
    """A header or the query cannot be accepted as it is."""
    return _problem("malformed-request", detail, detail_vi)


def no_token() -> ProblemError:
    """Nobody said who calls."""
    return _problem(
        "no-token",
        "Send an access token: 'Authorization: Bearer …'. POST /oauth2/token hands them out.",
        "Gửi kèm mã truy cập: 'Authorization: Bearer …'. Mã được cấp tại POST /oauth2/token.",
        {"WWW-Authenticate": "Bearer"},
    )


def token_refused(reason: str) -> ProblemError:
    """The token proves nothing (RFC 6750 section 3.1)."""
    return _problem(
        "token-refused",
        f"The access token is refused: {reason}. Get a new one at POST /oauth2/token.",
        f"Mã truy cập bị từ chối ({reason}). Hãy lấy mã mới tại POST /oauth2/token.",
        {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{reason}"'},
    )


def client_suspended(client: str) -> ProblemError:
    """The operator has stopped this client."""
    return _problem(
        "client-suspended",
        f"{client} is suspended. Ask the operator of the platform.",
        f"Hệ thống {client} đang bị đình chỉ. Hãy liên hệ đơn vị vận hành nền tảng.",
    )


def insufficient_scope(scope: str) -> ProblemError:
    """The token was asked for other things (RFC 6750 section 3.1)."""
    return _problem(
        "insufficient-scope",
        f"This needs an access token with the scope {scope}.",
        f"Cần mã truy cập có phạm vi {scope}.",
        {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
    )


def no_agreement(client: str, service: str) -> ProblemError:
    """Nothing lets this client call this service now."""
    return _problem(
        "no-agreement",
        f"{client} has no approved agreement on {service} that is valid now.",
        f"{client} không có thoả thuận đã duyệt và còn hiệu lực với {service}.",
    )


def operation_not_in_agreement(operation: str) -> ProblemError:
    """There is an agreement, but on other operations."""
    return _problem(
        "operation-not-in-agreement",
        f"The agreement does not allow the operation {operation}.",
        f"Thoả thuận không cho phép thao tác {operation}.",
    )


def purpose_not_in_agreement() -> ProblemError:
    """The stated purpose is not one of the agreement's."""
    return _problem(
        "purpose-not-in-agreement",
        "The agreement does not allow the purpose that the header LGSP-Purpose states.",
        "Thoả thuận không cho phép mục đích nêu trong LGSP-Purpose.",
    )


def purpose_needed() -> ProblemError:
    """The agreement allows several purposes and the call states none."""
    return _problem(
        "purpose-not-in-agreement",
        "The agreement allows several purposes: state one of them in the header LGSP-Purpose.",
        "Thoả thuận cho phép nhiều mục đích: hãy nêu một mục đích trong LGSP-Purpose.",
    )


def unknown_path() -> ProblemError:
    """Neither a service nor a room stands at this path."""
    return _problem(
        "unknown-path",
        "Nothing is here. A service is called at /api/{agency}/{system}/{service}/….",
        "Không có gì tại đây. Gọi dịch vụ tại /api/{mã cơ quan}/{hệ thống}/{dịch vụ}/….",
    )


def unknown_service(service: str) -> ProblemError:
    """No such service in the catalog."""
    return _problem(
        "unknown-service",
        f"The catalog has no service {service}.",
        f"Danh mục không có dịch vụ {service}.",
    )


def service_suspended(service: str) -> ProblemError:
    """The service is in the catalog, but it or its system is not active."""
    return _problem(
        "unknown-service",
        f"The service {service} is not offered at present.",
        f"Dịch vụ {service} hiện không được cung cấp.",
    )


def unknown_operation(service: str) -> ProblemError:
    """The service declares no such path."""
    return _problem(
        "unknown-operation",
        f"The OpenAPI document of {service} declares no such path.",
        f"Tài liệu OpenAPI của {service} không khai báo đường dẫn này.",
    )


def method_not_allowed(allowed: Iterable[str]) -> ProblemError:
    """The path is declared, the method is not."""
    methods = ", ".join(sorted(allowed))
    return _problem(
        "method-not-allowed",
        f"This path allows {methods}.",
        f"Đường dẫn này cho phép {methods}.",
        {"Allow": methods},
    )


def request_too_large(limit: int) -> ProblemError:
    """The body is larger than the service takes."""
    return _problem(
        "request-too-large",
        f"The body of the request exceeds {limit} bytes.",
        f"Nội dung yêu cầu vượt quá {limit} byte.",
    )


def headers_too_large() -> ProblemError:
    """Too many header fields, or they and the address are too large."""
    return _problem(
        "headers-too-large",
        "The address and the header fields are too large together, or there are too many fields.",
        "Địa chỉ cùng các trường đầu của yêu cầu quá lớn, hoặc có quá nhiều trường.",
    )


def internal_error() -> ProblemError:
    """The gateway has a fault of its own; the log has more under the transaction id."""
    return _problem(
        "internal-error",
        "Something failed in the gateway; the operator finds it in the log under the transaction id.",
        "Cổng gặp lỗi; đơn vị vận hành tra cứu nhật ký theo mã giao dịch.",
    )


def provider_unreachable() -> ProblemError:
    """No connection to any of the provider's addresses."""
    return _problem(
        "provider-unreachable",
        "The provider's system accepts no connection.",
        "Hệ thống cung cấp không nhận kết nối.",
    )


def provider_broken() -> ProblemError:
    """The provider's answer is not HTTP, is cut off, or did not come."""
    return _problem(
        "provider-broken",
        "The provider's system did not give a proper HTTP answer.",
        "Hệ thống cung cấp không trả lời đúng giao thức HTTP.",
    )


def provider_timeout() -> ProblemError:
    """The provider took longer than its service declares."""
    return _problem(
        "provider-timeout",
        "The provider's system did not answer in time.",
        "Hệ thống cung cấp không trả lời kịp thời hạn.",
    )


def audit_unavailable() -> ProblemError:
    """No call without a durable record."""
    return _problem(
        "audit-unavailable",
        "The audit record cannot be stored, so the call is not answered.",
        "Không lưu được bản ghi nhật ký nên không thể trả lời.",
        _RETRY_SOON,
    )


def not_ready(detail: str, detail_vi: str) -> ProblemError:
    """The gateway lacks what it decides by."""
    return _problem("not-ready", detail, detail_vi, _RETRY_SOON)
