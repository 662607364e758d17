"""Reads the operations of a service out of its WSDL document (1.1, with bindings for SOAP 1.1 and 1.2).

An operation of a binding is one of the service: the gateway knows a call of it by the first element of its
Body (WS-I Basic Profile 1.1, R2710: each operation has its own), and takes no action that is another's.
Everything is read from the one document: what it imports from elsewhere is refused, not fetched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lienthong.catalog.domain.resources import ServiceOperation, SoapForm
from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain import wsdl_names as names
from lienthong.catalog.services.domain.openapi import MAX_BYTES, MAX_OPERATIONS, routed_violations
from lienthong.catalog.services.domain.wsdl_tree import (
    ACTIONS,
    HTTP_ADDRESS,
    SOAP_1_1,
    SOAP_1_2,
    WSDL,
    Element,
    parse,
)
from lienthong.kit.text import BilingualText, shown
from lienthong.kit.xml_text import NotXmlError, local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS: Final = (f"{SOAP_1_1} address", f"{SOAP_1_2} address")
_BINDING: Final = (f"{SOAP_1_1} binding", f"{SOAP_1_2} binding")
_OPERATION: Final = (f"{SOAP_1_1} operation", f"{SOAP_1_2} operation")
_BODY: Final = (f"{SOAP_1_1} body", f"{SOAP_1_2} body")
_HEADER: Final = (f"{SOAP_1_1} header", f"{SOAP_1_2} header")
MAX_BOUND: Final = 4 * MAX_OPERATIONS
"""Operations of all bindings: one may stand in several."""
_TRANSPORTS: Final = ("http://schemas.xmlsoap.org/soap/http", "http://www.w3.org/2003/05/soap/bindings/HTTP/")


def read(text: str) -> tuple[tuple[ServiceOperation, ...], tuple[Violation, ...]]:
    """Return the operations of a document, and all its violations; each names its line."""
    reader = _DocumentReader()
    try:
        reader.read(text)
    except NotXmlError as reason:
        reader.wrong(reason.line, reason.text.en, reason.text.vi)
    return tuple(reader.operations.values()), tuple(reader.violations)


def not_offered(text: str) -> Iterator[Violation]:
    """Yield the ports of plain GET and POST in a document that was taken: calls of them come to nothing."""
    root = parse(text)
    ports = [port for service in root.all(f"{WSDL} service") for port in service.all(f"{WSDL} port")]
    for port in _ports_of_http(ports):
        name = shown(port.get("name"))
        yield Violation(
            (),
            BilingualText(
                f"line {port.line}: the port '{name}' is of plain HTTP and is not offered: callers use SOAP",
                f"dòng {port.line}: cổng '{name}' là HTTP thường nên không được cung cấp: bên gọi dùng SOAP",
            ),
        )


def _ports_of_http(ports: list[Element]) -> list[Element]:
    """The ports of plain GET and POST beside one of SOAP; alone they are what the document is about."""
    if all(port.first(*_ADDRESS) is None for port in ports):
        return []
    return [port for port in ports if port.first(*_ADDRESS) is None and port.first(HTTP_ADDRESS) is not None]


class _DocumentReader:
    def __init__(self) -> None:
        self.operations: dict[str, ServiceOperation] = {}
        self.violations: list[Violation] = []
        self._places: dict[str, int] = {}
        self._root: Element = Element("", {}, 0, 0)
        self._target = ""
        self._known: dict[str, dict[str, Element]] = {}
        self._declared: dict[str, dict[str, list[Element]]] = {}

    def wrong(self, line: int, en: str, vi: str) -> None:
        """Report a violation at a line of the document."""
        self.violations.append(Violation((), BilingualText(f"line {line}: {en}", f"dòng {line}: {vi}")))

    def read(self, text: str) -> None:
        if len(text.encode()) > MAX_BYTES:
            self.wrong(
                1,
                f"the document is larger than {MAX_BYTES} bytes; shorten documentation or split the service",
                f"tài liệu lớn hơn {MAX_BYTES} byte; hãy rút gọn chú giải hoặc tách dịch vụ",
            )
            return
        self._root = root = parse(text)
        if root.name != f"{WSDL} definitions":
            self.wrong(
                root.line,
                f"only WSDL 1.1 is read, whose root is 'definitions' in the namespace {WSDL}",
                f"chỉ đọc WSDL 1.1, phần tử gốc là 'definitions' trong không gian tên {WSDL}",
            )
            return
        self._target = root.get("targetNamespace")
        self._imports()
        ports = [port for service in root.all(f"{WSDL} service") for port in service.all(f"{WSDL} port")]
        path = self._path(ports)
        bindings = self._bindings(ports)
        found = [
            (operation, binding, soap)
            for binding, soap in bindings
            for operation in binding.all(f"{WSDL} operation")
        ]
        if len(found) > MAX_BOUND:
            self.wrong(
                root.line,
                f"more than {MAX_OPERATIONS} operations; split the service",
                f"hơn {MAX_OPERATIONS} thao tác; hãy tách dịch vụ",
            )
        elif path is not None:
            for operation, binding, soap in found:
                self._operation(operation, binding, soap, path)
            self._whole()

    def _imports(self) -> None:
        for found in self._root.all(f"{WSDL} import"):
            self.wrong(
                found.line,
                "wsdl:import is not followed; put everything into one document (WCF gives it at ?singleWsdl)",
                "không hỗ trợ wsdl:import; hãy gộp tất cả vào một tài liệu (WCF cung cấp tại ?singleWsdl)",
            )
        for types in self._root.all(f"{WSDL} types"):
            for found in types.children:
                if "schemaLocation" in found.attributes:
                    self.wrong(
                        found.line,
                        f"xsd:{local_name(found.name)} with schemaLocation is not followed, and callers "
                        "could "
                        "not either; put the schema into wsdl:types and remove schemaLocation",
                        f"không hỗ trợ xsd:{local_name(found.name)} có schemaLocation, bên gọi cũng không "
                        "đọc "
                        "được; hãy đưa lược đồ vào wsdl:types và bỏ schemaLocation",
                    )

    def _path(self, ports: list[Element]) -> str | None:
        """The one path of all ports."""
        paths: dict[str, int] = {}
        of_http = {id(port) for port in _ports_of_http(ports)}
        for port in ports:
            address = port.first(*_ADDRESS, HTTP_ADDRESS) if id(port) in of_http else port.first(*_ADDRESS)
            if address is None:
                self.wrong(
                    port.line,
                    f"the port '{shown(port.get('name'))}' is not one of SOAP over HTTP and would not be "
                    "offered; remove it with its binding",
                    f"cổng '{shown(port.get('name'))}' không phải SOAP qua HTTP nên sẽ không được cung cấp; "
                    "hãy bỏ cổng này cùng binding của nó",
                )
                continue
            try:
                path = names.address_path(address.get("location"))
                if id(port) not in of_http:
                    paths.setdefault(path, address.line)
            except InvalidValueError as reason:
                self.wrong(address.line, reason.text.en, reason.text.vi)
        if not ports:
            self.wrong(
                self._root.line,
                "the document offers nothing; it needs a wsdl:service with a port",
                "tài liệu không cung cấp gì; cần có wsdl:service với một cổng (port)",
            )
        first, *others = paths or (None,)
        for other in others:
            self.wrong(
                paths[str(other)],
                f"the path '{other}' is another than '{first}'; keep the ports of one path, and register "
                "the others as a service of their own",
                f"đường dẫn '{other}' khác với '{first}'; hãy chỉ giữ các cổng cùng một đường dẫn và đăng ký "
                "các cổng còn lại thành dịch vụ riêng",
            )
        return first

    def _bindings(self, ports: list[Element]) -> Iterator[tuple[Element, Element]]:
        """The bindings of the ports, each with what it says of SOAP."""
        known = self._named("binding")
        wanted = {port.get("binding"): port.line for port in ports if port.first(*_ADDRESS) is not None}
        for name, line in wanted.items():
            binding = known.get(name)
            soap = binding.first(*_BINDING) if binding is not None else None
            if binding is None or soap is None:
                self._missing(line, "binding", name)
            elif soap.get("transport") not in _TRANSPORTS:
                self.wrong(
                    soap.line,
                    f"the transport must be HTTP: {_TRANSPORTS[0]}",
                    f"giao thức vận chuyển phải là HTTP: {_TRANSPORTS[0]}",
                )
            else:
                yield binding, soap

    def _operation(self, bound: Element, binding: Element, soap: Element, path: str) -> None:
        name = bound.get("name")
        try:
            names.check_operation_name(name)
            form = self._form(bound, binding, soap)
        except _IncompleteError:
            return
        except InvalidValueError as reason:
            self.wrong(bound.line, reason.text.en, reason.text.vi)
            return
        known = self.operations.get(name)
        if known is None or known.soap is None:
            self.operations[name] = ServiceOperation(name, "POST", path, form)
            self._places[name] = bound.line
        elif known.soap.name != form.name:
            self.wrong(
                bound.line,
                f"'{name}' stands at line {self._places[name]} with another first element in its Body; give "
                "operations names of their own",
                f"'{name}' đã có ở dòng {self._places[name]} với phần tử đầu của Body khác; mỗi thao tác cần "
                "một tên riêng",
            )
        else:
            actions = tuple(dict.fromkeys((*known.soap.actions, *form.actions)))
            self.operations[name] = replace(known, soap=replace(form, actions=actions))

    def _form(self, bound: Element, binding: Element, soap: Element) -> SoapForm:
        """What calls of an operation look like.

        Raises:
            InvalidValueError: it is not one that the gateway can tell from others.
            _IncompleteError: something is missing, and was reported.
        """
        port_type = self._get("portType", binding.get("type"), binding.line)
        name = bound.get("name")
        declared = self._operations_of(port_type).get(name, [])
        given = declared[0].first(f"{WSDL} input") if declared else None
        bound_input = bound.first(f"{WSDL} input")
        body = bound_input.first(*_BODY) if bound_input is not None else None
        if len(declared) > 1:
            raise InvalidValueError(
                f"the port type has '{name}' more than once; give operations names of their own",
                f"port type có '{name}' nhiều lần; mỗi thao tác cần một tên riêng",
            )
        if given is None or bound_input is None or body is None:
            raise InvalidValueError(
                f"'{shown(name)}' has no input with a soap:body, in the port type and the binding; "
                "attachments "
                "(mime:multipartRelated) are not taken",
                f"'{shown(name)}' không có input với soap:body trong port type và binding; không nhận tệp "
                "đính "
                "kèm (mime:multipartRelated)",
            )
        said = bound.first(*_OPERATION)
        style = (said.get("style") if said is not None else "") or soap.get("style", "document")
        if style == "rpc":
            element = f"{body.get('namespace')} {name}".strip()
        else:
            element = self._document_element(given, bound_input, body)
        actions = [said.get("soapAction") if said is not None else ""]
        actions += [given.get(attribute) for attribute in ACTIONS]
        actions.append(names.default_action(self._target, port_type, given, declared[0]))
        return SoapForm.of(names.checked_name(element), names.checked_actions(actions))

    def _document_element(self, given: Element, bound_input: Element, body: Element) -> str:
        message = self._get("message", given.get("message"), given.line)
        parts = list(message.all(f"{WSDL} part"))
        if "parts" in body.attributes:
            wanted = body.get("parts").split()
            parts = [part for part in parts if part.get("name") in wanted]
        else:
            in_header = {header.get("part") for kind in _HEADER for header in bound_input.all(kind)}
            parts = [part for part in parts if part.get("name") not in in_header]
        if not parts:
            return ""
        if len(parts) > 1:
            raise InvalidValueError(
                "the Body has more than one part; document style takes one (WS-I Basic Profile, R2201)",
                "Body có nhiều hơn một phần; kiểu document chỉ nhận một phần (WS-I Basic Profile, R2201)",
            )
        if not parts[0].get("element") or "element" in parts[0].undeclared:
            raise InvalidValueError(
                f"the part at line {parts[0].line} names no 'element' that is known; document style needs "
                "one",
                f"phần ở dòng {parts[0].line} không nêu 'element' đã biết; kiểu document cần có",
            )
        return parts[0].get("element")

    def _named(self, kind: str) -> dict[str, Element]:
        known = self._known.get(kind)
        if known is None:
            found = self._root.all(f"{WSDL} {kind}")
            known = self._known[kind] = {f"{self._target} {one.get('name')}".strip(): one for one in found}
        return known

    def _operations_of(self, port_type: Element) -> dict[str, list[Element]]:
        known = self._declared.get(port_type.get("name"))
        if known is None:
            known = self._declared[port_type.get("name")] = {}
            for operation in port_type.all(f"{WSDL} operation"):
                known.setdefault(operation.get("name"), []).append(operation)
        return known

    def _get(self, kind: str, name: str, line: int) -> Element:
        found = self._named(kind).get(name)
        if found is None:
            self._missing(line, kind, name)
            raise _IncompleteError
        return found

    def _missing(self, line: int, kind: str, name: str) -> None:
        self.wrong(
            line,
            f"there is no {kind} '{shown(local_name(name))}' for SOAP in this document",
            f"tài liệu này không có {kind} '{shown(local_name(name))}' cho SOAP",
        )

    def _whole(self) -> None:
        """Check the operations together."""
        first: dict[str, str] = {}
        for name, operation in self.operations.items():
            element = operation.soap.name if operation.soap is not None else ""
            other = first.setdefault(element, name)
            if other != name:
                self.wrong(
                    self._places[name],
                    f"calls of '{name}' and of '{other}' have the same first element in their Body, so that "
                    "rights on one would be rights on the other; give each its own (WS-I Basic Profile, "
                    "R2710)",
                    f"lời gọi '{name}' và '{other}' có cùng phần tử đầu trong Body nên quyền với thao tác "
                    "này "
                    "sẽ là quyền với thao tác kia; mỗi thao tác cần phần tử riêng (WS-I Basic Profile, "
                    "R2710)",
                )
        if not self.operations and not self.violations:
            self.wrong(
                self._root.line,
                "the bindings have no operation",
                "các binding không có thao tác nào",
            )
        if len(self.operations) > MAX_OPERATIONS:
            self.wrong(
                self._root.line,
                f"more than {MAX_OPERATIONS} operations; split the service",
                f"hơn {MAX_OPERATIONS} thao tác; hãy tách dịch vụ",
            )
        self.violations += routed_violations(tuple(self.operations.values()), ())


class _IncompleteError(Exception):
    """What an operation refers to is missing; it was reported."""
