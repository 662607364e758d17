"""The kinds of resource the catalog keeps, and the names they go by on the wire."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """A kind of resource; its value is the `kind` of a manifest."""

    AGENCY = "Agency"
    SYSTEM = "System"
    SERVICE = "Service"
    EVENT_TYPE = "EventType"
    AGREEMENT = "Agreement"

    @property
    def subject(self) -> str:
        """The NATS subject of changes to this kind, e.g. `catalog.system`."""
        return f"catalog.{self.value.lower()}"

    @property
    def word(self) -> str:
        """The kind as an English word in a sentence, e.g. `event type`."""
        return _WORDS[self][0]

    @property
    def word_vi(self) -> str:
        """The kind as a Vietnamese word in a sentence, e.g. `loại sự kiện`."""
        return _WORDS[self][1]


_WORDS = {
    Kind.AGENCY: ("agency", "cơ quan"),
    Kind.SYSTEM: ("system", "hệ thống"),
    Kind.SERVICE: ("service", "dịch vụ"),
    Kind.EVENT_TYPE: ("event type", "loại sự kiện"),
    Kind.AGREEMENT: ("agreement", "thoả thuận"),
}

#: Every kind after those it refers to: the order in which rows can be written.
WRITE_ORDER = tuple(Kind)

#: What names a resource in the whole catalog.
Key = tuple[Kind, str]
