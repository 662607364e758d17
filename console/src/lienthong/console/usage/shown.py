"""Numbers of calls as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from lienthong.console.errors import platform_away
from lienthong.kit.problems.registry import REGISTRY
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_PROVIDER: Final = BilingualText("The provider itself answered so", "Bên cung cấp trả lời như vậy")
_ASK_PROVIDER: Final = BilingualText(
    "The answer says what was wrong; where it does not, ask the provider, and name a transaction id.",
    "Nội dung trả lời nêu lý do; nếu không rõ, hãy hỏi bên cung cấp và nêu mã giao dịch.",
)
_NO_ANSWER: Final = BilingualText("The caller did not wait for the answer", "Bên gọi không chờ câu trả lời")
_WAIT: Final = BilingualText(
    "Let the calling program wait longer, or ask for less at once.",
    "Hãy để chương trình gọi chờ lâu hơn, hoặc yêu cầu ít hơn mỗi lần.",
)
_OTHER: Final = BilingualText(
    "The reference of records says what the code means; the operator can tell more by a transaction id.",
    "Tài liệu về bản ghi nêu ý nghĩa của mã; đơn vị vận hành tra cứu thêm được theo mã giao dịch.",
)


@dataclass(frozen=True, slots=True)
class Group:
    """Calls with the same values; "" for what the records do not say. `records` is where the calls are."""

    values: Mapping[str, str]
    calls: int
    refused: int
    failed: int

    @property
    def records(self) -> str:
        """The page with the calls."""
        query = {"client": self.values.get("consumer", ""), "service": self.values.get("service", "")}
        return f"/records?{urlencode({name: value for name, value in query.items() if value})}"

    @property
    def meaning(self) -> BilingualText:
        """What went wrong, of calls that failed."""
        code = self.values.get("error", "")
        if kind := REGISTRY.get(code):
            return kind.title
        if code:
            return BilingualText(code, code)
        return _OF_PROVIDER if self.values.get("status") else _NO_ANSWER

    @property
    def advice(self) -> BilingualText:
        """What to do about it."""
        code = self.values.get("error", "")
        if kind := REGISTRY.get(code):
            return kind.advice
        if code:
            return _OTHER
        return _ASK_PROVIDER if self.values.get("status") else _WAIT


@dataclass(frozen=True, slots=True)
class Use:
    """The largest groups, the rest of them together, and all; `uncounted` entries are in none yet."""

    groups: Sequence[Group]
    other: Group
    other_groups: int
    total: Group
    uncounted: int


def read(answer: Mapping[str, Any]) -> Use:
    """Read the ledger's answer.

    Raises:
        ProblemError: 503 `platform-unavailable`, it is none.
    """
    try:
        by = [str(name) for name in answer["by"]]
        return Use(
            [_group(one, by) for one in answer["groups"]],
            _group(answer["other"], ()),
            int(answer["other"]["groups"]),
            _group(answer["total"], ()),
            max(int(answer["entries"]) - int(answer["counted"]), 0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise platform_away() from error


def together(uses: Sequence[Use]) -> Use:
    """Several answers as one, the largest groups first; `total` is of all of them."""

    def summed(groups: Sequence[Group]) -> Group:
        columns = zip(*((one.calls, one.refused, one.failed) for one in groups), strict=True)
        return Group({}, *map(sum, columns))

    groups = sorted((group for use in uses for group in use.groups), key=lambda one: -one.calls)
    return Use(
        groups,
        summed([use.other for use in uses]),
        sum(use.other_groups for use in uses),
        summed([use.total for use in uses]),
        max(use.uncounted for use in uses),
    )


def _group(one: Mapping[str, Any], by: Sequence[str]) -> Group:
    values = {name: "" if one[name] is None else str(one[name]) for name in by}
    return Group(values, int(one["calls"]), int(one["refused"]), int(one["failed"]))
