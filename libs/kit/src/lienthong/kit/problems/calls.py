"""Problems of calls through the gateway."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

PATH_NOT_NORMAL: Final = ProblemType(
    code="path-not-normal",
    status=400,
    title=BilingualText("Path not in normal form", "Đường dẫn không ở dạng chuẩn"),
    advice=BilingualText(
        "Write the path without '//', '.' and '..' segments, and percent-encode every other character "
        "once; a slash or a dot must not be encoded.",
        "Hãy viết đường dẫn không có '//', '.' và '..', mã hoá phần trăm các ký tự khác đúng một lần; "
        "không mã hoá dấu gạch chéo và dấu chấm.",
    ),
)
MISSING_HEADER: Final = ProblemType(
    code="missing-header",
    status=400,
    title=BilingualText("Required header missing", "Thiếu trường tiêu đề bắt buộc"),
    advice=BilingualText(
        "State the purpose, the case or the person in the header that the detail names (lienthong call"
        " --purpose, --case, --user).",
        "Hãy nêu mục đích, mã hồ sơ hoặc người yêu cầu trong trường tiêu đề ghi ở phần chi tiết (lienthong"
        " call --purpose, --case, --user).",
    ),
)
BOUND_TOKEN_REQUIRED: Final = ProblemType(
    code="bound-token-required",
    status=403,
    title=BilingualText("Bound access token required", "Cần mã truy cập gắn với bên gọi"),
    advice=BilingualText(
        "Ask for a token with a DPoP proof and send one with each call (RFC 9449; the SDK and the command "
        "have an option dpop), or ask for it through the edge (HTTPS) with a certificate, and call there "
        "with the same one.",
        "Hãy lấy mã truy cập kèm proof DPoP và gửi proof với mỗi lời gọi (RFC 9449; SDK và lệnh có tuỳ chọn "
        "dpop), hoặc lấy mã qua cửa ngõ (HTTPS) bằng chứng thư, và gọi qua đó bằng cùng chứng thư.",
    ),
)
UNKNOWN_PATH: Final = ProblemType(
    code="unknown-path",
    status=404,
    title=BilingualText("Unknown path", "Đường dẫn không tồn tại"),
    advice=BilingualText(
        "Call a service at /api/AGENCY/SYSTEM/SERVICE/path. What services there are: lienthong get services",
        "Hãy gọi dịch vụ theo đường dẫn /api/CƠ_QUAN/HỆ_THỐNG/DỊCH_VỤ/đường-dẫn. Xem các dịch vụ: "
        "lienthong get services",
    ),
)
UNKNOWN_SERVICE: Final = ProblemType(
    code="unknown-service",
    status=404,
    title=BilingualText("Unknown service", "Dịch vụ không tồn tại"),
    advice=BilingualText(
        "Look the service up in the catalog: lienthong get services. A service that is suspended is not"
        " offered until its provider or the operator resumes it.",
        "Hãy tra cứu dịch vụ trong danh mục: lienthong get services. Dịch vụ bị tạm ngừng chỉ dùng được"
        " khi đã hoạt động trở lại.",
    ),
)
SERVICE_RETIRED: Final = ProblemType(
    code="service-retired",
    status=410,
    title=BilingualText("Service has ended", "Dịch vụ đã ngừng"),
    advice=BilingualText(
        "Call the service that takes its place, where the detail names one: see it with lienthong get service"
        " ID, and ask for an agreement on it. Else ask the agency that provided it.",
        "Hãy gọi dịch vụ thay thế nêu trong phần chi tiết (nếu có): xem bằng lienthong get service MÃ và đề"
        " nghị thoả thuận với dịch vụ đó. Nếu không có, hãy hỏi cơ quan cung cấp.",
    ),
)
UNKNOWN_OPERATION: Final = ProblemType(
    code="unknown-operation",
    status=404,
    title=BilingualText("Unknown operation", "Thao tác không tồn tại"),
    advice=BilingualText(
        "See the paths that the service declares: lienthong get service ID -o yaml",
        "Hãy xem các đường dẫn mà dịch vụ khai báo: lienthong get service MÃ -o yaml",
    ),
)
SOAP_ACTION_MISMATCH: Final = ProblemType(
    code="soap-action-mismatch",
    status=400,
    title=BilingualText("SOAP action of another operation", "SOAP action thuộc thao tác khác"),
    advice=BilingualText(
        "State the action that the WSDL document gives the operation, or none: SOAPAction, the parameter"
        " 'action' of Content-Type and wsa:Action have to agree with the first element of the Body.",
        "Hãy nêu action mà tài liệu WSDL khai báo cho thao tác, hoặc không nêu: SOAPAction, tham số 'action'"
        " của Content-Type và wsa:Action phải khớp với phần tử đầu của Body.",
    ),
)
HEADERS_TOO_LARGE: Final = ProblemType(
    code="headers-too-large",
    status=431,
    title=BilingualText("Header fields too large", "Các trường tiêu đề quá lớn"),
    advice=BilingualText(
        "Shorten the address and the header fields, or send fewer fields.",
        "Hãy rút gọn địa chỉ và các trường tiêu đề, hoặc gửi ít trường hơn.",
    ),
)
ORIGIN_NOT_ALLOWED: Final = ProblemType(
    code="origin-not-allowed",
    status=403,
    title=BilingualText("Origin not allowed", "Nguồn gốc trang web không được phép"),
    advice=BilingualText(
        "Ask the agency that provides the service to name the page's origin in the service's 'cors', or call"
        " the service from your own server instead of the browser.",
        "Hãy đề nghị cơ quan cung cấp dịch vụ khai báo nguồn gốc của trang trong 'cors' của dịch vụ, hoặc gọi"
        " dịch vụ từ máy chủ của mình thay vì từ trình duyệt.",
    ),
)
WEBSOCKET_NOT_SUPPORTED: Final = ProblemType(
    code="websocket-not-supported",
    status=501,
    title=BilingualText("WebSocket not supported", "Không hỗ trợ WebSocket"),
    advice=BilingualText(
        "Call the service with plain HTTP requests; to be told of changes, subscribe to an event type.",
        "Hãy gọi dịch vụ bằng yêu cầu HTTP thông thường; để nhận thông báo thay đổi, hãy đăng ký loại sự"
        " kiện.",
    ),
)
LOOP_DETECTED: Final = ProblemType(
    code="loop-detected",
    status=508,
    title=BilingualText("Loop detected", "Phát hiện vòng lặp"),
    advice=BilingualText(
        "The provider gives its service an address of its own system in place of one that leads to the"
        " gateway, and its proxy passes the service's calls to that system.",
        "Bên cung cấp khai báo cho dịch vụ địa chỉ của chính hệ thống mình, không phải địa chỉ dẫn tới cổng;"
        " proxy của bên cung cấp chuyển lời gọi tới hệ thống đó.",
    ),
)
QUOTA_EXCEEDED: Final = ProblemType(
    code="quota-exceeded",
    status=429,
    title=BilingualText("Limit of the agreement reached", "Đã hết hạn mức của thoả thuận"),
    advice=BilingualText(
        "Call again after the seconds that Retry-After names; RateLimit in each answer says how much is left."
        " If it is too little for the work, ask the providing agency for more.",
        "Hãy gọi lại sau số giây nêu trong Retry-After; trường RateLimit của mỗi trả lời cho biết mức còn"
        " lại. Nếu hạn mức không đủ cho công việc, hãy đề nghị cơ quan cung cấp nâng mức.",
    ),
)
IDEMPOTENCY_KEY_MISSING: Final = ProblemType(
    code="idempotency-key-missing",
    status=400,
    title=BilingualText("Idempotency-Key missing", "Thiếu Idempotency-Key"),
    advice=BilingualText(
        "Make a key of the call's own, such as a UUID, and send the same one when you repeat it.",
        "Hãy tạo một khoá riêng cho lời gọi, ví dụ UUID, và gửi lại đúng khoá đó khi lặp lại lời gọi.",
    ),
)
IDEMPOTENCY_KEY_REUSED: Final = ProblemType(
    code="idempotency-key-reused",
    status=422,
    title=BilingualText(
        "Idempotency-Key used for another request", "Idempotency-Key đã dùng cho yêu cầu khác"
    ),
    advice=BilingualText(
        "Repeat the first request unchanged, or use a new key for this one.",
        "Hãy lặp lại nguyên vẹn yêu cầu đầu tiên, hoặc dùng khoá mới cho yêu cầu này.",
    ),
)
IDEMPOTENCY_KEY_IN_PROGRESS: Final = ProblemType(
    code="idempotency-key-in-progress",
    status=409,
    title=BilingualText(
        "Call with this Idempotency-Key under way", "Lời gọi với Idempotency-Key này đang được xử lý"
    ),
    advice=BilingualText(
        "Repeat the call with the same key after the time in Retry-After.",
        "Hãy lặp lại lời gọi với cùng khoá sau thời gian nêu trong Retry-After.",
    ),
)
IDEMPOTENCY_OUTCOME_UNKNOWN: Final = ProblemType(
    code="idempotency-outcome-unknown",
    status=409,
    title=BilingualText("Outcome of the first call unknown", "Không rõ kết quả của lời gọi đầu tiên"),
    advice=BilingualText(
        "Ask the agency that provides the service whether the transaction took effect; if it did not,"
        " call with a new key.",
        "Hãy hỏi cơ quan cung cấp dịch vụ xem giao dịch đã được thực hiện chưa; nếu chưa, hãy gọi với"
        " khoá mới.",
    ),
)
IDEMPOTENCY_ANSWER_NOT_KEPT: Final = ProblemType(
    code="idempotency-answer-not-kept",
    status=409,
    title=BilingualText("Answer of the first call not kept", "Không giữ trả lời của lời gọi đầu tiên"),
    advice=BilingualText(
        "The call was made: read its result with another call. A new key would make it again.",
        "Lời gọi đã được thực hiện: hãy đọc kết quả bằng lời gọi khác. Khoá mới sẽ thực hiện lại lời gọi.",
    ),
)
TOO_MANY_IDEMPOTENCY_KEYS: Final = ProblemType(
    code="too-many-idempotency-keys",
    status=429,
    title=BilingualText("Too many Idempotency-Keys", "Quá nhiều Idempotency-Key"),
    advice=BilingualText(
        "Use one key for one call and its repetitions. If the work needs more, ask the operator:"
        " LIENTHONG_GATEWAY_IDEMPOTENCY_KEYS.",
        "Hãy dùng một khoá cho một lời gọi và các lần lặp lại. Nếu cần nhiều hơn, hãy đề nghị đơn vị vận"
        " hành: LIENTHONG_GATEWAY_IDEMPOTENCY_KEYS.",
    ),
)
IDEMPOTENCY_UNAVAILABLE: Final = ProblemType(
    code="idempotency-unavailable",
    status=503,
    title=BilingualText("Store of Idempotency-Keys unavailable", "Kho lưu Idempotency-Key không trả lời"),
    advice=BilingualText(
        "Repeat the call with the same key after the time in Retry-After; the request was not sent.",
        "Hãy lặp lại lời gọi với cùng khoá sau thời gian nêu trong Retry-After; yêu cầu chưa được gửi đi.",
    ),
)
PROVIDER_UNREACHABLE: Final = ProblemType(
    code="provider-unreachable",
    status=502,
    title=BilingualText("Provider unreachable", "Không kết nối được hệ thống cung cấp"),
    advice=BilingualText(
        "Try again later. If it lasts, tell the agency that provides the service the transaction id.",
        "Hãy thử lại sau. Nếu vẫn lỗi, hãy báo mã giao dịch cho cơ quan cung cấp dịch vụ.",
    ),
)
PROVIDER_BUSY: Final = ProblemType(
    code="provider-busy",
    status=503,
    title=BilingualText("Provider busy", "Hệ thống cung cấp đang bận"),
    advice=BilingualText(
        "Repeat the call after the time in Retry-After; the request was not sent. If it lasts, the agency"
        " that provides the service may allow more calls at a time: bulkhead in the service's manifest.",
        "Hãy gọi lại sau thời gian nêu trong Retry-After; yêu cầu chưa được gửi đi. Nếu kéo dài, cơ quan cung"
        " cấp dịch vụ có thể cho phép nhiều lời gọi cùng lúc hơn: bulkhead trong tệp khai báo dịch vụ.",
    ),
)
CIRCUIT_OPEN: Final = ProblemType(
    code="circuit-open",
    status=503,
    title=BilingualText("Provider left alone", "Hệ thống cung cấp đang tạm nghỉ"),
    advice=BilingualText(
        "Repeat the call after the time in Retry-After; the request was not sent. If it lasts, tell the"
        " agency that provides the service the transaction id.",
        "Hãy gọi lại sau thời gian nêu trong Retry-After; yêu cầu chưa được gửi đi. Nếu kéo dài, hãy báo mã"
        " giao dịch cho cơ quan cung cấp dịch vụ.",
    ),
)
PROVIDER_ADDRESS_REFUSED: Final = ProblemType(
    code="provider-address-refused",
    status=502,
    title=BilingualText("Provider's address not allowed", "Địa chỉ của hệ thống cung cấp không được phép"),
    advice=BilingualText(
        "Tell the agency that provides the service the transaction id: it has to register another address,"
        " or the operator has to allow this one.",
        "Hãy báo mã giao dịch cho cơ quan cung cấp dịch vụ: cơ quan cần đăng ký địa chỉ khác, hoặc đơn vị "
        "vận hành phải cho phép địa chỉ này.",
    ),
)
PROVIDER_CREDENTIALS_MISSING: Final = ProblemType(
    code="provider-credentials-missing",
    status=503,
    title=BilingualText(
        "Credentials for the provider missing", "Thiếu thông tin xác thực với hệ thống cung cấp"
    ),
    advice=BilingualText(
        "Tell the operator of the platform the transaction id and the name in the detail: the gateways need"
        " the secret of this name (LIENTHONG_GATEWAY_SECRETS_DIR). Calls pass seconds after it is there.",
        "Hãy báo đơn vị vận hành nền tảng mã giao dịch và tên ghi ở phần chi tiết: các cổng cần bí mật mang"
        " tên này (LIENTHONG_GATEWAY_SECRETS_DIR). Lời gọi sẽ qua được sau vài giây khi đã có.",
    ),
)
PROVIDER_TOKEN_UNAVAILABLE: Final = ProblemType(
    code="provider-token-unavailable",
    status=502,
    title=BilingualText(
        "No access token from the provider's side", "Phía hệ thống cung cấp không cấp mã truy cập"
    ),
    advice=BilingualText(
        "Try again after the seconds that Retry-After names. If it lasts, tell the agency that provides the"
        " service the transaction id: its token endpoint, or the client that it gave to the platform, fails.",
        "Hãy thử lại sau số giây nêu trong Retry-After. Nếu còn lỗi, hãy báo mã giao dịch cho cơ quan cung"
        " cấp dịch vụ: nơi cấp mã truy cập của cơ quan, hoặc tài khoản cấp cho nền tảng, không hoạt động.",
    ),
)
PROVIDER_BROKEN: Final = ProblemType(
    code="provider-broken",
    status=502,
    title=BilingualText("Invalid answer from the provider", "Hệ thống cung cấp trả lời sai giao thức"),
    advice=BilingualText(
        "Tell the agency that provides the service the transaction id. Before you repeat a request that"
        " changes data, ask whether it took effect.",
        "Hãy báo mã giao dịch cho cơ quan cung cấp dịch vụ. Với yêu cầu làm thay đổi dữ liệu, hãy hỏi "
        "xem yêu cầu đã được thực hiện chưa trước khi gửi lại.",
    ),
)
ANSWER_NOT_SHAPABLE: Final = ProblemType(
    code="answer-not-shapable",
    status=502,
    title=BilingualText("Answer without the agreed form", "Trả lời không đúng dạng đã thoả thuận"),
    advice=BilingualText(
        "Tell the agency that provides the service the transaction id: it has to answer with JSON in UTF-8,"
        " without content coding and without a name twice in an object, in the form that the agreement's"
        " fields are for.",
        "Hãy báo mã giao dịch cho cơ quan cung cấp dịch vụ: trả lời phải là JSON mã hoá UTF-8, không nén,"
        " không lặp tên trường trong một đối tượng, và có cấu trúc như các trường nêu trong thoả thuận.",
    ),
)
ANSWER_TOO_LARGE: Final = ProblemType(
    code="answer-too-large",
    status=502,
    title=BilingualText("Answer too large for the agreed fields", "Trả lời quá lớn để lọc theo thoả thuận"),
    advice=BilingualText(
        "Ask for less at a time, for example by pages; the detail says who may raise the limit.",
        "Hãy yêu cầu ít dữ liệu hơn mỗi lần, ví dụ theo trang; phần chi tiết cho biết ai có thể nâng giới"
        " hạn.",
    ),
)
DIGEST_MISMATCH: Final = ProblemType(
    code="digest-mismatch",
    status=400,
    title=BilingualText("The body is not the one that was announced", "Nội dung không khớp mã băm đã nêu"),
    advice=BilingualText(
        "The body was changed or cut off on its way, or the digest is not of the bytes that are sent: send "
        "it again, with Content-Digest over the content as it goes (RFC 9530).",
        "Nội dung bị thay đổi hoặc cắt cụt trên đường, hoặc mã băm không tính trên các byte được gửi: hãy "
        "gửi lại, với Content-Digest tính trên nội dung như khi gửi (RFC 9530).",
    ),
)
REQUEST_NOT_VALID: Final = ProblemType(
    code="request-not-valid",
    status=400,
    title=BilingualText(
        "The request is not as the service's document says",
        "Yêu cầu không đúng tài liệu dịch vụ",
    ),
    advice=BilingualText(
        "Correct what `errors` names: each has the parameter (such as /query/limit) or the place in the body "
        "(a JSON pointer), and the rule that it breaks. The service's OpenAPI document is in the catalog.",
        "Sửa các chỗ nêu trong `errors`: mỗi mục có tham số (ví dụ /query/limit) hoặc vị trí trong nội dung "
        "(JSON pointer) và quy tắc bị vi phạm. Tài liệu OpenAPI của dịch vụ có trong danh mục.",
    ),
)
ANSWER_NOT_VALID: Final = ProblemType(
    code="answer-not-valid",
    status=502,
    title=BilingualText(
        "The provider's answer is not as its document says",
        "Trả lời của hệ thống cung cấp không đúng tài liệu",
    ),
    advice=BilingualText(
        "Tell the provider; `errors` has the places in its schema. A call that changes something may have "
        "taken effect all the same.",
        "Báo cho bên cung cấp; `errors` nêu các vị trí trong lược đồ. Lời gọi làm thay đổi dữ liệu có thể "
        "vẫn đã có hiệu lực.",
    ),
)
PROVIDER_TIMEOUT: Final = ProblemType(
    code="provider-timeout",
    status=504,
    title=BilingualText("Provider too slow", "Hệ thống cung cấp trả lời quá chậm"),
    advice=BilingualText(
        "Try again later. Before you repeat a request that changes data, ask the agency that provides "
        "the service whether it took effect; tell it the transaction id.",
        "Hãy thử lại sau. Với yêu cầu làm thay đổi dữ liệu, trước khi gửi lại hãy hỏi cơ quan cung cấp "
        "xem yêu cầu đã được thực hiện chưa, kèm mã giao dịch.",
    ),
)
AUDIT_UNAVAILABLE: Final = ProblemType(
    code="audit-unavailable",
    status=503,
    title=BilingualText("Audit log unavailable", "Không ghi được nhật ký kiểm toán"),
    advice=BilingualText(
        "Try again after the seconds that Retry-After names. A request that changes data may have taken"
        " effect at the provider already.",
        "Hãy thử lại sau số giây nêu trong Retry-After. Yêu cầu làm thay đổi dữ liệu có thể đã được "
        "thực hiện ở hệ thống cung cấp.",
    ),
)
