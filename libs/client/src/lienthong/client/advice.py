"""What to do about errors of the token endpoint: its answers (RFC 6749 §5.2) carry no advice themselves.

Every other answer of the platform does. A test holds these texts to the platform's registry of problems.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lienthong.client.errors import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

BY_OAUTH_ERROR: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "invalid_request": Text(
            "Hãy sửa tham số được nêu trong phần mô tả (RFC 6749 mục 4.4.2).",
            "Correct the parameter that the description names (RFC 6749 section 4.4.2).",
        ),
        "invalid_client": Text(
            "Hãy kiểm tra: khoá công khai đã có trong danh mục chưa (lienthong apply), hệ thống có bị tạm "
            "ngừng không, đồng hồ của máy có đúng không (lienthong doctor).",
            "Check that the public key is in the catalog (lienthong apply), that the system is not "
            "suspended, and that this machine's clock is right (lienthong doctor).",
        ),
        "invalid_grant": Text(
            "Hãy đưa người dùng về trang đăng nhập lần nữa. Mã uỷ quyền dùng một lần, trong một phút; mã làm "
            "mới dùng một lần, đến khi người dùng đăng xuất.",
            "Send the person to the authorization endpoint again. A code is good once, for a minute; a "
            "refresh token once, until the person signs out.",
        ),
        "unsupported_response_type": Text("Hãy gửi response_type=code.", "Send response_type=code."),
        "request_not_supported": Text(
            "Hãy gửi từng tham số trong yêu cầu gửi trước, không dùng request.",
            "Send the parameters themselves in the pushed request, without request.",
        ),
        "unauthorized_client": Text(
            "Hãy đề nghị đơn vị vận hành nền tảng cho hệ thống hoạt động trở lại "
            "(lienthong system resume MÃ).",
            "Ask the operator of the platform to resume the system (lienthong system resume ID).",
        ),
        "invalid_scope": Text(
            "Hãy bỏ tham số scope để nhận mọi phạm vi được phép, hoặc xin một phạm vi có trong phần mô tả.",
            "Leave the scope out to get every scope that the client may have, or request one that the "
            "description lists.",
        ),
        "invalid_target": Text(
            "Hãy bỏ audience và resource, hoặc chỉ đúng nền tảng theo phần mô tả (RFC 8693 mục 2.2.2).",
            "Leave audience and resource out, or name the platform as the description says (RFC 8693 section "
            "2.2.2).",
        ),
        "unsupported_grant_type": Text(
            "Hãy gửi grant_type=client_credentials.", "Send grant_type=client_credentials."
        ),
        "unsupported_token_type": Text(
            "Hãy bỏ mã này: mã tự hết hạn trong vòng năm phút. Nếu cần mọi mã của hệ thống hết hiệu lực "
            "ngay, hãy cho hệ thống tạm ngừng (lienthong system suspend MÃ).",
            "Forget the token: it ends by itself within five minutes. To end all of a system's tokens at "
            "once, have the system suspended (lienthong system suspend ID).",
        ),
        "invalid_dpop_proof": Text(
            "Hãy ký proof mới (RFC 9449 mục 4) cho yêu cầu này theo phần mô tả, hoặc bỏ tiêu đề DPoP để nhận "
            "mã không gắn với khoá.",
            "Sign a new proof (RFC 9449 section 4) for this request, as the description says, or leave the "
            "header DPoP out to get a token that is not bound to a key.",
        ),
        "use_dpop_nonce": Text(
            "Hãy ký proof mới có nonce là giá trị của tiêu đề DPoP-Nonce rồi thử lại.",
            "Sign a new proof whose claim nonce is the value of the header DPoP-Nonce, and try again.",
        ),
        "temporarily_unavailable": Text(
            "Hãy thử lại sau ít giây với JWT xác thực mới. Nếu vẫn lỗi, hãy báo đơn vị vận hành nền tảng.",
            "Try again in a few seconds, with a new assertion. If it lasts, tell the operator of the "
            "platform.",
        ),
    }
)
