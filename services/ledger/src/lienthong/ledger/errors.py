"""What can go wrong in the ledger: exceptions inside it, and the problems that callers are told."""

from lienthong.kit.problems import ProblemError


class LedgerMismatchError(Exception):
    """What is stored is not the log that was signed: nothing may be appended to it."""


class SigningKeyFileError(Exception):
    """The signing key is missing, unreadable or cannot be written."""


class OutOfOrderError(Exception):
    """A journal message came before an earlier one."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"journal message {found} came where {expected} was expected")
        self.expected = expected
        self.found = found


def unknown_tile(path: str) -> ProblemError:
    """No such tile, or not yet."""
    return ProblemError(
        "unknown-tile",
        404,
        "Unknown tile",
        f"The log has no {path}. Ask only for tiles of a tree whose checkpoint you have verified.",
        title_vi="Không có ô băm này",
        detail_vi=f"Nhật ký không có {path}. Chỉ yêu cầu các ô thuộc cây có điểm kiểm tra đã được xác minh.",
        headers={"Cache-Control": "no-store"},
    )


def unknown_entry(index: int) -> ProblemError:
    """No such entry, or not yet."""
    return ProblemError(
        "unknown-entry",
        404,
        "Unknown entry",
        f"The log has no entry {index} yet.",
        title_vi="Không có mục này",
        detail_vi=f"Nhật ký chưa có mục {index}.",
    )


def not_yet_recorded(tx: str, kind: str) -> ProblemError:
    """The transaction is not in the log, or not yet."""
    return ProblemError(
        "not-yet-recorded",
        404,
        "Not yet recorded",
        f"The log has no {kind} entry of the transaction {tx} yet. An answered call is integrated within"
        " moments: ask again; if it stays away, check the transaction id.",
        title_vi="Chưa được ghi nhận",
        detail_vi=f"Nhật ký chưa có mục {kind} của giao dịch {tx}. Lời gọi đã trả lời sẽ được ghi trong chốc"
        " lát: hãy hỏi lại; nếu vẫn không có, hãy kiểm tra mã giao dịch.",
        headers={"Retry-After": "1"},
    )


def not_a_party(tx: str) -> ProblemError:
    """The caller was on neither side of the call."""
    return ProblemError(
        "not-a-party",
        403,
        "Not a party to the call",
        f"A receipt of the transaction {tx} is given to the system that called, to systems of the agency that"
        " answered, and to auditors (scope audit:read).",
        title_vi="Không phải một bên của giao dịch",
        detail_vi=f"Biên nhận của giao dịch {tx} chỉ cấp cho hệ thống đã gọi, các hệ thống của cơ quan cung"
        " cấp và kiểm toán viên (phạm vi audit:read).",
    )
