"""Refusals of what would be too much at a time; the same request may come again after `Retry-After`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.kit.problems import general
from lienthong.kit.problems.problem import ProblemError
from lienthong.kit.rates import limit_detail, limit_headers
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from lienthong.kit.rates import TokenBuckets

_SOON: Final = {"Retry-After": "1"}


def charge(buckets: TokenBuckets, key: str, amount: float = 1) -> None:
    """Take `amount` tokens of this key.

    Raises:
        ProblemError: 429 `rate-limited`, there are not enough; says when there are.
    """
    wait = buckets.wait(key, amount)
    if wait > 0:
        limit = buckets.limit
        raise ProblemError(general.RATE_LIMITED, limit_detail(limit), limit_headers(limit, wait))


def too_much_at_once(detail: BilingualText) -> ProblemError:
    """The caller has as much under way as one caller may; `detail` says how much that is."""
    return ProblemError(general.RATE_LIMITED, detail, _SOON)


def busy() -> ProblemError:
    """All callers together have as much under way as this process can hold."""
    detail = BilingualText(
        "This process has as much under way as it can hold.",
        "Tiến trình này đang xử lý lượng yêu cầu tối đa có thể nhận.",
    )
    return ProblemError(general.BUSY, detail, _SOON)
