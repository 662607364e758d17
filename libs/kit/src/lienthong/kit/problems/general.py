"""Problems that any process can answer with."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

MALFORMED_REQUEST: Final = ProblemType(
    code="malformed-request",
    status=400,
    title=BilingualText("Malformed request", "Yêu cầu sai định dạng"),
    advice=BilingualText(
        "Correct what the detail names, then send the request again.",
        "Hãy sửa chỗ được nêu trong phần chi tiết rồi gửi lại yêu cầu.",
    ),
)
NO_TOKEN: Final = ProblemType(
    code="no-token",
    status=401,
    title=BilingualText("Access token missing", "Thiếu mã truy cập"),
    advice=BilingualText(
        "Get an access token at POST /oauth2/token and send it as 'Authorization: Bearer …'; with the "
        "lienthong command, choose credentials with --as FOLDER.",
        "Hãy lấy mã truy cập tại POST /oauth2/token và gửi trong 'Authorization: Bearer …'; với lệnh "
        "lienthong, chọn thông tin xác thực bằng --as THƯ_MỤC.",
    ),
)
TOKEN_REFUSED: Final = ProblemType(
    code="token-refused",
    status=401,
    title=BilingualText("Access token not accepted", "Mã truy cập không được chấp nhận"),
    advice=BilingualText(
        "Get a new access token at POST /oauth2/token. If that one is not accepted either, check this "
        "machine's clock and the gateway's address: lienthong doctor",
        "Hãy lấy mã truy cập mới tại POST /oauth2/token. Nếu mã mới vẫn không được chấp nhận, hãy kiểm "
        "tra đồng hồ của máy và địa chỉ cổng: lienthong doctor",
    ),
)
CERTIFICATE_MISMATCH: Final = ProblemType(
    code="certificate-mismatch",
    status=401,
    title=BilingualText("Token bound to another certificate", "Mã truy cập gắn với chứng thư khác"),
    advice=BilingualText(
        "Call through the edge (HTTPS) with the certificate that you showed when you asked for the token, or "
        "get a new token with the one that you show now.",
        "Hãy gọi qua cửa ngõ (HTTPS) bằng đúng chứng thư đã dùng khi lấy mã truy cập, hoặc lấy mã mới bằng "
        "chứng thư đang dùng.",
    ),
)
DPOP_PROOF_REFUSED: Final = ProblemType(
    code="dpop-proof-refused",
    status=401,
    title=BilingualText("DPoP proof not accepted", "DPoP proof không được chấp nhận"),
    advice=BilingualText(
        "Sign a new proof (RFC 9449 section 4) for this request, with the key that the token is bound to.",
        "Hãy ký proof mới (RFC 9449 mục 4) cho yêu cầu này, bằng khoá mà mã truy cập gắn với.",
    ),
)
DPOP_NONCE_REQUIRED: Final = ProblemType(
    code="dpop-nonce-required",
    status=401,
    title=BilingualText("DPoP proof needs a nonce", "DPoP proof cần có nonce"),
    advice=BilingualText(
        "Sign a new proof whose claim nonce is the value of the header DPoP-Nonce, and call again (RFC 9449 "
        "section 9); libraries do so by themselves.",
        "Hãy ký proof mới có nonce là giá trị của tiêu đề DPoP-Nonce rồi gọi lại (RFC 9449 mục 9); các thư "
        "viện tự làm việc này.",
    ),
)
PERSON_REFUSED: Final = ProblemType(
    code="person-refused",
    status=403,
    title=BilingualText("Not with a person's token", "Không dùng được mã truy cập của người dùng"),
    advice=BilingualText(
        "Get an access token for the system itself: grant_type=client_credentials at POST /oauth2/token.",
        "Hãy lấy mã truy cập cho chính hệ thống: grant_type=client_credentials tại POST /oauth2/token.",
    ),
)
INSUFFICIENT_SCOPE: Final = ProblemType(
    code="insufficient-scope",
    status=403,
    title=BilingualText("Insufficient scope", "Mã truy cập không đủ phạm vi"),
    advice=BilingualText(
        "Get an access token with the scope that the detail names. Not every client may have every "
        "scope; with the lienthong command, use --as operator for catalog, people and applications, --as "
        "auditor for the audit log. openid and platform come only of a person's sign-in.",
        "Hãy lấy mã truy cập có phạm vi được nêu trong phần chi tiết. Mỗi loại tài khoản chỉ được cấp "
        "một số phạm vi; với lệnh lienthong, dùng --as operator cho danh mục, tài khoản và ứng dụng, --as "
        "auditor cho nhật ký kiểm toán. openid và platform chỉ có khi một người đăng nhập.",
    ),
)
CLIENT_SUSPENDED: Final = ProblemType(
    code="client-suspended",
    status=403,
    title=BilingualText("Calling system suspended", "Hệ thống gọi đang bị tạm ngừng"),
    advice=BilingualText(
        "Ask the operator of the platform to resume the system (lienthong system resume ID).",
        "Hãy đề nghị đơn vị vận hành nền tảng cho hệ thống hoạt động trở lại (lienthong system resume MÃ).",
    ),
)
NOT_FOUND: Final = ProblemType(
    code="not-found",
    status=404,
    title=BilingualText("Not found", "Không tìm thấy"),
    advice=BilingualText(
        "Check the address against the reference of this service.",
        "Hãy đối chiếu địa chỉ với tài liệu của dịch vụ này.",
    ),
)
METHOD_NOT_ALLOWED: Final = ProblemType(
    code="method-not-allowed",
    status=405,
    title=BilingualText("Method not allowed", "Phương thức không được phép"),
    advice=BilingualText(
        "Use one of the methods in the header Allow. What methods a service has: lienthong get service "
        "ID -o yaml",
        "Hãy dùng một trong các phương thức nêu trong trường Allow. Xem các phương thức của dịch vụ: "
        "lienthong get service MÃ -o yaml",
    ),
)
REQUEST_TIMEOUT: Final = ProblemType(
    code="request-timeout",
    status=408,
    title=BilingualText("Request too slow", "Yêu cầu gửi quá chậm"),
    advice=BilingualText(
        "Send the body of the request without pauses, then try again. Before you repeat a request that "
        "changes data, ask whether it took effect.",
        "Hãy gửi liền mạch nội dung yêu cầu rồi thử lại. Với yêu cầu làm thay đổi dữ liệu, hãy hỏi xem yêu "
        "cầu đã được thực hiện chưa trước khi gửi lại.",
    ),
)
REQUEST_TOO_LARGE: Final = ProblemType(
    code="request-too-large",
    status=413,
    title=BilingualText("Request too large", "Yêu cầu quá lớn"),
    advice=BilingualText(
        "Send less in one request. Where the detail says who may raise the limit, ask them to.",
        "Hãy gửi ít dữ liệu hơn trong một yêu cầu. Nếu phần chi tiết nêu ai có thể nâng giới hạn, hãy đề nghị"
        " bên đó.",
    ),
)
UNSUPPORTED_MEDIA_TYPE: Final = ProblemType(
    code="unsupported-media-type",
    status=415,
    title=BilingualText("Unsupported media type", "Kiểu nội dung không được hỗ trợ"),
    advice=BilingualText(
        "Send the body in a format that the detail names, with the matching Content-Type.",
        "Hãy gửi nội dung theo định dạng được nêu trong phần chi tiết, kèm Content-Type tương ứng.",
    ),
)
INVALID_REQUEST: Final = ProblemType(
    code="invalid-request",
    status=422,
    title=BilingualText("Invalid request", "Yêu cầu không hợp lệ"),
    advice=BilingualText(
        "Correct every place that the detail and 'errors' name, then send the request again.",
        "Hãy sửa mọi chỗ được nêu trong phần chi tiết và 'errors' rồi gửi lại yêu cầu.",
    ),
)
RATE_LIMITED: Final = ProblemType(
    code="rate-limited",
    status=429,
    title=BilingualText("Too many requests", "Quá nhiều yêu cầu"),
    advice=BilingualText(
        "Send the request again after the seconds that Retry-After names. Keep an access token until it "
        "expires, and send events in batches, each event once.",
        "Hãy gửi lại yêu cầu sau số giây nêu trong Retry-After. Hãy dùng lại mã truy cập đến khi hết hạn, và "
        "gửi sự kiện theo lô, mỗi sự kiện một lần.",
    ),
)
INTERNAL_ERROR: Final = ProblemType(
    code="internal-error",
    status=500,
    title=BilingualText("Internal error", "Lỗi nội bộ"),
    advice=BilingualText(
        "Tell the operator of the platform the transaction id; the log has more under it.",
        "Hãy báo mã giao dịch cho đơn vị vận hành nền tảng để tra cứu nhật ký hệ thống.",
    ),
)
NOT_READY: Final = ProblemType(
    code="not-ready",
    status=503,
    title=BilingualText("Not ready", "Chưa sẵn sàng"),
    advice=BilingualText(
        "Try again after the seconds that Retry-After names. If it lasts, tell the operator of the platform.",
        "Hãy thử lại sau số giây nêu trong Retry-After. Nếu vẫn lỗi, hãy báo đơn vị vận hành nền tảng.",
    ),
)
BUSY: Final = ProblemType(
    code="busy",
    status=503,
    title=BilingualText("Busy", "Đang quá tải"),
    advice=BilingualText(
        "Send the same request again after the seconds that Retry-After names, and send fewer at a time.",
        "Hãy gửi lại chính yêu cầu này sau số giây nêu trong Retry-After, và gửi ít yêu cầu cùng lúc hơn.",
    ),
)
PLATFORM_UNAVAILABLE: Final = ProblemType(
    code="platform-unavailable",
    status=503,
    title=BilingualText("A part of the platform is away", "Một phần của nền tảng không trả lời"),
    advice=BilingualText(
        "Try again in a moment. If it lasts, tell the platform's operator, who sees what is away with:"
        " lienthong status",
        "Hãy thử lại sau giây lát. Nếu vẫn lỗi, hãy báo đơn vị vận hành nền tảng; họ xem phần nào không chạy "
        "bằng: lienthong status",
    ),
)
STORAGE_FULL: Final = ProblemType(
    code="storage-full",
    status=507,
    title=BilingualText("No room to store", "Hết chỗ lưu trữ"),
    advice=BilingualText(
        "Nothing of this request was stored: send the same request again later. Tell the operator of the "
        "platform: the disk of this service's database is full or cannot be written. When it has room the "
        "service goes on by itself.",
        "Chưa có gì của yêu cầu này được lưu: hãy gửi lại nguyên yêu cầu sau. Hãy báo đơn vị vận hành nền "
        "tảng: ổ đĩa của cơ sở dữ liệu dịch vụ này đã đầy hoặc không ghi được. Khi có chỗ, dịch vụ tự chạy "
        "tiếp.",
    ),
)
HTTP_ERROR: Final = ProblemType(
    code="http-error",
    status=400,
    title=BilingualText("Request not accepted", "Yêu cầu không được chấp nhận"),
    advice=BilingualText(
        "The HTTP status says what kind of error it is; correct what the detail names.",
        "Mã trạng thái HTTP cho biết loại lỗi; hãy sửa chỗ được nêu trong phần chi tiết.",
    ),
)
TOO_COSTLY: Final = ProblemType(
    code="too-costly",
    status=422,
    title=BilingualText("Too costly to check", "Kiểm tra quá tốn thời gian"),
    advice=BilingualText(
        "Send less at a time, or simplify the schema: fewer references upon references, combinations and "
        "repetitions.",
        "Hãy gửi ít hơn mỗi lần, hoặc đơn giản hoá lược đồ: bớt tham chiếu chồng tham chiếu, tổ hợp và lặp.",
    ),
)
