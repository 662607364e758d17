"""What can go wrong in the ledger: exceptions inside it, and the problems that callers are told."""

from lienthong.kit.problems import ProblemError, general
from lienthong.kit.problems import ledger as kinds
from lienthong.kit.rates import RateLimit, limit_detail, limit_headers
from lienthong.kit.text import BilingualText


class LedgerMismatchError(Exception):
    """What is stored is not the log that was signed: nothing may be appended to it.

    `said` says what does not fit, where, and what to do.
    """

    def __init__(self, said: BilingualText) -> None:
        super().__init__(said.en)
        self.said = said


class SigningKeyFileError(Exception):
    """The signing key is missing, unreadable or cannot be written."""


class OutOfOrderError(Exception):
    """A journal message came before an earlier one."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"journal message {found} came where {expected} was expected")
        self.expected = expected
        self.found = found


class JournalChangedError(Exception):
    """The journal has other messages under numbers that are in the log already; says which."""


def unknown_tile(path: str) -> ProblemError:
    """No such tile, or not yet."""
    detail = BilingualText(f"The log has no {path}.", f"Nhật ký không có {path}.")
    return ProblemError(kinds.UNKNOWN_TILE, detail, {"Cache-Control": "no-store"})


def unknown_entry(index: int) -> ProblemError:
    """No such entry, or not yet."""
    detail = BilingualText(f"The log has no entry {index} yet.", f"Nhật ký chưa có bản ghi {index}.")
    return ProblemError(kinds.UNKNOWN_ENTRY, detail)


def no_acceptable_coding() -> ProblemError:
    """The caller accepts neither gzip nor the uncompressed content (RFC 9110 §12.5.3)."""
    detail = BilingualText(
        "The content is available as gzip or uncompressed; the request's Accept-Encoding excludes both.",
        "Nội dung chỉ có ở dạng gzip hoặc không nén; trường Accept-Encoding của yêu cầu loại trừ cả hai.",
    )
    return ProblemError(kinds.NO_ACCEPTABLE_CODING, detail, {"Cache-Control": "no-store"})


def not_yet_recorded(tx: str, kind: str) -> ProblemError:
    """The transaction is not in the log, or not yet."""
    detail = BilingualText(
        f"The log has no {kind} entry of the transaction {tx} yet.",
        f"Nhật ký chưa có bản ghi loại {kind} của giao dịch {tx}.",
    )
    return ProblemError(kinds.NOT_YET_RECORDED, detail, {"Retry-After": "1"})


def not_a_party(tx: str) -> ProblemError:
    """The caller was on neither side of the call."""
    detail = BilingualText(
        f"A receipt of the transaction {tx} is given to the system that called, to systems of the agency that"
        " answered, and to auditors (scope audit:read).",
        f"Biên nhận của giao dịch {tx} chỉ cấp cho hệ thống đã gọi, các hệ thống của cơ quan cung cấp và kiểm"
        " toán viên (phạm vi audit:read).",
    )
    return ProblemError(kinds.NOT_A_PARTY, detail)


def not_a_period(days: int) -> ProblemError:
    """The end is not after the beginning, or too long after it."""
    detail = BilingualText(
        f"`from` is not before `to`, or more than {days} days before it.",
        f"`from` không trước `to`, hoặc trước quá {days} ngày.",
    )
    return ProblemError(general.INVALID_REQUEST, detail)


def too_many_searches(limit: RateLimit, wait: float) -> ProblemError:
    """A caller searches too often; it may again in `wait` seconds."""
    return ProblemError(general.RATE_LIMITED, limit_detail(limit), limit_headers(limit, wait))
