"""Problems of the audit log."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

NOT_A_PARTY: Final = ProblemType(
    code="not-a-party",
    status=403,
    title=BilingualText("Not a party to the call", "Không phải một bên của giao dịch"),
    advice=BilingualText(
        "Use credentials of the system that called, of a system of the providing agency, or of an "
        "auditor (--as auditor).",
        "Hãy dùng thông tin xác thực của hệ thống đã gọi, của một hệ thống thuộc cơ quan cung cấp, hoặc"
        " của kiểm toán viên (--as auditor).",
    ),
)
NO_ACCEPTABLE_CODING: Final = ProblemType(
    code="no-acceptable-coding",
    status=406,
    title=BilingualText("No acceptable content coding", "Không có cách mã hoá nội dung phù hợp"),
    advice=BilingualText(
        "Send 'Accept-Encoding: gzip', or leave 'identity;q=0' and '*;q=0' out of that header.",
        "Hãy gửi 'Accept-Encoding: gzip', hoặc bỏ 'identity;q=0' và '*;q=0' khỏi trường này.",
    ),
)
UNKNOWN_TILE: Final = ProblemType(
    code="unknown-tile",
    status=404,
    title=BilingualText("Unknown tile", "Ô băm không tồn tại"),
    advice=BilingualText(
        "Request only tiles of a tree whose checkpoint you have verified.",
        "Chỉ yêu cầu các ô băm thuộc cây có điểm kiểm đã được xác minh.",
    ),
)
UNKNOWN_ENTRY: Final = ProblemType(
    code="unknown-entry",
    status=404,
    title=BilingualText("Unknown entry", "Bản ghi không tồn tại"),
    advice=BilingualText(
        "Entries are numbered from 0; the newest checkpoint (GET /audit/checkpoint) says how many there are.",
        "Các bản ghi được đánh số từ 0; điểm kiểm mới nhất (GET /audit/checkpoint) cho biết có bao "
        "nhiêu bản ghi.",
    ),
)
NOT_YET_RECORDED: Final = ProblemType(
    code="not-yet-recorded",
    status=404,
    title=BilingualText("Not yet recorded", "Chưa được ghi nhận"),
    advice=BilingualText(
        "Records enter the audit log within seconds: try again, and check that the transaction id is right.",
        "Bản ghi được đưa vào nhật ký kiểm toán trong vòng vài giây: hãy thử lại và kiểm tra mã giao "
        "dịch có đúng không.",
    ),
)
