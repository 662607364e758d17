"""What the bodies of an operation's calls have to be, and what becomes of one that is something else."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lienthong.contracts.catalog.v1 import routes_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CheckMode(Enum):
    """What becomes of a body that is not as it has to be."""

    REPORT = "report"
    ENFORCE = "enforce"


CheckOutcome: TypeAlias = Literal["valid", "invalid", "unchecked"]
"""What is recorded of a body that was to be checked; `unchecked` is one that was too large, or took too long,
where nothing is enforced."""

_MODES: Final[dict[int, CheckMode | None]] = {
    routes_pb2.CHECK_MODE_UNSPECIFIED: None,
    routes_pb2.CHECK_MODE_REPORT: CheckMode.REPORT,
    routes_pb2.CHECK_MODE_ENFORCE: CheckMode.ENFORCE,
}


class BodyForms:
    """What a body may be: by media type or range, the JSON Schema of its document as text, empty where it is
    not looked into."""

    __slots__ = ("_media", "required")

    def __init__(self, media: Mapping[bytes, str], *, required: bool) -> None:
        self._media = media
        self.required = required

    def schema(self, media_type: bytes) -> str | None:
        """The schema of a body of a media type, in lower case without parameters; None: it may not have it.

        The most particular entry counts (OpenAPI 3.1.1, section 4.8.13).
        """
        for name in (media_type, media_type.partition(b"/")[0] + b"/*", b"*/*"):
            schema = self._media.get(name)
            if schema is not None:
                return schema
        return None


class BodyChecks:
    """The checks of one operation; a mode is None where nothing is checked."""

    __slots__ = ("_answers", "answer_mode", "request", "request_mode")

    def __init__(
        self,
        request_mode: CheckMode | None,
        request: BodyForms | None,
        answer_mode: CheckMode | None,
        answers: Mapping[str, BodyForms],
    ) -> None:
        self.request_mode = request_mode
        self.request = request
        self.answer_mode = answer_mode
        self._answers = answers

    def answer(self, status: int) -> BodyForms | None:
        """What an answer of this status may be (OpenAPI 3.1.1, section 4.8.16); None: it is not described."""
        answers = self._answers
        return answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")


class CheckCounts:
    """How many bodies were checked, by service, part of the call (`request`, `answer`) and outcome."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, CheckOutcome], int] = {}

    def add(self, service: str, part: str, outcome: CheckOutcome) -> None:
        """Count one more."""
        key = (service, part, outcome)
        self._counts[key] = self._counts.get(key, 0) + 1

    def all(self) -> list[tuple[tuple[str, str, CheckOutcome], int]]:
        """All counts."""
        return list(self._counts.items())


def check_mode(number: int) -> CheckMode | None:
    """A mode of the catalog's.

    Raises:
        KeyError: this gateway does not know it.
    """
    return _MODES[number]


def body_checks(
    operation: routes_pb2.Operation, request_mode: CheckMode | None, answer_mode: CheckMode | None
) -> BodyChecks | None:
    """The checks of an operation; None where it has nothing that is checked."""
    request = None
    if request_mode is not None and operation.HasField("request"):
        request = _forms(operation.request)
    answers = {one.status: _forms(one) for one in operation.answers} if answer_mode is not None else {}
    if request is None and not answers:
        return None
    return BodyChecks(request_mode, request, answer_mode if answers else None, answers)


def _forms(message: routes_pb2.BodyForms) -> BodyForms:
    return BodyForms(_by_media_type(message.media), required=message.required)


def _by_media_type(media: Iterable[routes_pb2.MediaForm]) -> dict[bytes, str]:
    return {one.media_type.encode(): one.schema for one in media}
