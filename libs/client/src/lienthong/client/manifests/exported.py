"""An export of the catalog as files, and such files in the order in which a catalog takes them.

Of each agency there is a file for each kind, and one for each document of a service: `H11.05.services.yaml`,
`H11.05.land.parcels-v1.openapi.json`. Agreements lie with the agency whose data they are about. The same
catalog gives the same bytes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lienthong.client.manifests.load import Manifests
from lienthong.client.manifests.write import as_yaml
from lienthong.client.operations import KINDS
from lienthong.client.operations.operation import json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lienthong.client.manifests.positions import Document

_PLURALS: Final = {singular: plural for plural, singular in KINDS.items()}
_ORDER: Final = ("Agency", "System", "Service", "EventType", "Agreement")
_REFERENCES: Final = {
    "Agency": (("spec", "replacedBy"), ("spec", "parent"), ("mergedInto",)),
    "Service": (("spec", "lifecycle", "successor"),),
}
"""Where a resource refers to others of its kind."""
MOST_AT_ONCE: Final = 1000
MOST_BYTES: Final = 12 * 1024 * 1024
"""Of one request, where it has several manifests: half of what a catalog takes by itself."""
# What YAML does not take as it is, also in JSON.
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write(item: Mapping[str, Any], folder: Path, *, with_version: bool) -> tuple[str, ...]:
    """Add a resource of an export to the files of a folder; returns the names of its files."""
    resource_id = str(item["metadata"]["id"])
    spec, files = dict(item["spec"]), []
    if isinstance(document := spec.get("openapi"), dict):
        name = f"{resource_id.replace('/', '.')}.openapi.json"
        (folder / name).write_bytes(_json_text(document).encode())
        spec = {("openapiFile" if key == "openapi" else key): value for key, value in spec.items()}
        spec["openapiFile"] = name
        files.append(name)
    # Files are read with the line breaks of this machine: text with others stays in the manifest.
    if isinstance(text := spec.get("wsdl"), str) and not {"\r", "\ufeff"} & set(text):
        name = f"{resource_id.replace('/', '.')}.wsdl"
        (folder / name).write_bytes(text.encode())
        spec = {("wsdlFile" if key == "wsdl" else key): value for key, value in spec.items()}
        spec["wsdlFile"] = name
        files.append(name)
    metadata = {key: value for key, value in item["metadata"].items() if with_version or key != "version"}
    name = f"{_agency_of(item)}.{_PLURALS[item['kind']]}.yaml"
    path = folder / name
    with path.open("ab") as file:
        separator = "---\n" if file.tell() else ""
        file.write(f"{separator}{as_yaml({**item, 'metadata': metadata, 'spec': spec})}".encode())
    return (name, *files)


def in_order(manifests: Manifests) -> Iterator[Manifests]:
    """Split manifests into requests, each of what a catalog takes at once, after those that it refers to."""
    part, room = Manifests(), MOST_BYTES
    for document in _sorted(manifests.documents):
        size = len(json_bytes(document.value))
        if part.documents and (room < size or len(part.documents) == MOST_AT_ONCE):
            yield part
            part, room = Manifests(), MOST_BYTES
        part.documents.append(document)
        room -= size
    if part.documents:
        yield part


def _sorted(documents: list[Document]) -> Iterator[Document]:
    for kind in _ORDER:
        waiting = {_id(one): one for one in documents if one.value.get("kind") == kind}
        while waiting:
            chain = [next(iter(waiting))]
            while chain:
                named = _references(waiting[chain[-1]], kind)
                following = next((one for one in named if one in waiting and one not in chain), None)
                if following is None:
                    yield waiting.pop(chain.pop())
                else:
                    chain.append(following)


def _references(document: Document, kind: str) -> Iterator[str]:
    """Yield the ids of the resources of the same kind that one refers to."""
    for place in _REFERENCES.get(kind, ()):
        value: Any = document.value
        for member in place:
            value = value.get(member) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield value


def _id(document: Document) -> str:
    return str(document.value.get("metadata", {}).get("id", ""))


def _agency_of(item: Mapping[str, Any]) -> str:
    if item["kind"] == "Agreement":
        return str(item["spec"].get("service") or item["spec"].get("eventType")).partition("/")[0]
    return str(item["metadata"]["id"]).partition("/")[0]


def _json_text(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"
