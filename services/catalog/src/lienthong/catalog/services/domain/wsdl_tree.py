"""A WSDL document as a small tree: its elements of WSDL and SOAP with their lines; schemas are passed over.

Nothing that a document refers to is ever fetched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lienthong.kit.xml_text import NotXmlError, XmlReader, local_name, namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
SOAP_1_1: Final = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_1_2: Final = "http://schemas.xmlsoap.org/wsdl/soap12/"
HTTP_ADDRESS: Final = "http://schemas.xmlsoap.org/wsdl/http/ address"
"""Of a port of plain GET or POST, as ASMX has beside those of SOAP."""
SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"
ACTIONS: Final = (
    "http://www.w3.org/2007/05/addressing/metadata Action",
    "http://www.w3.org/2006/05/addressing/wsdl Action",
    "http://www.w3.org/2005/08/addressing Action",
)
"""The attribute of an input that names its action, in WS-Addressing 1.0 Metadata and what came before it."""

_SCHEMA_PARTS = frozenset((f"{SCHEMA} import", f"{SCHEMA} include", f"{SCHEMA} redefine"))
_QUALIFIED = ("element", "type", "message", "binding")
"""Attributes of WSDL's elements whose values are qualified names."""
_DOCUMENTATION = f"{WSDL} documentation"


@dataclass(slots=True)
class Element:
    """An element; values of attributes that are qualified names are written as names are, `namespace local`.

    `undeclared` are those of them whose prefix stands for nothing.
    """

    name: str
    attributes: Mapping[str, str]
    line: int
    offset: int
    """The byte at which its tag begins."""
    children: list[Element] = field(default_factory=list)
    undeclared: tuple[str, ...] = ()

    def all(self, name: str) -> Iterator[Element]:
        """The children of this name."""
        return (child for child in self.children if child.name == name)

    def first(self, *names: str) -> Element | None:
        """The first child that has one of the names."""
        return next((child for child in self.children if child.name in names), None)

    def get(self, attribute: str, default: str = "") -> str:
        """The value of an attribute."""
        return self.attributes.get(attribute, default)


def parse(text: str) -> Element:
    """Read a document, whose size was limited before.

    Raises:
        NotXmlError: it is not XML that is taken.
    """
    builder = _Builder()
    reader = builder.reader
    try:
        reader.feed(text.encode())
        reader.finish()
    finally:
        reader.close()
    if builder.root is None:  # pragma: no cover - a document without a root is not well-formed
        raise NotXmlError("there is no element", "không có phần tử nào", 1)
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.reader = XmlReader(self)
        self.reader.listen_to_prefixes(self)
        self.root: Element | None = None
        self._open: list[Element | None] = []
        self._prefixes: dict[str, list[str]] = {}

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        parent = self._open[-1] if self._open else None
        if self._open and (parent is None or not _is_read(name)):
            # What stands in documentation, or in what is not known, is not read; a schema's imports are.
            self._open.append(parent if parent is not None and _may_hold(name) else None)
            return
        element = self._element(name, attributes)
        if parent is not None:
            parent.children.append(element)
        else:
            self.root = element
        self._open.append(element if name != _DOCUMENTATION else None)

    def end(self, name: str) -> None:
        del name
        self._open.pop()

    def begin_prefix(self, prefix: str | None, namespace: str | None) -> None:
        self._prefixes.setdefault(prefix or "", []).append(namespace or "")

    def end_prefix(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    def _element(self, name: str, attributes: Mapping[str, str]) -> Element:
        # An attribute of another namespace says nothing here, and its name has all of that in it.
        found = {key: value for key, value in attributes.items() if not namespace(key) or key in ACTIONS}
        element = Element(name, found, self.reader.line, self.reader.offset)
        if namespace(name) != WSDL:
            return element
        undeclared = []
        for attribute in _QUALIFIED:
            if attribute not in attributes:
                continue
            prefix, _, local = attributes[attribute].strip().rpartition(":")
            known = self._prefixes.get(prefix)
            if known:
                found[attribute] = f"{known[-1]} {local}".strip()
            elif prefix:
                undeclared.append(attribute)
            else:
                found[attribute] = local
        element.undeclared = tuple(undeclared)
        return element


def _is_read(name: str) -> bool:
    return namespace(name) in {WSDL, SOAP_1_1, SOAP_1_2} or name in _SCHEMA_PARTS or name == HTTP_ADDRESS


def _may_hold(name: str) -> bool:
    """Whether an element that is not kept itself may hold what is looked at: a schema its imports."""
    return namespace(name) == SCHEMA and local_name(name) == "schema"
