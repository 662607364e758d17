"""The envelope of a call, read part by part: its version, its actions, and the first element of its Body.

What another reader could understand differently is refused: a second Header or Body, something before or
behind them, a second element in the Body, and all that `lienthong.kit.xml_text` refuses. Nothing is written:
the provider gets the bytes that came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lienthong.gateway.soap.version import SoapVersion
from lienthong.kit.xml_text import NotXmlError, XmlReader

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENVELOPES: Final = {f"{version.value} Envelope": version for version in SoapVersion}
_ACTIONS: Final = frozenset(
    f"{namespace} Action"
    for namespace in (
        "http://www.w3.org/2005/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
        "http://schemas.xmlsoap.org/ws/2004/03/addressing",
        "http://schemas.xmlsoap.org/ws/2003/03/addressing",
    )
)
"""Actions of WS-Addressing, by which some providers decide."""
_MAX_ACTIONS: Final = 8
_MAX_ACTION: Final = 2048
_ENVELOPE, _PART, _ENTRY = 1, 2, 3  # depths


class Envelope:
    """An envelope while it is read. Close it in the end."""

    __slots__ = (
        "_action",
        "_body",
        "_depth",
        "_header",
        "_length",
        "_reader",
        "actions",
        "element",
        "version",
    )

    def __init__(self) -> None:
        self.version: SoapVersion | None = None
        self.actions: list[str] = []
        """What its header states as actions."""
        self.element: str | None = None
        """The first element of the Body, `namespace local`; empty for an empty Body, None: not read yet."""
        self._depth = 0
        self._header = self._body = False
        """Whether they have begun."""
        self._action: list[str] | None = None
        self._length = 0
        self._reader = XmlReader(self, instructions=False)

    def feed(self, part: bytes) -> None:
        """Read the next part.

        Raises:
            NotXmlError: it is no envelope that is taken.
        """
        self._reader.feed(part)

    def finish(self) -> None:
        """Say that there is no more.

        Raises:
            NotXmlError: the envelope is not complete.
        """
        self._reader.finish()
        if self.element is None:
            raise self._wrong("the envelope has no Body", "envelope không có Body")

    def close(self) -> None:
        """Read no further."""
        self._reader.close()

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element."""
        del attributes
        self._depth += 1
        if self._depth > _ENTRY:
            return
        if self._depth == _ENVELOPE:
            self.version = _ENVELOPES.get(name)
            if self.version is None:
                raise self._wrong(
                    "the root is not an Envelope of SOAP 1.1 or 1.2",
                    "phần tử gốc không phải Envelope của SOAP 1.1 hay 1.2",
                )
        elif self._depth == _PART:
            self._part(name)
        elif not self._body:
            if name in _ACTIONS:
                self._begin_action()
        elif self.element is not None:
            raise self._wrong("the Body has more than one element", "Body có nhiều hơn một phần tử")
        else:
            self.element = name

    def end(self, name: str) -> None:
        """Take its end."""
        del name
        self._depth -= 1
        if self._action is not None and self._depth < _ENTRY:
            self.actions.append("".join(self._action).strip())
            self._action = None
            self._reader.listen(None)
        if self._body and self._depth == _ENVELOPE and self.element is None:
            self.element = ""

    def text(self, text: str) -> None:
        """Take a part of an action."""
        self._length += len(text)
        if self._action is None or self._length > _MAX_ACTION:
            raise self._wrong("wsa:Action is too long", "wsa:Action quá dài")
        self._action.append(text)

    def _part(self, name: str) -> None:
        namespace = self.version.value if self.version is not None else ""
        if name == f"{namespace} Header" and not self._header and not self._body:
            self._header = True
        elif name == f"{namespace} Body" and not self._body:
            self._body = True
        else:
            raise self._wrong(
                "an Envelope has at most one Header and then one Body, and nothing else",
                "Envelope chỉ có nhiều nhất một Header rồi một Body, không có gì khác",
            )

    def _begin_action(self) -> None:
        if len(self.actions) >= _MAX_ACTIONS:
            raise self._wrong("there are too many wsa:Action", "có quá nhiều wsa:Action")
        self._action = []
        self._length = 0
        self._reader.listen(self)

    def _wrong(self, en: str, vi: str) -> NotXmlError:
        return NotXmlError(en, vi, self._reader.line)
