"""What is wrong with bodies that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.kit.problems import ProblemError, calls, general
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.kit.schema_mismatches import SchemaMismatch


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
        f"The provider's answer exceeds {limit} bytes, the most that is read before it leaves. The operator"
        " may raise it: LIENTHONG_GATEWAY_SHAPED_ANSWER_BYTES.",
        f"Trả lời của hệ thống cung cấp vượt quá {limit} byte, mức tối đa để đọc trước. Đơn vị vận hành có"
        " thể nâng mức này: LIENTHONG_GATEWAY_SHAPED_ANSWER_BYTES.",
    )
    return ProblemError(calls.ANSWER_TOO_LARGE, detail)


def request_too_large_to_check(limit: int) -> ProblemError:
    """The body has to be checked, and is larger than that."""
    detail = BilingualText(
        f"The body of the request exceeds {limit} bytes, the most that is checked. The operator may raise it:"
        " LIENTHONG_GATEWAY_READ_REQUEST_BYTES.",
        f"Nội dung yêu cầu vượt quá {limit} byte, mức tối đa để kiểm tra. Đơn vị vận hành có thể nâng mức"
        " này: LIENTHONG_GATEWAY_READ_REQUEST_BYTES.",
    )
    return ProblemError(general.REQUEST_TOO_LARGE, detail)


def request_not_valid(found: Sequence[SchemaMismatch]) -> ProblemError:
    """The body is not as the service's document says; what is told names places and rules, no values."""
    first = found[0]
    place = first.pointer or "/"
    detail = BilingualText(
        f"The body of the request is not as the service's document says, at {place}: {first.detail}.",
        f"Nội dung yêu cầu không đúng tài liệu dịch vụ, tại {place}.",
    )
    errors = [{"pointer": one.pointer, "detail": one.detail} for one in found]
    return ProblemError(calls.REQUEST_NOT_VALID, detail, extra={"errors": errors})


def parameters_not_valid(found: Sequence[SchemaMismatch]) -> ProblemError:
    """The parameters are not as the service's document says; places and rules are told, no values."""
    first = found[0]
    place = first.pointer or "/"
    detail = BilingualText(
        f"The parameters of the request are not as the service's document says, at {place}: {first.detail}.",
        f"Tham số của yêu cầu không đúng tài liệu dịch vụ, tại {place}.",
    )
    errors = [{"parameter": one.pointer, "detail": one.detail} for one in found]
    return ProblemError(calls.REQUEST_NOT_VALID, detail, extra={"errors": errors})


def answer_not_valid(found: Sequence[SchemaMismatch]) -> ProblemError:
    """The answer is not; only places of the schema are told, as the caller may not see the answer."""
    place = found[0].place or "/"
    detail = BilingualText(
        f"The provider's answer is not as the service's document says, by the rule at {place} of its schema.",
        f"Trả lời của hệ thống cung cấp không đúng tài liệu dịch vụ, theo quy tắc tại {place} của lược đồ.",
    )
    errors = [{"schema_pointer": one.place} for one in found]
    return ProblemError(calls.ANSWER_NOT_VALID, detail, extra={"errors": errors})
