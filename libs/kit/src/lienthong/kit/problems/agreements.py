"""Problems of agreements: what the calling system may use, and for what."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

NO_AGREEMENT: Final = ProblemType(
    code="no-agreement",
    status=403,
    title=BilingualText("No agreement", "Chưa có thoả thuận chia sẻ dữ liệu"),
    advice=BilingualText(
        "Request an agreement, then have the providing agency approve it: lienthong agreement request "
        "ID --service SERVICE --purpose PURPOSE --legal-ground TEXT",
        "Hãy đề nghị một thoả thuận rồi chờ cơ quan cung cấp phê duyệt: lienthong agreement request MÃ "
        "--service DỊCH_VỤ --purpose MỤC_ĐÍCH --legal-ground CĂN_CỨ",
    ),
)
AGREEMENT_PENDING: Final = ProblemType(
    code="agreement-pending",
    status=403,
    title=BilingualText("Agreement awaiting approval", "Thoả thuận đang chờ phê duyệt"),
    advice=BilingualText(
        "Wait until the providing agency has decided, or ask it to: lienthong get agreement ID shows "
        "the state.",
        "Hãy chờ hoặc đề nghị cơ quan cung cấp xem xét; xem trạng thái: lienthong get agreement MÃ",
    ),
)
AGREEMENT_NOT_YET_VALID: Final = ProblemType(
    code="agreement-not-yet-valid",
    status=403,
    title=BilingualText("Agreement not valid yet", "Thoả thuận chưa có hiệu lực"),
    advice=BilingualText(
        "Wait until the day from which the agreement is valid; the detail names it.",
        "Hãy chờ đến ngày thoả thuận bắt đầu có hiệu lực, nêu trong phần chi tiết.",
    ),
)
AGREEMENT_EXPIRED: Final = ProblemType(
    code="agreement-expired",
    status=403,
    title=BilingualText("Agreement expired", "Thoả thuận đã hết hiệu lực"),
    advice=BilingualText(
        "Request a new agreement under a new id, for the time to come: lienthong agreement request ID "
        "--service SERVICE --purpose PURPOSE --legal-ground TEXT",
        "Hãy đề nghị một thoả thuận mới, với mã mới, cho thời gian tới: lienthong agreement request MÃ "
        "--service DỊCH_VỤ --purpose MỤC_ĐÍCH --legal-ground CĂN_CỨ",
    ),
)
AGREEMENT_SUSPENDED: Final = ProblemType(
    code="agreement-suspended",
    status=403,
    title=BilingualText("Agreement suspended", "Thoả thuận đang tạm ngừng"),
    advice=BilingualText(
        "Ask the providing agency when it goes on, and what it takes; the reason is in: lienthong agreement "
        "history ID",
        "Hãy hỏi cơ quan cung cấp khi nào tiếp tục và cần làm gì; lý do xem tại: lienthong agreement history "
        "MÃ",
    ),
)
AGREEMENT_REVOKED: Final = ProblemType(
    code="agreement-revoked",
    status=403,
    title=BilingualText("Agreement revoked", "Thoả thuận đã bị thu hồi"),
    advice=BilingualText(
        "Ask the providing agency why it revoked the agreement; what is still needed takes a new "
        "agreement, under a new id.",
        "Hãy liên hệ cơ quan cung cấp để biết lý do thu hồi; nếu vẫn có nhu cầu, hãy đề nghị một thoả "
        "thuận mới với mã mới.",
    ),
)
AGREEMENT_CLOSED: Final = ProblemType(
    code="agreement-closed",
    status=403,
    title=BilingualText("Outside the agreed hours", "Ngoài giờ đã thoả thuận"),
    advice=BilingualText(
        "Call at the agreed hours; the detail names when they begin next, Retry-After in how many seconds.",
        "Hãy gọi trong giờ đã thoả thuận; phần chi tiết nêu lúc bắt đầu tiếp theo, Retry-After nêu số giây.",
    ),
)
OPERATION_NOT_IN_AGREEMENT: Final = ProblemType(
    code="operation-not-in-agreement",
    status=403,
    title=BilingualText("Operation not in the agreement", "Thao tác nằm ngoài thoả thuận"),
    advice=BilingualText(
        "See which operations the agreement allows (lienthong get agreements -o yaml); request another "
        "agreement for more.",
        "Hãy xem thoả thuận cho phép những thao tác nào (lienthong get agreements -o yaml); nếu cần "
        "thêm, hãy đề nghị thoả thuận khác.",
    ),
)
PURPOSE_NOT_IN_AGREEMENT: Final = ProblemType(
    code="purpose-not-in-agreement",
    status=403,
    title=BilingualText("Purpose not in the agreement", "Mục đích nằm ngoài thoả thuận"),
    advice=BilingualText(
        "Name a purpose of the agreement in the header LGSP-Purpose (lienthong call --purpose); see "
        "them with: lienthong get agreements -o yaml",
        "Hãy nêu một mục đích có trong thoả thuận bằng trường LGSP-Purpose (lienthong call --purpose); "
        "xem: lienthong get agreements -o yaml",
    ),
)
