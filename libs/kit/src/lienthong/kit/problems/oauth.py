"""Error codes of the token endpoint (RFC 6749 §5.2), written as in the member `error`.

The body is the RFC's own: it carries no title and no advice. The command shows its own copy of the advice.
"""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

INVALID_REQUEST: Final = ProblemType(
    code="invalid_request",
    status=400,
    title=BilingualText("Invalid token request", "Yêu cầu cấp mã truy cập không hợp lệ"),
    advice=BilingualText(
        "Correct the parameter that the description names (RFC 6749 section 4.4.2).",
        "Hãy sửa tham số được nêu trong phần mô tả (RFC 6749 mục 4.4.2).",
    ),
)
INVALID_CLIENT: Final = ProblemType(
    code="invalid_client",
    status=401,
    title=BilingualText("Client not authenticated", "Không xác thực được hệ thống"),
    advice=BilingualText(
        "Check that the public key is in the catalog (lienthong apply), that the system is not "
        "suspended, and that this machine's clock is right (lienthong doctor).",
        "Hãy kiểm tra: khoá công khai đã có trong danh mục chưa (lienthong apply), hệ thống có bị tạm "
        "ngừng không, đồng hồ của máy có đúng không (lienthong doctor).",
    ),
)
UNAUTHORIZED_CLIENT: Final = ProblemType(
    code="unauthorized_client",
    status=400,
    title=BilingualText("Client not authorized", "Hệ thống không được cấp mã truy cập"),
    advice=BilingualText(
        "Ask the operator of the platform to resume the system (lienthong system resume ID).",
        "Hãy đề nghị đơn vị vận hành nền tảng cho hệ thống hoạt động trở lại (lienthong system resume MÃ).",
    ),
)
INVALID_SCOPE: Final = ProblemType(
    code="invalid_scope",
    status=400,
    title=BilingualText("Scope not allowed", "Phạm vi không được phép"),
    advice=BilingualText(
        "Leave the scope out to get every scope that the client may have, or request one that the "
        "description lists.",
        "Hãy bỏ tham số scope để nhận mọi phạm vi được phép, hoặc xin một phạm vi có trong phần mô tả.",
    ),
)
UNSUPPORTED_GRANT_TYPE: Final = ProblemType(
    code="unsupported_grant_type",
    status=400,
    title=BilingualText("Grant type not supported", "Loại cấp quyền không được hỗ trợ"),
    advice=BilingualText(
        "Send grant_type=client_credentials.",
        "Hãy gửi grant_type=client_credentials.",
    ),
)
TEMPORARILY_UNAVAILABLE: Final = ProblemType(
    code="temporarily_unavailable",
    status=503,
    title=BilingualText("Token endpoint temporarily unavailable", "Tạm thời chưa cấp được mã truy cập"),
    advice=BilingualText(
        "Try again in a few seconds, with a new assertion. If it lasts, tell the operator of the platform.",
        "Hãy thử lại sau ít giây với JWT xác thực mới. Nếu vẫn lỗi, hãy báo đơn vị vận hành nền tảng.",
    ),
)
