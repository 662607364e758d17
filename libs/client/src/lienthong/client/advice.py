"""What to do next, for each problem code of the bus."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from lienthong.client.errors import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY_REGISTERED = Text(
    "Kiểm tra: khoá công khai đã có trong danh mục chưa (lienthong apply), hệ thống có bị đình chỉ không, "
    "đồng hồ máy có đúng không (lienthong doctor).",
    "Check that the public key is in the catalog (lienthong apply), that the system is not suspended, "
    "and that this machine's clock is right (lienthong doctor).",
)
_TRY_LATER = Text(
    "Thử lại sau ít giây; nếu còn lỗi, báo người vận hành kèm mã giao dịch.",
    "Try again in a few seconds; if it lasts, tell the operator the transaction id.",
)
_ASK_PROVIDER = Text(
    "Lỗi ở phía hệ thống cung cấp: báo đơn vị cung cấp kèm mã giao dịch.",
    "The fault is on the provider's side: tell the provider the transaction id.",
)
_SUSPENDED = Text(
    "Hệ thống đang bị đình chỉ; hỏi người vận hành (lienthong system resume ID).",
    "The system is suspended; ask the operator (lienthong system resume ID).",
)
_SEE_AGREEMENT = Text(
    "Xem thoả thuận cho phép gì: lienthong get agreements -o yaml",
    "See what the agreement allows: lienthong get agreements -o yaml",
)

BY_CODE: Mapping[str, Text] = MappingProxyType(
    {
        "invalid-client": _KEY_REGISTERED,
        "client-suspended": _SUSPENDED,
        "unauthorized-client": _SUSPENDED,
        "temporarily-unavailable": _TRY_LATER,
        "invalid-scope": Text(
            "Bỏ tham số scope hoặc xin quyền đó.", "Leave the scope out, or ask for that right."
        ),
        "no-token": Text(
            "Dùng --as THƯ_MỤC để chọn thông tin xác thực.", "Choose credentials with --as FOLDER."
        ),
        "token-refused": _KEY_REGISTERED,
        "no-agreement": Text(
            "Cần một thoả thuận đã duyệt: lienthong agreement request MÃ --service DỊCH_VỤ "
            "--purpose MỤC_ĐÍCH --legal-ground CĂN_CỨ, rồi chờ bên cung cấp duyệt.",
            "An approved agreement is needed: lienthong agreement request ID --service SERVICE "
            "--purpose PURPOSE --legal-ground TEXT, then the provider approves it.",
        ),
        "operation-not-in-agreement": _SEE_AGREEMENT,
        "purpose-not-in-agreement": Text(
            "Nêu một mục đích có trong thoả thuận bằng --purpose; xem: lienthong get agreements -o yaml",
            "Name a purpose of the agreement with --purpose; see: lienthong get agreements -o yaml",
        ),
        "unknown-service": Text(
            "Xem các dịch vụ đang có: lienthong get services",
            "See what services there are: lienthong get services",
        ),
        "unknown-operation": Text(
            "Xem các đường dẫn của dịch vụ: lienthong get service MÃ -o yaml",
            "See the paths of the service: lienthong get service ID -o yaml",
        ),
        "unknown-path": Text(
            "Đường dẫn gọi dịch vụ có dạng CƠ_QUAN/HỆ_THỐNG/DỊCH_VỤ/đường-dẫn; xem: lienthong get services",
            "A service is called as AGENCY/SYSTEM/SERVICE/path; see: lienthong get services",
        ),
        "method-not-allowed": Text(
            "Xem các phương thức của dịch vụ: lienthong get service MÃ -o yaml",
            "See the methods of the service: lienthong get service ID -o yaml",
        ),
        "path-not-normal": Text(
            "Viết đường dẫn không có «..», «//» và dấu gạch chéo mã hoá.",
            "Write the path without '..', '//' and encoded slashes.",
        ),
        "request-too-large": Text(
            "Gửi ít dữ liệu hơn; giới hạn nằm ở maxRequestBytes của dịch vụ.",
            "Send less; the limit is the service's maxRequestBytes.",
        ),
        "provider-unreachable": _ASK_PROVIDER,
        "provider-broken": _ASK_PROVIDER,
        "provider-timeout": _ASK_PROVIDER,
        "audit-unavailable": _TRY_LATER,
        "bus-unavailable": _TRY_LATER,
        "not-ready": _TRY_LATER,
        "not-yet-recorded": Text(
            "Sổ kiểm toán ghi sau vài giây; thử lại, và kiểm tra mã giao dịch có đúng không.",
            "The ledger integrates within seconds; try again, and check that the transaction id is right.",
        ),
        "not-a-party": Text(
            "Dùng --as hệ thống đã gọi hoặc đã cung cấp, hoặc --as auditor.",
            "Use --as the system that called or provided, or --as auditor.",
        ),
        "not-allowed": Text(
            "Dùng --as operator, hoặc --as một hệ thống của cơ quan cung cấp.",
            "Use --as operator, or --as a system of the agency that provides.",
        ),
        "unknown-resource": Text(
            "Xem danh mục: lienthong get agencies|systems|services|agreements|event-types",
            "See the catalog: lienthong get agencies|systems|services|agreements|event-types",
        ),
        "unknown-event-type": Text(
            "Xem các loại sự kiện: lienthong get event-types",
            "See the event types: lienthong get event-types",
        ),
        "not-the-provider": Text(
            "Dùng --as hệ thống sở hữu loại sự kiện.", "Use --as the system that the event type belongs to."
        ),
        "unknown-subscription": Text(
            "Tạo trước: lienthong events subscribe TÊN --type LOẠI; xem: lienthong events list",
            "Make it first: lienthong events subscribe NAME --type TYPE; see: lienthong events list",
        ),
        "insufficient-scope": Text(
            "Thông tin xác thực này không đủ quyền: dùng --as operator (danh mục) "
            "hoặc --as auditor (kiểm toán).",
            "These credentials lack the right: use --as operator (catalog) or --as auditor (audit).",
        ),
    }
)


def for_problem(code: str, status: int) -> Text | None:
    """The advice for a problem's code, else for its status, else none."""
    found = BY_CODE.get(code)
    if found is not None:
        return found
    return {
        401: BY_CODE["token-refused"],
        403: BY_CODE["insufficient-scope"],
        503: _TRY_LATER,
        502: _TRY_LATER,
        504: _TRY_LATER,
    }.get(status)
