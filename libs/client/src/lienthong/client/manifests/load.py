"""Reads manifests from files and folders.

A manifest is `{apiVersion, kind, metadata: {id}, spec}`. Beside what the catalog takes, a System may name the
file of its keys with `jwksFile` and a Service that of its document with `openapiFile` or `wsdlFile`, relative
to the YAML file; environment variables are expanded there and in a Service's `upstreams` and `tokenUrl`s, and
`~` in names of files.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lienthong.client.errors import InputError, Mistake, Text
from lienthong.client.manifests import private_keys
from lienthong.client.manifests.positions import Document, Position, read
from lienthong.client.pointers import Pointer, parse_pointer, pointer_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

API_VERSION = "lienthong/v1"
KINDS = ("Agency", "System", "Service", "EventType", "Agreement")
STANDARD_INPUT = Path("-")
SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_FILE_FIELDS = {
    "jwksFile": ("System", "jwks"),
    "openapiFile": ("Service", "openapi"),
    "wsdlFile": ("Service", "wsdl"),
}
_TEXTS = frozenset(("wsdlFile",))
"""Files that are handed over as they are."""
_WRITTEN = ("apiVersion", "kind", "metadata", "spec")
# What the catalog adds when it is read; it ignores these when they come back.
_TOP_LEVEL = frozenset(
    {
        *_WRITTEN,
        "status",
        "suspendedBy",
        "mergedInto",
        "agency",
        "effectiveStatus",
        "dueAt",
        "overdue",
        "amendment",
        "operations",
        "decisions",
        "history",
        "warnings",
    }
)
# People write these without quotes, and YAML then takes them for numbers; the catalog knows them as text.
_TEXT_FIELDS = (
    ("metadata", "id"),
    ("spec", "replacedBy"),
    ("spec", "openapi", "openapi"),
    ("spec", "openapi", "swagger"),
    ("spec", "openapi", "info", "version"),
)


@dataclass(slots=True)
class Manifests:
    """What was read: documents in order, and the mistakes found so far.

    `readable` says that every file could be parsed, so that the catalog can judge them as a whole; `taken`
    are the files that manifests name.
    """

    documents: list[Document] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    readable: bool = True
    taken: set[Path] = field(default_factory=set)

    def add(self, other: Manifests) -> None:
        """Take in what another file brought."""
        self.documents += other.documents
        self.mistakes += other.mistakes
        self.readable = self.readable and other.readable
        self.taken |= other.taken

    @property
    def values(self) -> list[dict[str, Any]]:
        """The manifests as the catalog takes them."""
        return [document.value for document in self.documents]

    def locate(self, mistakes: Iterable[Mistake]) -> list[Mistake]:
        """The catalog's mistakes (`/manifests/3/spec/agency`) with file, line and pointer in the document.

        What a mistake found here already explains is left out.
        """
        found = []
        for mistake in mistakes:
            match parse_pointer(mistake.pointer):
                case ("manifests", number, *inner) if number.isdigit() and int(number) < len(self.documents):
                    document, pointer = self.documents[int(number)], tuple(inner)
                    if not any(pointer[: len(part)] == part for part in document.blamed):
                        found.append(_placed(pointer, mistake.detail, document.place(pointer)))
                case _:
                    found.append(mistake)
        return found


def load(paths: Sequence[Path], *, as_written: bool = False) -> Manifests:
    """Read files, and the YAML and JSON files of folders in the order of their names; `-` is standard input.

    A file in a folder that a manifest names (keys, an OpenAPI document) is no manifest itself. Addresses that
    are `as_written` have no variables: what an export wrote is text.
    """
    parts = [(path, given, _load_file(path, as_written=as_written)) for path, given in _files(paths)]
    named = {taken for _, _, part in parts for taken in part.taken}
    found = Manifests()
    for path, given, part in parts:
        if given or path.resolve() not in named:
            found.add(part)
    _refuse_twins(found)
    return found


def _files(paths: Sequence[Path]) -> list[tuple[Path, bool]]:
    """The files, and whether each was given by name rather than found in a folder."""
    files: dict[Path, bool] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
            if not inside:
                raise InputError(
                    Text("Thư mục không có tệp YAML", "The folder holds no YAML files"),
                    Text(str(path), str(path)),
                )
            files |= {file: files.get(file, False) for file in inside}
        elif path.exists() or path == STANDARD_INPUT:
            files[path] = True
        else:
            raise InputError(
                Text("Không có tệp hay thư mục này", "There is no such file or folder"),
                Text(str(path), str(path)),
                code="no-such-file",
            )
    return list(files.items())


def _load_file(path: Path, *, as_written: bool) -> Manifests:
    found = Manifests()
    text = _read_text(path)
    if isinstance(text, Text):
        return Manifests(mistakes=[Mistake("", text, str(path))], readable=False)
    documents, found.mistakes = read(text, str(path))
    found.readable = not found.mistakes
    for document in documents:
        if not isinstance(document.value, dict):
            found.mistakes.append(_blame(document, (), Text("cần một đối tượng", "an object is expected")))
            found.readable = False
            continue
        found.mistakes += _envelope_mistakes(document)
        found.mistakes += _take_files(document, path.parent, found.taken)
        if not as_written:
            found.mistakes += _expand_addresses(document)
        _keep_text(document)
        found.documents.append(document)
    return found


def _envelope_mistakes(document: Document) -> list[Mistake]:
    value = document.value
    mistakes = [
        _blame(document, (name,), _unknown(name, _WRITTEN)) for name in value if name not in _TOP_LEVEL
    ]
    if value.get("apiVersion") != API_VERSION:
        mistakes.append(
            _blame(document, ("apiVersion",), Text(f"phải là {API_VERSION}", f"must be {API_VERSION}"))
        )
    kind = value.get("kind")
    if kind not in KINDS:
        mistakes.append(_blame(document, ("kind",), _unknown(kind, KINDS)))
    mistakes += [
        _blame(document, (name,), Text("cần một đối tượng", "an object is expected"))
        for name in ("metadata", "spec")
        if not isinstance(value.get(name), dict)
    ]
    if isinstance(value.get("metadata"), dict) and not document.written.get(("metadata", "id")):
        mistakes.append(_blame(document, ("metadata", "id"), Text("thiếu mã", "the id is missing")))
    return mistakes


def _take_files(document: Document, folder: Path, named: set[Path]) -> list[Mistake]:
    spec = document.value.get("spec")
    mistakes: list[Mistake] = []
    for name, (kind, target) in _FILE_FIELDS.items():
        if not isinstance(spec, dict) or name not in spec or document.value.get("kind") != kind:
            continue
        written = spec.pop(name)
        pointer: Pointer = ("spec", name)
        if target in spec:
            taken: Document | list[Mistake] | Text = Text(
                f"chỉ nêu {name} hoặc {target}", f"give {name} or {target}, not both"
            )
        elif not isinstance(written, str) or not written:
            taken = Text("cần đường dẫn tệp", "a file's path is expected")
        else:
            taken = _read_inner(written, folder, named, as_text=name in _TEXTS)
        if isinstance(taken, Document):
            _graft(document, pointer, target, taken)
            continue
        document.blamed.append(("spec", target))
        if isinstance(taken, Text):
            mistakes.append(_blame(document, pointer, taken))
        else:
            mistakes += [_within(mistake, ("spec", target)) for mistake in taken]
    if document.value.get("kind") == "System" and isinstance(spec, dict) and private_keys.take_out(spec):
        mistakes.append(_blame(document, ("spec", "jwks"), private_keys.REFUSED))
    return mistakes


def _graft(document: Document, pointer: Pointer, target: str, taken: Document) -> None:
    place = document.places[pointer]
    document.graft(("spec", target), taken)
    if target == "jwks":
        # A JWK Set is a line that a program wrote: the line that names its file says more.
        document.places = {
            where: place if where[:2] == ("spec", target) else known
            for where, known in document.places.items()
        }


def _expand_addresses(document: Document) -> list[Mistake]:
    spec = document.value.get("spec")
    if document.value.get("kind") != "Service" or not isinstance(spec, dict):
        return []
    found: list[tuple[tuple[str, ...], Any, Any]] = []
    if isinstance(upstreams := spec.get("upstreams"), list):
        found += ((("upstreams", str(number)), upstreams, number) for number in range(len(upstreams)))
    if isinstance(credentials := spec.get("credentials"), list):
        found += (
            (("credentials", str(number), "tokenUrl"), one, "tokenUrl")
            for number, one in enumerate(credentials)
            if isinstance(one, dict) and "tokenUrl" in one
        )
    mistakes: list[Mistake] = []
    for place, holder, member in found:
        written = holder[member]
        expanded = _expanded(written) if isinstance(written, str) else written
        if isinstance(expanded, Text):
            mistakes.append(_blame(document, ("spec", *place), expanded))
        else:
            holder[member] = expanded
    return mistakes


def _expanded(written: str) -> str | Text:
    expanded = os.path.expandvars(written)
    unset = re.search(r"\$(\w+|\{[^}]*\})", expanded)
    if unset is None:
        return expanded
    name = unset[0].strip("${}")
    return Text(f"biến môi trường {name} chưa đặt", f"the environment variable {name} is not set")


def _read_inner(
    written: str, folder: Path, named: set[Path], *, as_text: bool
) -> Document | list[Mistake] | Text:
    expanded = _expanded(written)
    if isinstance(expanded, Text):
        return expanded
    path = folder / Path(expanded).expanduser()
    named.add(path.resolve())
    text = _read_text(path)
    if isinstance(text, Text):
        return text
    if as_text:
        return Document(text, {(): Position(str(path), 1, 1)})
    documents, mistakes = read(text, str(path))
    if mistakes:
        return mistakes
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        return Text(f"{path}: cần đúng một đối tượng", f"{path}: exactly one object is expected")
    return documents[0]


def _keep_text(document: Document) -> None:
    for pointer in _TEXT_FIELDS:
        parent = document.value
        for word in pointer[:-1]:
            parent = parent.get(word) if isinstance(parent, dict) else None
        if isinstance(parent, dict) and isinstance(parent.get(pointer[-1]), int | float):
            parent[pointer[-1]] = document.written[pointer]


def _refuse_twins(found: Manifests) -> None:
    seen: dict[tuple[str, str], Position | None] = {}
    for document in found.documents:
        name = (str(document.value.get("kind")), document.written.get(("metadata", "id"), ""))
        if name in seen and all(name):
            first = seen[name]
            where = f"{first.file}:{first.line}" if first is not None else "?"
            twice = Text(f"{' '.join(name)} đã có ở {where}", f"{' '.join(name)} is already at {where}")
            found.mistakes.append(_blame(document, ("metadata", "id"), twice))
        else:
            seen[name] = document.place(("metadata", "id"))


def _read_text(path: Path) -> str | Text:
    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Text(f"{path}: không phải UTF-8", f"{path}: not UTF-8")
    except OSError as error:
        return Text(f"không đọc được {path}: {error.strerror}", f"cannot read {path}: {error.strerror}")


def _blame(document: Document, pointer: Pointer, detail: Text) -> Mistake:
    document.blamed.append(pointer)
    return _placed(pointer, detail, document.place(pointer))


def _placed(pointer: Pointer, detail: Text, place: Position | None) -> Mistake:
    if place is None:
        return Mistake(pointer_text(pointer), detail)
    return Mistake(pointer_text(pointer), detail, place.file, place.line, place.column)


def _within(mistake: Mistake, prefix: Pointer) -> Mistake:
    return Mistake(
        pointer_text(prefix) + mistake.pointer, mistake.detail, mistake.file, mistake.line, mistake.column
    )


def _unknown(name: object, known: Sequence[str]) -> Text:
    if name is None:
        return Text(f"thiếu; một trong: {', '.join(known)}", f"missing; one of: {', '.join(known)}")
    near = get_close_matches(str(name), known, n=1)
    if near:
        return Text(f"không có «{name}»; ý là «{near[0]}»?", f"unknown '{name}'; did you mean '{near[0]}'?")
    return Text(f"không có «{name}»; có: {', '.join(known)}", f"unknown '{name}'; one of: {', '.join(known)}")
