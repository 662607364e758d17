"""What a form makes of a service: its manifest, with the document as it was pasted or read from a file."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lienthong.client.manifests import positions
from lienthong.client.pointers import parse_pointer
from lienthong.kit.json_pointer import pointer
from lienthong.kit.problems import ProblemError, general
from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lienthong.console.systems.manifests import Named

MOST_CHARACTERS: Final = 512 * 1024
"""Of a document in a form; larger ones are applied from files, by the command."""
_MOST_MISTAKES: Final = 20
_DIGITS: Final = 18
_DOCUMENT: Final = ("openapi", "wsdl")
_TEXTS: Final = (("openapi",), ("swagger",), ("info", "version"))
"""Versions, which YAML takes for numbers where they stand without quotes."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was read from a form: OpenAPI with the place of each part, or WSDL as text."""

    member: str
    value: Any
    places: positions.Document | None = None

    def line(self, place: str) -> int | None:
        """The line of a place in the manifest, a JSON pointer; None where it is not in the document."""
        words = parse_pointer(place)
        if self.places is None or words[:4] != ("manifests", "0", "spec", self.member):
            return None
        found = self.places.place(words[4:])
        return None if found is None else found.line


def read_document(text: str) -> Written:
    """Read an OpenAPI document in YAML or JSON, or a WSDL document; as slow as the document makes it.

    Raises:
        ProblemError: 422 `invalid-request`, with the line of each mistake.
    """
    if len(text) > MOST_CHARACTERS:
        raise _unreadable(
            BilingualText(
                f"a form takes {MOST_CHARACTERS} characters of a document; apply larger ones from a file, by "
                "lienthong apply -f FILE",
                f"biểu mẫu nhận tài liệu tối đa {MOST_CHARACTERS} ký tự; hãy áp dụng tài liệu lớn hơn từ "
                "tệp, bằng lienthong apply -f FILE",
            )
        )
    if text.lstrip().startswith("<"):
        return Written("wsdl", text)
    begins = text.lstrip()[:1]
    documents, mistakes = positions.read(text, "document.json" if begins == "{" else "document.yaml")
    if mistakes:
        raise _unreadable(
            *(
                BilingualText(f"line {one.line}: {one.detail.en}", f"dòng {one.line}: {one.detail.vi}")
                for one in mistakes[:_MOST_MISTAKES]
            )
        )
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise _unreadable(
            BilingualText(
                "this is no OpenAPI document in YAML or JSON, and no WSDL; choose the file of your API",
                "đây không phải tài liệu OpenAPI (YAML, JSON), cũng không phải WSDL; hãy chọn tệp của API",
            )
        )
    (found,) = documents
    for place in _TEXTS:
        _as_written(found, place)
    return Written("openapi", found.value, found)


def _as_written(document: positions.Document, place: tuple[str, ...]) -> None:
    """Let a scalar at this place be the text that was written."""
    *around, last = place
    parent = document.value
    for name in around:
        parent = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(parent, dict) and last in parent and place in document.written:
        parent[last] = document.written[place]


def new_service(form: Mapping[str, str], written: Written) -> dict[str, Any]:
    """The manifest of a new service, a draft."""
    found = f"{form.get('system', '').strip()}/{form.get('code', '').strip()}"
    return _manifest(found, {"lifecycle": {"stage": "draft"}, **_typed(form), written.member: written.value})


def changed_service(service: Named, form: Mapping[str, str], written: Written | None) -> dict[str, Any]:
    """The manifest of a service with what a form changes, and another document if one is given; it is taken
    where nobody has changed the service since the form was shown."""
    kept = {name: value for name, value in service.spec.items() if written is None or name not in _DOCUMENT}
    document = {} if written is None else {written.member: written.value}
    return _manifest(service.id, {**kept, **_typed(form), **document}, _version(form))


def moved_service(service: Named, form: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of a service in another stage of its life, likewise."""
    said = ("deprecatedAt", "sunsetAt", "successor", "link")
    lifecycle = {"stage": form.get("stage", "")}
    lifecycle |= {name: text for name in said if (text := form.get(name, "").strip())}
    return _manifest(service.id, {**service.spec, "lifecycle": lifecycle}, _version(form))


def with_lines(problem: ProblemError, written: Written | None) -> Sequence[BilingualText]:
    """What is wrong with a service, each with its line in the document or its place in the manifest."""
    found = []
    for error in problem.extra.get("errors", ()):
        place = str(error["pointer"])
        line = None if written is None else written.line(place)
        at = place.removeprefix("/manifests/0/spec/")
        en, vi = (f"line {line}", f"dòng {line}") if line is not None else (at, at)
        found.append(BilingualText(f"{en}: {error['detail']}", f"{vi}: {error['detail_vi']}"))
    return found


def _typed(form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": {"vi": form.get("name_vi", "").strip(), "en": form.get("name_en", "").strip()},
        "upstreams": form.get("upstreams", "").split(),
    }


def _version(form: Mapping[str, str]) -> Mapping[str, int]:
    """The version of the service that somebody saw, as the form carries it."""
    found = form.get("version", "")
    return {"version": int(found)} if found.isascii() and found.isdigit() and len(found) <= _DIGITS else {}


def _manifest(
    service_id: str, spec: Mapping[str, Any], version: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Any]:
    metadata = {"id": service_id, **version}
    return {"apiVersion": "lienthong/v1", "kind": "Service", "metadata": metadata, "spec": dict(spec)}


def _unreadable(*details: BilingualText) -> ProblemError:
    listed = [{"pointer": pointer(("document",)), "detail": one.en, "detail_vi": one.vi} for one in details]
    return ProblemError(general.INVALID_REQUEST, details[0], extra={"errors": listed})
