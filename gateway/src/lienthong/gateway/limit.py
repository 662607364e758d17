"""Stage 4, limit: is the call within what its agreement may use, in the whole installation?"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from lienthong.gateway.limits.terms import MEMBERS, Limit, value
from lienthong.kit.problems import ProblemError, calls
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from datetime import datetime

    from lienthong.gateway.limits.limiter import Limiter, Quota
    from lienthong.gateway.limits.use import Refusal, Use

_UNITS: Final = {
    Limit.PER_SECOND: BilingualText("calls a second", "lời gọi mỗi giây"),
    Limit.PER_MINUTE: BilingualText("calls a minute", "lời gọi mỗi phút"),
    Limit.PER_DAY: BilingualText("calls a day", "lời gọi mỗi ngày"),
    Limit.BYTES_PER_DAY: BilingualText("bytes a day", "byte mỗi ngày"),
    Limit.CONCURRENT: BilingualText("calls at a time", "lời gọi cùng lúc"),
}


def refused(limiter: Limiter, quota: Quota, service: str, now: datetime) -> ProblemError | None:
    """Why a call is not within the limits of its agreement on `service`; None where it is.

    The problem, quota-exceeded, says which limit it is, when there is room again and who may raise it.
    """
    refusal = quota.refusal
    if refusal is None:
        return None
    calendar, limit, agreement = limiter.calendar, refusal.limit, quota.use.agreement
    wait = refusal.wait if refusal.wait is not None else calendar.rest(now)
    seconds = max(math.ceil(wait), 1)
    free_at = calendar.local(now + timedelta(seconds=seconds))
    unit, where = _UNITS[limit], _place(quota.use, refusal, service)
    detail = BilingualText(
        f"The agreement {agreement} on {service} allows {refusal.allowed} {unit.en}, and they are used up."
        f" There is room again in {seconds} s, at {free_at}. The provider may allow more: {where.en}.",
        f"Thoả thuận {agreement} về {service} cho phép {refusal.allowed} {unit.vi} và đã dùng hết."
        f" Có thể gọi lại sau {seconds} giây, lúc {free_at}. Bên cung cấp có thể cho phép nhiều hơn:"
        f" {where.vi}.",
    )
    return ProblemError(
        calls.QUOTA_EXCEEDED,
        detail,
        {"Retry-After": str(seconds)},
        {"violated-policies": [limit.value], "free_at": free_at},
    )


def _place(use: Use, refusal: Refusal, service: str) -> BilingualText:
    """Where the limit is set."""
    name, of_service = MEMBERS[refusal.limit], use.of_service
    if of_service is not None and value(of_service.maximum, refusal.limit) == refusal.allowed:
        stated = f"limits.maximum.{name}"
    elif use.of_agreement is not None and value(use.of_agreement, refusal.limit):
        return BilingualText(f"limits.{name} of the agreement", f"limits.{name} của thoả thuận")
    else:
        stated = f"limits.default.{name}"
    return BilingualText(
        f"{stated} in the manifest of {service}", f"{stated} trong tệp khai báo của {service}"
    )
