"""What is wrong with an answer of which only some fields may leave."""

from __future__ import annotations

from lienthong.kit.problems import ProblemError, calls
from lienthong.kit.text import BilingualText


def answer_not_shapable() -> ProblemError:
    """The fields cannot be told apart; what it looked like is in the log only."""
    detail = BilingualText(
        "The agreement names the fields that may leave, and the provider's answer is no JSON document that"
        " they can be taken from, so nothing of it leaves.",
        "Thoả thuận chỉ cho phép một số trường, nhưng trả lời của hệ thống cung cấp không phải tài liệu JSON"
        " có thể lấy ra các trường đó, nên không có nội dung nào được chuyển đi.",
    )
    return ProblemError(calls.ANSWER_NOT_SHAPABLE, detail)


def answer_too_large(limit: int) -> ProblemError:
    """The answer has to be read whole, and is larger than that."""
    detail = BilingualText(
        f"The provider's answer exceeds {limit} bytes, the most of which fields are taken. The operator may"
        " raise it: LIENTHONG_GATEWAY_SHAPED_ANSWER_BYTES.",
        f"Trả lời của hệ thống cung cấp vượt quá {limit} byte, mức tối đa để lọc trường. Đơn vị vận hành có"
        " thể nâng mức này: LIENTHONG_GATEWAY_SHAPED_ANSWER_BYTES.",
    )
    return ProblemError(calls.ANSWER_TOO_LARGE, detail)
