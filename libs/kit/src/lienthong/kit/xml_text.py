"""Strict XML: what is read here, every other reader reads the same way, and none takes long over it.

XML 1.0 in UTF-8 with namespaces, without a document type: so there are no entities but the five of XML
itself, nothing is fetched and nothing grows (XML 1.0 section 4.6). Depth and the length of a tag are bounded;
whoever feeds a reader bounds the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol
from xml.parsers import expat

from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH: Final = 128
"""How deep elements may be nested."""
MAX_TAG: Final = 32 * 1024
"""Bytes that one tag, comment or the like may have: it has to be here as a whole before it is read."""
MAX_NAMESPACE: Final = 512
"""Characters of a namespace. It is written into the name of each element and attribute that has its prefix:
of a long one, names of a few bytes would take as much memory each as all of it."""
_AT_ONCE: Final = 4 * 1024
"""Bytes that expat gets at a time. What it has, it reads to the end, also after something was refused."""

_BEGINNING = re.compile(rb"(\xef\xbb\xbf)?[<\t\n\r ]")
_BEGINNING_BYTES = 4
"""As many show whether it is UTF-16 or UTF-32 (XML 1.0 appendix F)."""


class NotXmlError(ValueError):
    """The text is not XML, or XML that is not read here; `text` says why, `line` counts from 1."""

    def __init__(self, en: str, vi: str, line: int) -> None:
        super().__init__(en)
        self.text = BilingualText(en, vi)
        self.line = line


class XmlHandler(Protocol):
    """Is told what a document holds. Names are `namespace local`, or `local` where there is no namespace."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, name: str) -> None:
        """It ends."""
        ...


class XmlReader:
    """Reads one document, part by part, and tells a handler.

    `instructions` says whether processing instructions are taken, which SOAP forbids.
    """

    def __init__(self, handler: XmlHandler, *, instructions: bool = True, max_depth: int = MAX_DEPTH) -> None:
        # UTF-8, whatever a document declares: it is compared below. Names are not kept: there may be as many
        # as there are elements.
        self._parser = parser = expat.ParserCreate("utf-8", " ", intern=None)
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartNamespaceDeclHandler = self._begin_prefix
        if not instructions:
            parser.ProcessingInstructionHandler = self._instruction
        self._handler = handler
        self._prefixes: PrefixHandler | None = None
        self._max_depth = max_depth
        self._depth = 0
        self._fed = 0
        self._first = b""

    @property
    def line(self) -> int:
        """The line that is being read, from 1 on."""
        return self._parser.CurrentLineNumber

    @property
    def offset(self) -> int:
        """The byte at which what is being read begins."""
        return self._parser.CurrentByteIndex

    def listen(self, handler: TextHandler | None) -> None:
        """Tell text too, or no longer. Text that nobody wants costs nothing."""
        self._parser.CharacterDataHandler = handler.text if handler is not None else None

    def listen_to_prefixes(self, handler: PrefixHandler) -> None:
        """Tell which prefixes stand for which namespaces, before the element that declares them."""
        self._prefixes = handler
        self._parser.EndNamespaceDeclHandler = handler.end_prefix

    def feed(self, part: bytes) -> None:
        """Read the next part.

        Raises:
            NotXmlError: what was read so far cannot begin a document that is taken; or whatever the handler
                raises.
        """
        if not self._fed:
            part = self._first = self._first + part
            if len(part) < _BEGINNING_BYTES:
                return
            self._check_beginning()
        for at in range(0, len(part), _AT_ONCE):
            some = part[at : at + _AT_ONCE]
            self._fed += len(some)
            self._parse(some, final=False)
            if self._fed - self._parser.CurrentByteIndex > MAX_TAG:
                raise self._wrong(
                    f"a tag, comment or the like is longer than {MAX_TAG} bytes",
                    f"một thẻ, chú thích hoặc phần tương tự dài hơn {MAX_TAG} byte",
                )

    def finish(self) -> None:
        """Say that there is no more.

        Raises:
            NotXmlError: the document is not complete.
        """
        rest = b""
        if not self._fed:
            self._check_beginning()
            rest = self._first
        self._parse(rest, final=True)

    def close(self) -> None:
        """Read no further, and let go of the handler: reader and parser hold each other."""
        parser = self._parser
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.XmlDeclHandler = parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = None
        parser.StartNamespaceDeclHandler = parser.EndNamespaceDeclHandler = None

    def _parse(self, part: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(part, final)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise NotXmlError(
                f"not well-formed XML: {reason} (column {error.offset + 1})",
                f"không phải XML đúng cú pháp: {reason} (cột {error.offset + 1})",
                error.lineno,
            ) from None

    def _check_beginning(self) -> None:
        first = self._first[:_BEGINNING_BYTES]
        if _BEGINNING.match(first) is None or b"\0" in first:
            raise NotXmlError(
                "not XML in UTF-8; UTF-16 and other encodings are not taken",
                "không phải XML mã hoá UTF-8; không nhận UTF-16 và các bảng mã khác",
                1,
            )

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._max_depth:
            raise self._wrong(
                f"elements are nested deeper than {self._max_depth}",
                f"các phần tử lồng nhau sâu quá {self._max_depth} mức",
            )
        self._handler.begin(name, attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(name)

    def _begin_prefix(self, prefix: str | None, namespace: str | None) -> None:
        if namespace is not None and len(namespace) > MAX_NAMESPACE:
            raise self._wrong(
                f"a namespace is longer than {MAX_NAMESPACE} characters",
                f"một không gian tên dài hơn {MAX_NAMESPACE} ký tự",
            )
        if self._prefixes is not None:
            self._prefixes.begin_prefix(prefix, namespace)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        del standalone
        if version != "1.0":
            raise self._wrong(
                f"XML {shown(version)} is not taken; use XML 1.0",
                f"không nhận XML {shown(version)}; hãy dùng XML 1.0",
            )
        if encoding is not None and encoding.lower() != "utf-8":
            raise self._wrong(
                f"it declares the encoding '{shown(encoding)}'; only UTF-8 is taken",
                f"tài liệu khai báo bảng mã '{shown(encoding)}'; chỉ nhận UTF-8",
            )

    def _document_type(self, *declaration: object) -> None:
        del declaration
        raise self._wrong(
            "it has a document type (<!DOCTYPE …>), which is not taken; remove it",
            "có khai báo kiểu tài liệu (<!DOCTYPE …>), không được nhận; hãy bỏ đi",
        )

    def _instruction(self, *instruction: object) -> None:
        del instruction
        raise self._wrong(
            "it has a processing instruction (<?…?>), which is not taken; remove it",
            "có chỉ thị xử lý (<?…?>), không được nhận; hãy bỏ đi",
        )

    def _wrong(self, en: str, vi: str) -> NotXmlError:
        return NotXmlError(en, vi, self._parser.CurrentLineNumber)


class TextHandler(Protocol):
    """Is told text as well."""

    def text(self, text: str) -> None:
        """A part of the text of an element."""
        ...


class PrefixHandler(Protocol):
    """Is told which prefixes stand for which namespaces (Namespaces in XML 1.0 section 3)."""

    def begin_prefix(self, prefix: str | None, namespace: str | None) -> None:
        """From here on a prefix, None for the one without, stands for a namespace."""
        ...

    def end_prefix(self, prefix: str | None) -> None:
        """It stands for what it stood for before."""
        ...


def local_name(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return name.rpartition(" ")[2]


def namespace(name: str) -> str:
    """The namespace of an element or attribute, empty where there is none."""
    return name.rpartition(" ")[0]
