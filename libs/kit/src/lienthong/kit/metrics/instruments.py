"""Every figure that a process of the platform shows: one registry, from which the reference page is written.

Names are those of OpenTelemetry's semantic conventions where there is one for the thing, else they begin with
`lienthong.`. Attributes have few values, all of the platform's own choosing: never a path, a person, a client
or a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from lienthong.kit.processes import PROCESSES
from lienthong.kit.text import BilingualText

_SERVICES: Final = PROCESSES[1:]
_WITH_OUTBOX: Final = ("catalog", "identity", "exchange")


@dataclass(frozen=True, slots=True)
class Instrument:
    """A figure: what it counts, in which unit (UCUM, as OpenTelemetry writes it), and what tells it apart."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    unit: str
    text: BilingualText
    attributes: tuple[str, ...] = ()
    processes: tuple[str, ...] = PROCESSES


REGISTRY: Final[dict[str, Instrument]] = {}
"""Every instrument by its name, in the order in which the reference page has them."""


def _figure(
    name: str,
    kind: Literal["gauge", "counter", "histogram"],
    unit: str,
    en: str,
    vi: str,
    *,
    attributes: tuple[str, ...] = (),
    processes: tuple[str, ...] = PROCESSES,
) -> Instrument:
    instrument = Instrument(name, kind, unit, BilingualText(en, vi), attributes, processes)
    if name in REGISTRY:
        raise ValueError(f"two instruments are named {name}")
    REGISTRY[name] = instrument
    return instrument


