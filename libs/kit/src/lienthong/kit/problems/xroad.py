"""Problems of calls that come as X-Road's or GovStack's clients send them."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

INVALID_CLIENT_IDENTIFIER: Final = ProblemType(
    code="invalid-client-identifier",
    status=400,
    title=BilingualText("Client identifier missing or malformed", "Thiếu hoặc sai mã định danh bên gọi"),
    advice=BilingualText(
        "Name the calling system in X-Road-Client as INSTANCE/CLASS/MEMBER/SUBSYSTEM, such as"
        " VN-BTN/GOV/H11.01/one-stop; listClients has them all.",
        "Hãy nêu hệ thống gọi trong X-Road-Client theo dạng INSTANCE/CLASS/MEMBER/SUBSYSTEM, ví dụ"
        " VN-BTN/GOV/H11.01/one-stop; listClients liệt kê tất cả.",
    ),
)
INVALID_SECURITY_SERVER: Final = ProblemType(
    code="invalid-security-server",
    status=400,
    title=BilingualText("Security server not known here", "Máy chủ an toàn không thuộc hệ thống này"),
    advice=BilingualText(
        "Leave X-Road-Security-Server out: every service of this instance is reached by this gateway.",
        "Hãy bỏ X-Road-Security-Server: mọi dịch vụ của hệ thống này đều được gọi qua cổng này.",
    ),
)
UNKNOWN_MEMBER: Final = ProblemType(
    code="unknown-member",
    status=404,
    title=BilingualText("Unknown member or subsystem", "Thành viên hoặc hệ thống con không tồn tại"),
    advice=BilingualText(
        "The instance is that of this installation, the member class that of the agency, the member its code"
        " and the subsystem the code of the system: listClients has them all.",
        "Instance là mã của hệ thống này, member class là lớp của cơ quan, member là mã cơ quan và subsystem"
        " là mã hệ thống: listClients liệt kê tất cả.",
    ),
)
SERVICE_OF_SOAP: Final = ProblemType(
    code="service-of-soap",
    status=400,
    title=BilingualText("Service of SOAP", "Dịch vụ SOAP"),
    advice=BilingualText(
        "Services of SOAP are not called by X-Road's REST protocol: call this one at"
        " /api/AGENCY/SYSTEM/SERVICE.",
        "Dịch vụ SOAP không gọi được bằng giao thức REST của X-Road: hãy gọi tại"
        " /api/CƠ_QUAN/HỆ_THỐNG/DỊCH_VỤ.",
    ),
)
CLIENT_NOT_PROVEN: Final = ProblemType(
    code="client-not-proven",
    status=403,
    title=BilingualText("Client not proven", "Chưa chứng minh được bên gọi"),
    advice=BilingualText(
        "How the system proves itself stands in its manifest ('xroad'): by an access token of its own, by"
        " the network that it calls from, which the operator has to trust too, or by a certificate that it"
        " shows at the edge.",
        "Cách hệ thống chứng minh mình được ghi trong tệp khai báo ('xroad'): bằng mã truy cập của chính nó,"
        " bằng mạng mà nó gọi từ đó và đơn vị vận hành cũng phải tin cậy, hoặc bằng chứng thư xuất trình tại"
        " cửa ngõ (edge).",
    ),
)
