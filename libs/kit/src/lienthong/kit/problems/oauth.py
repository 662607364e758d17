"""Error codes of the token endpoint (RFC 6749 §5.2, RFC 9449 §5 and §8), written as in the member `error`.

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
INVALID_GRANT: Final = ProblemType(
    code="invalid_grant",
    status=400,
    title=BilingualText("Code or refresh token not accepted", "Mã uỷ quyền hoặc mã làm mới không dùng được"),
    advice=BilingualText(
        "Send the person to the authorization endpoint again. A code is good once, for a minute; a refresh "
        "token once, until the person signs out.",
        "Hãy đưa người dùng về trang đăng nhập lần nữa. Mã uỷ quyền dùng một lần, trong một phút; mã làm mới "
        "dùng một lần, đến khi người dùng đăng xuất.",
    ),
)
UNSUPPORTED_RESPONSE_TYPE: Final = ProblemType(
    code="unsupported_response_type",
    status=400,
    title=BilingualText("Response type not supported", "Loại phản hồi không được hỗ trợ"),
    advice=BilingualText("Send response_type=code.", "Hãy gửi response_type=code."),
)
REQUEST_NOT_SUPPORTED: Final = ProblemType(
    code="request_not_supported",
    status=400,
    title=BilingualText("Request objects not supported", "Không hỗ trợ đối tượng yêu cầu"),
    advice=BilingualText(
        "Send the parameters themselves in the pushed request, without request.",
        "Hãy gửi từng tham số trong yêu cầu gửi trước, không dùng request.",
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
INVALID_TARGET: Final = ProblemType(
    code="invalid_target",
    status=400,
    title=BilingualText("Token for an unknown place", "Nơi dùng mã truy cập không hợp lệ"),
    advice=BilingualText(
        "Leave audience and resource out, or name the platform as the description says (RFC 8693 section "
        "2.2.2).",
        "Hãy bỏ audience và resource, hoặc chỉ đúng nền tảng theo phần mô tả (RFC 8693 mục 2.2.2).",
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
UNSUPPORTED_TOKEN_TYPE: Final = ProblemType(
    code="unsupported_token_type",
    status=400,
    title=BilingualText("Token not revoked", "Không thu hồi được mã truy cập"),
    advice=BilingualText(
        "Forget the token: it ends by itself within five minutes. To end all of a system's tokens at once, "
        "have the system suspended (lienthong system suspend ID).",
        "Hãy bỏ mã này: mã tự hết hạn trong vòng năm phút. Nếu cần mọi mã của hệ thống hết hiệu lực ngay, "
        "hãy cho hệ thống tạm ngừng (lienthong system suspend MÃ).",
    ),
)
INVALID_DPOP_PROOF: Final = ProblemType(
    code="invalid_dpop_proof",
    status=400,
    title=BilingualText("DPoP proof for a token not accepted", "DPoP proof để lấy mã không được chấp nhận"),
    advice=BilingualText(
        "Sign a new proof (RFC 9449 section 4) for this request, as the description says, or leave the "
        "header DPoP out to get a token that is not bound to a key.",
        "Hãy ký proof mới (RFC 9449 mục 4) cho yêu cầu này theo phần mô tả, hoặc bỏ tiêu đề DPoP để nhận mã "
        "không gắn với khoá.",
    ),
)
USE_DPOP_NONCE: Final = ProblemType(
    code="use_dpop_nonce",
    status=400,
    title=BilingualText("DPoP proof for a token needs a nonce", "DPoP proof để lấy mã cần có nonce"),
    advice=BilingualText(
        "Sign a new proof whose claim nonce is the value of the header DPoP-Nonce, and try again.",
        "Hãy ký proof mới có nonce là giá trị của tiêu đề DPoP-Nonce rồi thử lại.",
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
