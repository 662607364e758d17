"""Problems of events and subscriptions."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

MALFORMED_EVENT: Final = ProblemType(
    code="malformed-event",
    status=400,
    title=BilingualText("Malformed event", "Sự kiện sai định dạng"),
    advice=BilingualText(
        "Correct every place that 'errors' names; the format is CloudEvents 1.0 (https://cloudevents.io).",
        "Hãy sửa mọi chỗ được nêu trong 'errors'; định dạng là CloudEvents 1.0 (https://cloudevents.io).",
    ),
)
NOT_THE_PROVIDER: Final = ProblemType(
    code="not-the-provider",
    status=403,
    title=BilingualText("Not the provider", "Không phải hệ thống cung cấp"),
    advice=BilingualText(
        "Publish with the credentials of the system that the event type belongs to (--as FOLDER).",
        "Hãy gửi sự kiện bằng thông tin xác thực của hệ thống sở hữu loại sự kiện (--as THƯ_MỤC).",
    ),
)
PROVIDER_SUSPENDED: Final = ProblemType(
    code="provider-suspended",
    status=403,
    title=BilingualText("Provider suspended", "Bên cung cấp đang bị tạm ngừng"),
    advice=BilingualText(
        "Wait until the event type and its system are active again; ask the operator of the platform or"
        " the providing agency.",
        "Hãy chờ đến khi loại sự kiện và hệ thống cung cấp hoạt động trở lại; liên hệ đơn vị vận hành "
        "nền tảng hoặc cơ quan cung cấp.",
    ),
)
UNKNOWN_EVENT_TYPE: Final = ProblemType(
    code="unknown-event-type",
    status=404,
    title=BilingualText("Unknown event type", "Loại sự kiện không tồn tại"),
    advice=BilingualText(
        "See the event types of the catalog: lienthong get event-types",
        "Hãy xem các loại sự kiện trong danh mục: lienthong get event-types",
    ),
)
UNKNOWN_SUBSCRIPTION: Final = ProblemType(
    code="unknown-subscription",
    status=404,
    title=BilingualText("Unknown subscription", "Đăng ký nhận sự kiện không tồn tại"),
    advice=BilingualText(
        "Create the subscription first: lienthong events subscribe NAME --type TYPE. See yours with: "
        "lienthong events list",
        "Hãy tạo đăng ký trước: lienthong events subscribe TÊN --type LOẠI. Xem các đăng ký hiện có: "
        "lienthong events list",
    ),
)
EVENT_ID_REUSED: Final = ProblemType(
    code="event-id-reused",
    status=409,
    title=BilingualText("Event id used twice", "Mã sự kiện đã được dùng"),
    advice=BilingualText(
        "Give each event of a source an id of its own. A retry must be the same event in every "
        "attribute and in its data.",
        "Hãy đặt cho mỗi sự kiện của cùng một nguồn một mã riêng. Khi gửi lại, mọi thuộc tính và dữ "
        "liệu của sự kiện phải giữ nguyên.",
    ),
)
SUBSCRIPTION_EXISTS: Final = ProblemType(
    code="subscription-exists",
    status=409,
    title=BilingualText("Subscription exists", "Tên đăng ký đã được dùng"),
    advice=BilingualText(
        "Choose another name, or delete the subscription and create it anew.",
        "Hãy chọn tên khác, hoặc xoá đăng ký rồi tạo lại.",
    ),
)
TOO_MANY_SUBSCRIPTIONS: Final = ProblemType(
    code="too-many-subscriptions",
    status=409,
    title=BilingualText("Too many subscriptions", "Quá nhiều đăng ký nhận sự kiện"),
    advice=BilingualText(
        "Delete a subscription that is not needed any more: lienthong events list shows them.",
        "Hãy xoá đăng ký không còn dùng; xem danh sách: lienthong events list",
    ),
)
EVENT_TOO_LARGE: Final = ProblemType(
    code="event-too-large",
    status=413,
    title=BilingualText("Event too large", "Sự kiện quá lớn"),
    advice=BilingualText(
        "Put a link to large data into the event instead of the data itself.",
        "Với dữ liệu lớn, hãy đưa đường dẫn đến dữ liệu vào sự kiện thay cho chính dữ liệu.",
    ),
)
BATCH_TOO_LARGE: Final = ProblemType(
    code="batch-too-large",
    status=413,
    title=BilingualText("Wrong number of events in the batch", "Số sự kiện trong lô không hợp lệ"),
    advice=BilingualText(
        "Send the events in several requests; the detail names how many a batch may hold.",
        "Hãy chia thành nhiều yêu cầu; số sự kiện tối đa của một lô được nêu trong phần chi tiết.",
    ),
)
SCHEMA_MISMATCH: Final = ProblemType(
    code="schema-mismatch",
    status=422,
    title=BilingualText("Event does not match its type", "Sự kiện không khớp với loại sự kiện"),
    advice=BilingualText(
        "Correct every place that 'errors' names; the schema is in the catalog: lienthong get "
        "event-type ID -o yaml",
        "Hãy sửa mọi chỗ được nêu trong 'errors'; lược đồ có trong danh mục: lienthong get event-type "
        "MÃ -o yaml",
    ),
)
SCHEMA_UNUSABLE: Final = ProblemType(
    code="schema-unusable",
    status=422,
    title=BilingualText(
        "Schema of the event type cannot be used", "Lược đồ của loại sự kiện không dùng được"
    ),
    advice=BilingualText(
        "Correct the schema of the event type in the catalog: lienthong apply -f FILE",
        "Hãy sửa lược đồ của loại sự kiện trong danh mục: lienthong apply -f TỆP",
    ),
)
BUS_UNAVAILABLE: Final = ProblemType(
    code="bus-unavailable",
    status=503,
    title=BilingualText("Event bus unavailable", "Trục sự kiện tạm thời gián đoạn"),
    advice=BilingualText(
        "Send the same request again after the seconds that Retry-After names; an event that was "
        "accepted already is not accepted twice.",
        "Hãy gửi lại nguyên yêu cầu sau số giây nêu trong Retry-After; sự kiện đã được nhận sẽ không bị"
        " nhận hai lần.",
    ),
)
EVENT_STORE_FULL: Final = ProblemType(
    code="event-store-full",
    status=507,
    title=BilingualText("No room for events", "Hết chỗ lưu sự kiện"),
    advice=BilingualText(
        "Keep the events and send the same request again later; an event that was accepted already is not "
        "accepted twice. Tell the operator of the platform: LIENTHONG_EVENTS_MAX_BYTES is too small, "
        "or events are stored for too long (LIENTHONG_EXCHANGE_RETENTION_DAYS).",
        "Hãy giữ lại sự kiện và gửi lại nguyên yêu cầu sau; sự kiện đã được nhận sẽ không bị nhận hai lần. "
        "Hãy báo đơn vị vận hành nền tảng: LIENTHONG_EVENTS_MAX_BYTES quá nhỏ, hoặc sự kiện được lưu quá "
        "lâu (LIENTHONG_EXCHANGE_RETENTION_DAYS).",
    ),
)
