"""Problems of the catalog."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

NOT_ALLOWED: Final = ProblemType(
    code="not-allowed",
    status=403,
    title=BilingualText("Not allowed", "Không được phép"),
    advice=BilingualText(
        "Use credentials of the party that the detail names: --as operator, or --as a system of the "
        "providing or the requesting agency.",
        "Hãy dùng thông tin xác thực của bên được nêu trong phần chi tiết: --as operator, hoặc --as một"
        " hệ thống của cơ quan cung cấp hay cơ quan đề nghị.",
    ),
)
SUSPENDED_BY_PLATFORM: Final = ProblemType(
    code="suspended-by-platform",
    status=403,
    title=BilingualText("Suspended by the platform", "Do nền tảng tạm ngừng"),
    advice=BilingualText(
        "Ask the operator of the platform, or its security officer, to let it go on; say what was"
        " done about the cause.",
        "Hãy đề nghị người vận hành hoặc cán bộ an toàn thông tin của nền tảng cho hoạt động trở"
        " lại, và nêu cách đã xử lý nguyên nhân.",
    ),
)
UNKNOWN_RESOURCE: Final = ProblemType(
    code="unknown-resource",
    status=404,
    title=BilingualText("Unknown resource", "Không có trong danh mục"),
    advice=BilingualText(
        "See what the catalog holds: lienthong get agencies|systems|services|agreements|event-types",
        "Hãy xem danh mục: lienthong get agencies|systems|services|agreements|event-types",
    ),
)
CONFLICT: Final = ProblemType(
    code="conflict",
    status=409,
    title=BilingualText("Conflict", "Xung đột"),
    advice=BilingualText(
        "What was sent contradicts what the catalog holds already; 'errors' names each place and how to"
        " resolve it.",
        "Nội dung gửi lên mâu thuẫn với nội dung đã có trong danh mục; 'errors' nêu từng chỗ và cách xử lý.",
    ),
)
CHANGED_SINCE: Final = ProblemType(
    code="changed-since",
    status=412,
    title=BilingualText("Changed since it was read", "Đã thay đổi từ lần đọc"),
    advice=BilingualText(
        "Someone has changed it meanwhile. Read it again, look at what is different, and send yours with the"
        " new ETag in If-Match, or in a manifest with the new metadata.version.",
        "Đã có người thay đổi trong lúc đó. Hãy đọc lại, xem nội dung khác, rồi gửi với ETag mới trong"
        " If-Match, hoặc với metadata.version mới trong tệp khai báo.",
    ),
)
TOO_MANY_OPEN_REQUESTS: Final = ProblemType(
    code="too-many-open-requests",
    status=409,
    title=BilingualText("Too many open requests", "Quá nhiều đề nghị đang chờ duyệt"),
    advice=BilingualText(
        "See which wait (lienthong get agreements --consumer SYSTEM --status requested), and ask the"
        " providers to decide on them. Sending again helps only after that.",
        "Hãy xem các đề nghị đang chờ (lienthong get agreements --consumer HỆ_THỐNG --status requested) và đề"
        " nghị bên cung cấp quyết định. Chỉ gửi lại sau đó.",
    ),
)
TOO_MANY_SYSTEMS: Final = ProblemType(
    code="too-many-systems",
    status=409,
    title=BilingualText("Too many systems", "Quá nhiều hệ thống"),
    advice=BilingualText(
        "Change a system that the agency has, or ask the operator of the platform to register the new one or"
        " to raise the number (LIENTHONG_CATALOG_SYSTEMS_PER_AGENCY). Nothing of this request was applied.",
        "Hãy sửa hệ thống mà cơ quan đã có, hoặc đề nghị đơn vị vận hành nền tảng đăng ký giúp hay nâng mức"
        " (LIENTHONG_CATALOG_SYSTEMS_PER_AGENCY). Chưa có nội dung nào của yêu cầu này được áp dụng.",
    ),
)
INVALID_MANIFESTS: Final = ProblemType(
    code="invalid-manifests",
    status=422,
    title=BilingualText("Invalid manifests", "Tệp khai báo không hợp lệ"),
    advice=BilingualText(
        "Correct every place that 'errors' names, then apply again; nothing of this request was applied.",
        "Hãy sửa mọi chỗ được nêu trong 'errors' rồi gửi lại; chưa có nội dung nào của yêu cầu này được"
        " áp dụng.",
    ),
)