REQUEST_DURATION = _figure(
    "http.server.request.duration",
    "histogram",
    "s",
    "Requests answered, and how long each took; in the gateway until its record was durable and it was sent",
    "Các yêu cầu đã trả lời và thời gian xử lý; ở cổng tính đến khi bản ghi đã bền vững và đã gửi trả lời",
    attributes=(
        "lgsp.service",
        "http.route",
        "http.request.method",
        "url.scheme",
        "http.response.status_code",
        "error.type",
    ),
)
ACTIVE_REQUESTS = _figure(
    "http.server.active_requests",
    "gauge",
    "{request}",
    "Requests being served now",
    "Số yêu cầu đang xử lý",
)
RESTING_ADDRESSES = _figure(
    "lienthong.providers.resting",
    "gauge",
    "{address}",
    "Addresses of providers that failed, and are left alone for a while",
    "Số địa chỉ của các bên cung cấp đang tạm nghỉ vì bị lỗi",
    processes=("gateway",),
)
PROVIDER_CIRCUITS = _figure(
    "lienthong.providers.circuits",
    "gauge",
    "{address}",
    "Addresses of a service that calls do not simply go to: open, half-open or returning",
    "Số địa chỉ của một dịch vụ không được gọi bình thường: đang nghỉ (open), đang thử (half-open) hoặc đang"
    " trở lại (returning)",
    attributes=("lgsp.service", "lienthong.circuit"),
    processes=("gateway",),
)
PROVIDER_CHECKS = _figure(
    "lienthong.providers.checks",
    "counter",
    "{check}",
    "Health checks of providers' addresses, by what they found: passed or failed",
    "Số lần kiểm tra sức khoẻ địa chỉ của các bên cung cấp, theo kết quả: đạt (passed) hoặc không (failed)",
    attributes=("lienthong.check",),
    processes=("gateway",),
)
IDEMPOTENCY_REPLAYED = _figure(
    "lienthong.idempotency.replayed",
    "counter",
    "{request}",
    "Calls that were given the kept answer of an earlier one with the same Idempotency-Key",
    "Số lời gọi nhận lại câu trả lời đã giữ của lời gọi trước có cùng Idempotency-Key",
    processes=("gateway",),
)
BULKHEAD_WAITING = _figure(
    "lienthong.bulkheads.waiting",
    "gauge",
    "{request}",
    "Calls that wait for a place among those that their service takes at a time",
    "Số lời gọi đang chờ chỗ trong số lời gọi cùng lúc mà dịch vụ nhận",
    processes=("gateway",),
)
BULKHEAD_REFUSED = _figure(
    "lienthong.bulkheads.refused",
    "counter",
    "{request}",
    "Calls refused because their service takes no more at a time",
    "Số lời gọi bị từ chối vì dịch vụ không nhận thêm lời gọi cùng lúc",
    processes=("gateway",),
)
ENDLESS_ANSWERS = _figure(
    "lienthong.answers.endless",
    "gauge",
    "{answer}",
    "Answers without a known end that are passing now, such as server-sent events",
    "Số câu trả lời không biết trước điểm cuối đang truyền, chẳng hạn luồng sự kiện (SSE)",
    processes=("gateway",),
)
REFUSED = _figure(
    "lienthong.calls.refused",
    "counter",
    "{call}",
    "Calls that the gateway itself refused or could not finish, by the code of the problem",
    "Số lời gọi bị chính cổng từ chối hoặc không hoàn tất được, theo mã lỗi",
    attributes=("error.type",),
    processes=("gateway",),
)
CHECKED = _figure(
    "lienthong.bodies.checked",
    "counter",
    "{body}",
    "Requests, their parameters and body together, and answers that were checked against the document of "
    "their service, by what was found: unchecked are those that were too large or took too long",
    "Số yêu cầu (tham số cùng nội dung) và trả lời được kiểm tra theo tài liệu của dịch vụ, theo kết quả: "
    "unchecked là quá lớn hoặc mất quá nhiều thời gian",
    attributes=("lgsp.service", "lienthong.part", "lienthong.outcome"),
    processes=("gateway",),
)
LIMITS_REFUSED = _figure(
    "lienthong.limits.refused",
    "counter",
    "{call}",
    "Calls refused because a limit of their agreement was used up, by the kind of limit",
    "Số lời gọi bị từ chối vì hết hạn mức của thoả thuận, theo loại hạn mức",
    attributes=("lienthong.limit",),
    processes=("gateway",),
)
LIMITS_COUNTED = _figure(
    "lienthong.limits.agreements",
    "gauge",
    "{agreement}",
    "Agreements with limits whose use each worker counts to the second",
    "Số thoả thuận có hạn mức mà mỗi tiến trình đang đếm tới từng giây",
    processes=("gateway",),
)
LIMITS_OTHERS = _figure(
    "lienthong.limits.others",
    "gauge",
    "{process}",
    "Other processes, of all gateways, whose use of agreements a worker hears of",
    "Số tiến trình khác, của mọi cổng, đang cho biết mức sử dụng thoả thuận",
    processes=("gateway",),
)
LIMITS_LEFT_OUT = _figure(
    "lienthong.limits.left_out",
    "counter",
    "{count}",
    "Counts of other processes that were not taken in: there are too many, or they are of another day",
    "Số số đếm của tiến trình khác không được nhận: quá nhiều, hoặc thuộc ngày khác",
    processes=("gateway",),
)
PROOFS_SEEN = _figure(
    "lienthong.proofs.seen",
    "gauge",
    "{proof}",
    "DPoP proofs used within the last two minutes, here or at other processes, that each worker remembers",
    "Số DPoP proof đã dùng trong hai phút qua, tại đây hoặc ở tiến trình khác, mà mỗi tiến trình đang nhớ",
    processes=("gateway",),
)
SERVER_CONNECTIONS = _figure(
    "lienthong.server.connections",
    "gauge",
    "{connection}",
    "Connections open on the port that serves requests",
    "Số kết nối đang mở tới cổng mạng phục vụ yêu cầu",
)
CLIENT_CONNECTIONS = _figure(
    "http.client.open_connections",
    "gauge",
    "{connection}",
    "Connections open to providers and to the platform's services",
    "Số kết nối đang mở tới các hệ thống cung cấp và các dịch vụ của nền tảng",
    attributes=("http.connection.state",),
    processes=("gateway",),
)
WORKERS = _figure(
    "lienthong.gateway.workers",
    "gauge",
    "{worker}",
    "Worker processes that this gateway is set to have; each has the label of its own number",
    "Số tiến trình phục vụ mà cổng được cấu hình; mỗi tiến trình có nhãn số riêng",
    processes=("gateway",),
)
WORKER_REPLACEMENTS = _figure(
    "lienthong.gateway.worker.replacements",
    "counter",
    "{worker}",
    "Worker processes that were replaced, because they had ended or because their event loop stood still "
    "(`stuck`)",
    "Số tiến trình phục vụ đã bị thay thế, vì đã dừng hoặc vì vòng lặp sự kiện đứng yên (`stuck`)",
    attributes=("lienthong.reason",),
    processes=("gateway",),
)
CHECK = _figure(
    "lienthong.health.check",
    "gauge",
    "{check}",
    "1 while the readiness check passes, 0 while it fails",
    "1 khi mục kiểm tra sẵn sàng đạt, 0 khi không đạt",
    attributes=("lienthong.check",),
)
BUS_CONNECTED = _figure(
    "lienthong.bus.connected",
    "gauge",
    "{connection}",
    "1 while a NATS server answers, else 0",
    "1 khi máy chủ NATS trả lời, nếu không thì 0",
)
REPLICA_AGE = _figure(
    "lienthong.replica.age",
    "gauge",
    "s",
    "How long ago the peer confirmed the state that this process decides by: routes, keys, catalog",
    "Bên nguồn xác nhận bản sao (định tuyến, khoá, danh mục) cách đây bao lâu",
    attributes=("replica",),
    processes=("gateway", "catalog", "exchange", "ledger"),
)
REPLICA_FOLLOWING = _figure(
    "lienthong.replica.following",
    "gauge",
    "1",
    "1 while a replica is the peer's present state, 0 while its stream is lost, late or cannot be used",
    "1 khi bản sao đúng là trạng thái hiện tại của bên nguồn, 0 khi luồng mất, trễ hoặc không dùng được",
    attributes=("replica",),
    processes=("gateway", "catalog", "exchange", "ledger"),
)
REPLICA_AGE_LIMIT = _figure(
    "lienthong.replica.age.limit",
    "gauge",
    "s",
    "The age from which a replica is not used any more (LIENTHONG_STALE_AFTER_S)",
    "Tuổi tối đa mà bản sao còn được dùng (LIENTHONG_STALE_AFTER_S)",
)
JOURNAL_WAITING = _figure(
    "lienthong.journal.waiting",
    "gauge",
    "{record}",
    "Records of calls that are not durable yet; their answers wait",
    "Số bản ghi chưa bền vững; các câu trả lời tương ứng đang chờ",
    processes=("gateway",),
)
JOURNAL_RECORDS = _figure(
    "lienthong.journal.records",
    "counter",
    "{record}",
    "Records that became durable, on the bus or in the spool; shipping from the spool is not counted again",
    "Số bản ghi đã bền vững, trên NATS hoặc trong vùng đệm; chuyển từ vùng đệm đi không tính lại",
    attributes=("lienthong.destination",),
    processes=("gateway",),
)
JOURNAL_DURATION = _figure(
    "lienthong.journal.batch.duration",
    "histogram",
    "s",
    "Batches of records, and how long each took to become durable",
    "Các lô bản ghi và thời gian để mỗi lô trở nên bền vững",
    attributes=("lienthong.destination",),
    processes=("gateway",),
)
SPOOL_SIZE = _figure(
    "lienthong.spool.size",
    "gauge",
    "By",
    "Records on this machine's disk that the bus has not taken yet",
    "Dung lượng bản ghi trên đĩa máy này mà NATS chưa nhận",
    processes=("gateway",),
)
SPOOL_LIMIT = _figure(
    "lienthong.spool.limit",
    "gauge",
    "By",
    "How much the spool of this worker may hold; beyond it calls are refused",
    "Dung lượng tối đa của vùng đệm của tiến trình này; vượt quá thì lời gọi bị từ chối",
    processes=("gateway",),
)
SPOOL_AGE = _figure(
    "lienthong.spool.oldest.age",
    "gauge",
    "s",
    "How long the oldest file of the spool has waited; 0 when it is empty",
    "Tệp cũ nhất trong vùng đệm đã chờ bao lâu; 0 khi rỗng",
    processes=("gateway",),
)
SPOOL_DAMAGED = _figure(
    "lienthong.spool.damaged",
    "gauge",
    "{file}",
    "Files of the spool that were damaged and are kept aside; records in them may be missing in the ledger",
    "Số tệp vùng đệm bị hỏng được giữ riêng; bản ghi trong đó có thể thiếu trong sổ",
    processes=("gateway",),
)
RETAINED_SIZE = _figure(
    "lienthong.retained.size",
    "gauge",
    "By",
    "Copies of acknowledged records on this machine's disk, of all workers; sealed ones stay for a time",
    "Dung lượng bản sao các bản ghi đã được nhận, trên đĩa máy này, của mọi tiến trình",
    processes=("gateway",),
)
RETAINED_LIMIT = _figure(
    "lienthong.retained.limit",
    "gauge",
    "By",
    "How much these copies may take; beyond it the oldest are deleted",
    "Dung lượng tối đa của các bản sao đó; vượt quá thì xoá bản cũ nhất",
    processes=("gateway",),
)
RETAINED_AGE = _figure(
    "lienthong.retained.oldest.age",
    "gauge",
    "s",
    "How long the oldest batch that was asked about has waited for the ledger to seal it; 0 without any",
    "Lô bản ghi cũ nhất đã hỏi chờ sổ niêm phong bao lâu; 0 khi không có",
    processes=("gateway",),
)
RETAINED_MISSED = _figure(
    "lienthong.retained.missed",
    "counter",
    "{batch}",
    "Batches of which no copy could be written: the disk is full, broken or does not keep up",
    "Số lô bản ghi không ghi được bản sao: đĩa đầy, hỏng hoặc không theo kịp",
    processes=("gateway",),
)
RETAINED_DROPPED = _figure(
    "lienthong.retained.dropped",
    "counter",
    "{file}",
    "Files of copies that were deleted for lack of room before the ledger had sealed them",
    "Số tệp bản sao bị xoá vì thiếu chỗ trước khi sổ niêm phong",
    processes=("gateway",),
)
REPUBLISHED = _figure(
    "lienthong.journal.republished",
    "counter",
    "{batch}",
    "Batches that the bus had acknowledged and the ledger did not have, and that were published again",
    "Số lô bản ghi NATS đã nhận nhưng sổ không có, nên được gửi lại",
    processes=("gateway",),
)
LEDGER_CONTINUES = _figure(
    "lienthong.ledger.continues",
    "gauge",
    "1",
    "1 while the ledger shows a log that continues the one seen before, 0 while it is older or another one",
    "1 khi sổ nối tiếp sổ đã thấy trước đó, 0 khi sổ cũ hơn hoặc là sổ khác",
    processes=("gateway",),
)
ROUTES_VERSION = _figure(
    "lienthong.routes.version",
    "gauge",
    "{version}",
    "The catalog's version that calls are decided by; absent without a table that is recent enough",
    "Phiên bản danh mục đang dùng để quyết định lời gọi; không có nếu thiếu bảng đủ mới",
    processes=("gateway",),
)
ROUTES_SERVICES = _figure(
    "lienthong.routes.services",
    "gauge",
    "{service}",
    "Services in the routing table",
    "Số dịch vụ trong bảng định tuyến",
    processes=("gateway",),
)
CATALOG_VERSION = _figure(
    "lienthong.catalog.version",
    "gauge",
    "{version}",
    "The catalog's newest version",
    "Phiên bản mới nhất của danh mục",
    processes=("catalog",),
)
INDEX_AGE = _figure(
    "lienthong.exchange.index.age",
    "gauge",
    "s",
    "How long ago the index of accepted events was complete; while it is too old nothing is published",
    "Chỉ mục các sự kiện đã nhận đầy đủ cách đây bao lâu; quá cũ thì không nhận sự kiện mới",
    processes=("exchange",),
)
STREAM_LOSSES = _figure(
    "lienthong.exchange.stream.losses",
    "gauge",
    "{loss}",
    "How often the bus lost events, because its store was lost, damaged or replaced by an older copy",
    "Số lần trục sự kiện mất sự kiện, do kho lưu bị mất, bị hỏng hoặc bị thay bằng bản cũ hơn",
    processes=("exchange",),
)
OUTBOX_MESSAGES = _figure(
    "lienthong.outbox.messages",
    "gauge",
    "{message}",
    "Committed messages that the bus has not taken yet; counted up to 10,000",
    "Số thông điệp đã ghi nhưng NATS chưa nhận; đếm đến 10.000",
    processes=_WITH_OUTBOX,
)
OUTBOX_AGE = _figure(
    "lienthong.outbox.oldest.age",
    "gauge",
    "s",
    "How long the oldest of them has waited; 0 without any",
    "Thông điệp cũ nhất trong số đó đã chờ bao lâu; 0 khi không có",
    processes=_WITH_OUTBOX,
)
RECORDS_PUBLISHED_AGAIN = _figure(
    "lienthong.outbox.records.published.again",
    "counter",
    "{record}",
    "Audit records of administrative acts that the bus had lost before the ledger had them",
    "Bản ghi nhật ký về thao tác quản trị bị trục sự kiện làm mất trước khi vào sổ, đã gửi lại",
    processes=_WITH_OUTBOX,
)
HISTORY_MISSING = _figure(
    "lienthong.history.missing",
    "gauge",
    "{record}",
    "Acknowledged changes that are in the ledger and not in the database, which is an older copy",
    "Số thay đổi đã xác nhận có trong sổ nhật ký mà thiếu trong cơ sở dữ liệu, vì đó là bản cũ hơn",
    processes=_WITH_OUTBOX,
)
CONNECTIONS_DROPPED = _figure(
    "lienthong.http.connections.dropped",
    "counter",
    "{connection}",
    "Connections that the HTTP server closed: too many (`full`), no request came (`idle`, `slow`), no HTTP "
    "(`malformed`, `tls`, `version`), too large a head (`head`), or an answer that nobody took (`stalled`)",
    "Số kết nối bị máy chủ HTTP đóng: quá nhiều (`full`), không có yêu cầu (`idle`, `slow`), không phải HTTP "
    "(`malformed`, `tls`, `version`), phần đầu quá lớn (`head`), hoặc không ai nhận câu trả lời (`stalled`)",
    attributes=("reason",),
)
DISK_FREE = _figure(
    "lienthong.disk.free",
    "gauge",
    "By",
    "What is free on the disk of a process's state: of the gateway its spool, of a service its SQLite file",
    "Chỗ trống trên ổ đĩa chứa trạng thái của tiến trình: vùng đệm của cổng, tệp SQLite của dịch vụ",
)
DISK_SIZE = _figure(
    "lienthong.disk.size",
    "gauge",
    "By",
    "How large that disk is",
    "Dung lượng của ổ đĩa đó",
)
STREAM_FILLED = _figure(
    "lienthong.stream.filled",
    "gauge",
    "1",
    "The used part, 0 to 1, of what a stream of the bus may hold; full, it takes nothing more",
    "Phần dung lượng đã dùng, từ 0 đến 1, của một luồng trên NATS; khi đầy thì không nhận thêm",
    attributes=("stream",),
    processes=("catalog", "exchange", "ledger"),
)
POOL_CONNECTIONS = _figure(
    "db.client.connection.count",
    "gauge",
    "{connection}",
    "Connections to the database, in use and idle",
    "Số kết nối tới cơ sở dữ liệu, đang dùng và đang rỗi",
    attributes=("db.client.connection.pool.name", "db.client.connection.state"),
    processes=_SERVICES,
)
POOL_LIMIT = _figure(
    "db.client.connection.max",
    "gauge",
    "{connection}",
    "The most connections to the database that there may be",
    "Số kết nối tối đa tới cơ sở dữ liệu",
    attributes=("db.client.connection.pool.name",),
    processes=_SERVICES,
)
LEDGER_LAG = _figure(
    "lienthong.ledger.lag",
    "gauge",
    "{message}",
    "Messages of the journal that are not in the log yet",
    "Số thông điệp của luồng nhật ký chưa vào sổ",
    processes=("ledger",),
)
LEDGER_SIZE = _figure(
    "lienthong.ledger.size",
    "gauge",
    "{entry}",
    "Entries in the log",
    "Số bản ghi trong sổ",
    processes=("ledger",),
)
CHECKPOINT_AGE = _figure(
    "lienthong.ledger.checkpoint.age",
    "gauge",
    "s",
    "How long ago the newest checkpoint was signed; one is signed whenever the log grows",
    "Điểm kiểm mới nhất được ký cách đây bao lâu; mỗi lần sổ tăng thì ký một điểm kiểm",
    processes=("ledger",),
)
QUARANTINE = _figure(
    "lienthong.ledger.quarantine",
    "gauge",
    "{record}",
    "Records in quarantine; counted up to 10,000",
    "Số bản ghi bị cách ly; đếm đến 10.000",
    processes=("ledger",),
)
LOOP_LAG = _figure(
    "lienthong.event_loop.lag",
    "histogram",
    "s",
    "Ten times a second: how late the event loop woke up. Nothing is served meanwhile",
    "Mười lần mỗi giây: vòng lặp sự kiện thức dậy trễ bao lâu. Trong lúc đó không yêu cầu nào được xử lý",
)
MEMORY = _figure(
    "process.memory.usage",
    "gauge",
    "By",
    "Resident memory of the process",
    "Bộ nhớ thường trú của tiến trình",
)
DESCRIPTORS = _figure(
    "process.unix.file_descriptor.count",
    "gauge",
    "{file_descriptor}",
    "File descriptors open: files and connections",
    "Số mô tả tệp đang mở: tệp và kết nối",
)
DESCRIPTOR_LIMIT = _figure(
    "lienthong.process.file_descriptor.limit",
    "gauge",
    "{file_descriptor}",
    "The most file descriptors that may be open",
    "Số mô tả tệp tối đa được mở",
)
CPU_TIME = _figure(
    "process.cpu.time",
    "counter",
    "s",
    "Processor time used",
    "Thời gian bộ xử lý đã dùng",
    attributes=("cpu.mode",),
)
START_TIME = _figure(
    "process.start_time",
    "gauge",
    "s",
    "When the process started, as Unix time",
    "Thời điểm tiến trình khởi động, tính theo Unix time",
)
