"""A kind of problem, and one occurrence of it (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from lienthong.kit.text import BilingualText, shown

PROBLEM_JSON: Final = "application/problem+json"
ERROR_HEADER: Final = "LGSP-Error"
TRANSACTION_HEADER: Final = "LGSP-Transaction-Id"
CLIENT_HEADER: Final = "LGSP-Client"

MOST_LISTED: Final = 100
"""Entries of a list in a problem document, such as `errors`."""
_LONGEST_TEXT: Final = 500
_LONGEST_DETAIL: Final = 4_000


class ProblemType(msgspec.Struct, frozen=True, kw_only=True):
    """A problem type (RFC 9457 §3.1.1): what all occurrences under one code have in common.

    `code` is the stable machine name, `status` the HTTP status. `title` names the problem, `advice` says what
    the caller can do about it.
    """

    code: str
    status: int
    title: BilingualText
    advice: BilingualText

    @property
    def uri(self) -> str:
        """The `type` member of the document."""
        return f"urn:lgsp:problem:{self.code}"


@dataclass(eq=False)
class ProblemError(Exception):
    """A problem to answer the caller with.

    `detail` says what was wrong this time. `headers` are added to the answer, `extra` holds further members
    of the document. `other_advice` stands in for the kind's where that does not help this time.
    """

    kind: ProblemType
    detail: BilingualText
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    other_advice: BilingualText | None = None

    @property
    def code(self) -> str:
        """The code of the problem's kind."""
        return self.kind.code

    @property
    def status(self) -> int:
        """The HTTP status of the problem's kind."""
        return self.kind.status

    @property
    def advice(self) -> BilingualText:
        """What the caller can do about it."""
        return self.other_advice or self.kind.advice

    def __str__(self) -> str:
        return f"{self.kind.code}: {self.detail.en}"

    def document(self, instance: str | None) -> dict[str, Any]:
        """The problem document (RFC 9457 §3); `instance` is the transaction id, where it is known.

        Whatever was sent and is repeated in it, the document stays small and can be encoded: `detail` has at
        most 4,000 characters, each list 100 entries, each text in it 500 characters.
        """
        kind = self.kind
        detail = BilingualText(shown(self.detail.en, _LONGEST_DETAIL), shown(self.detail.vi, _LONGEST_DETAIL))
        document: dict[str, Any] = {
            "type": kind.uri,
            "title": kind.title.en,
            "status": kind.status,
            "detail": detail.en,
            "instance": instance,
            "code": kind.code,
            "title_vi": kind.title.vi,
            "detail_vi": detail.vi,
            "advice": self.advice.en,
            "advice_vi": self.advice.vi,
        }
        if instance is None:
            del document["instance"]
        document.update(_bounded(self.extra))
        return document


def _bounded(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case str():
            return shown(value, _LONGEST_TEXT)
        case list():
            return [_bounded(item) for item in value[:MOST_LISTED]]
        case Mapping():
            return {name: _bounded(member) for name, member in value.items()}
        case _:
            return value
