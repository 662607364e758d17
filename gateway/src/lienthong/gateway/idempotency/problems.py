"""One function for each way in which a call with an Idempotency-Key is refused."""

from __future__ import annotations

from typing import Final

from lienthong.kit.problems import ProblemError, calls, general
from lienthong.kit.text import BilingualText

_RETRY_SOON: Final = {"Retry-After": "1"}


def key_missing(service: str, operation: str) -> ProblemError:
    """The service wants a key of every call of this operation."""
    detail = BilingualText(
        f"{service} requires the field Idempotency-Key of every call of {operation}.",
        f"{service} yêu cầu trường Idempotency-Key trong mọi lời gọi tới {operation}.",
    )
    return ProblemError(calls.IDEMPOTENCY_KEY_MISSING, detail)


def key_reused(first: str) -> ProblemError:
    """The key was used for another request."""
    detail = BilingualText(
        f"This Idempotency-Key was used for another request, in the transaction {first}.",
        f"Idempotency-Key này đã dùng cho một yêu cầu khác, trong giao dịch {first}.",
    )
    return ProblemError(calls.IDEMPOTENCY_KEY_REUSED, detail)


def key_in_progress(first: str) -> ProblemError:
    """The first call with this key is under way."""
    detail = BilingualText(
        f"The call with this Idempotency-Key is still under way, in the transaction {first}.",
        f"Lời gọi với Idempotency-Key này vẫn đang được xử lý, trong giao dịch {first}.",
    )
    return ProblemError(calls.IDEMPOTENCY_KEY_IN_PROGRESS, detail, _RETRY_SOON)


def outcome_unknown(first: str) -> ProblemError:
    """The first call with this key may have reached the provider, and no answer is known."""
    detail = BilingualText(
        f"What became of the call with this Idempotency-Key is not known: the transaction {first} may have"
        " reached the provider, which gave no answer. It is not sent again.",
        f"Không rõ kết quả của lời gọi với Idempotency-Key này: giao dịch {first} có thể đã tới hệ thống cung"
        " cấp nhưng không có trả lời. Yêu cầu không được gửi lại.",
    )
    return ProblemError(calls.IDEMPOTENCY_OUTCOME_UNKNOWN, detail)


def answer_not_kept(first: str, status: int) -> ProblemError:
    """The first call was answered, with more than is kept."""
    detail = BilingualText(
        f"The call with this Idempotency-Key was answered with status {status}, in the transaction {first};"
        " the answer is larger than what is kept. It is not sent again.",
        f"Lời gọi với Idempotency-Key này đã được trả lời với mã {status}, trong giao dịch {first}; nội dung"
        " trả lời lớn hơn mức được giữ. Yêu cầu không được gửi lại.",
    )
    return ProblemError(calls.IDEMPOTENCY_ANSWER_NOT_KEPT, detail)


def too_many_keys(most: int) -> ProblemError:
    """The client has begun too many keys within a day."""
    detail = BilingualText(
        f"A client begins at most {most} keys within a day in each process of the gateway.",
        f"Mỗi hệ thống dùng tối đa {most} khoá mới trong một ngày ở mỗi tiến trình của cổng.",
    )
    return ProblemError(calls.TOO_MANY_IDEMPOTENCY_KEYS, detail, {"Retry-After": "3600"})


def store_unavailable(service: str) -> ProblemError:
    """Nobody can say whether the call was made before."""
    detail = BilingualText(
        "The store of Idempotency-Keys does not answer, so nobody can say whether this call was made before."
        f" It was not sent to {service}.",
        "Kho lưu Idempotency-Key không trả lời nên không biết lời gọi này đã được thực hiện chưa."
        f" Yêu cầu chưa được gửi tới {service}.",
    )
    return ProblemError(calls.IDEMPOTENCY_UNAVAILABLE, detail, _RETRY_SOON)


def body_too_large(limit: int) -> ProblemError:
    """The body of a call with a key is larger than what is read before it is forwarded."""
    detail = BilingualText(
        f"The body of a request with Idempotency-Key has at most {limit} bytes, as all of it has to be here"
        " before it is forwarded. The operator may raise it: LIENTHONG_GATEWAY_READ_REQUEST_BYTES.",
        f"Nội dung yêu cầu có Idempotency-Key không quá {limit} byte, vì phải nhận đủ trước khi chuyển tiếp."
        " Đơn vị vận hành có thể nâng mức này: LIENTHONG_GATEWAY_READ_REQUEST_BYTES.",
    )
    return ProblemError(general.REQUEST_TOO_LARGE, detail)
