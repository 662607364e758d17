"""Making manifests of what exists elsewhere: OpenAPI and WSDL documents, and the services of X-Road.

Nothing is registered by it: files are written, which people read, complete and apply.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit

from lienthong.client.errors import InputError, ManifestError, Text
from lienthong.client.fetching import fetch
from lienthong.client.files import PUBLIC, create_file
from lienthong.client.manifests.positions import read
from lienthong.client.manifests.write import as_yaml

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_LONGEST_NAME: Final = 200
_LONGEST_CODE: Final = 60
_MOST_SERVICES: Final = 500
"""Of a subsystem of X-Road."""
_MOST_SHOWN: Final = 200
_ADDRESS: Final = re.compile(r"""<(?:\w+:)?address\b[^<>]*?\blocation\s*=\s*["']([^"'<>]+)["']""")
_NAMED: Final = re.compile(r"""<(?:\w+:)?(?:definitions|service)\b[^<>]*?\bname\s*=\s*["']([^"'<>]+)["']""")
_OPENAPI: Final = frozenset(("OPENAPI", "OPENAPI3"))
X_ROAD_CLIENT: Final = "X-Road-Client"
MEMBER: Final = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+(/[^/\s]+)?")
SUBSYSTEM: Final = re.compile(r"[^/\s]+/[^/\s]+/[^/\s]+/[^/\s]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """A service: its id, what its manifest says beside the document, and the document with its file."""

    id: str
    spec: dict[str, Any]
    member: str
    file: str
    document: bytes

    def write(self, folder: Path) -> list[Path]:
        """Write manifest and document into a folder; neither replaces a file.

        Raises:
            InputError: one of them is there, or cannot be written.
        """
        code = self.id.rpartition("/")[2]
        spec = {**self.spec, f"{self.member}File": self.file}
        manifest = {
            "apiVersion": "lienthong/v1",
            "kind": "Service",
            "metadata": {"id": self.id},
            "spec": spec,
        }
        files = {folder / self.file: self.document, folder / f"{code}.yaml": as_yaml(manifest).encode()}
        taken = [path for path in files if path.exists()]
        if taken:
            raise _there(taken[0])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in files.items():
                create_file(path, content, mode=PUBLIC)
        except FileExistsError as error:
            raise _there(folder / self.file) from error
        except OSError as error:
            raise InputError(
                Text("Không ghi được tệp", "The file cannot be written"),
                Text(f"{error.filename}: {error.strerror}", f"{error.filename}: {error.strerror}"),
            ) from error
        return list(files)


def from_openapi(service_id: str, content: bytes, source: str, upstreams: Sequence[str]) -> Imported:
    """A service of an OpenAPI document, at `upstreams`, or where its servers say if none are given.

    Raises:
        InputError: it is none, or says not where the API is.
        ManifestError: it has mistakes, each with its line.
    """
    code = service_id.rpartition("/")[2]
    suffix = "json" if content.lstrip()[:1] == b"{" else "yaml"
    document = _document(content, f"{code}.openapi.{suffix}")
    info = document.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    addresses = list(upstreams) or _servers(document, source)
    return Imported(
        service_id, _spec(str(title or code), addresses), "openapi", f"{code}.openapi.{suffix}", content
    )


def from_wsdl(service_id: str, content: bytes, upstreams: Sequence[str]) -> Imported:
    """A service of a WSDL document, at `upstreams`, or where its addresses say if none are given.

    Raises:
        InputError: it is none, or says not where the service is.
    """
    text = content.decode("utf-8", "replace")
    if "definitions" not in text and "description" not in text:
        raise _no_document(Text("không phải tài liệu WSDL", "this is no WSDL document"))
    code = service_id.rpartition("/")[2]
    named = _NAMED.search(text)
    # The gateway adds the path of a service's address itself.
    addresses = list(upstreams) or [_origin(one) for one in _ADDRESS.findall(text)]
    usable = list(dict.fromkeys(_usable(addresses)))
    return Imported(service_id, _spec(named[1] if named else code, usable), "wsdl", f"{code}.wsdl", content)


@dataclass(frozen=True, slots=True)
class XRoad:
    """A subsystem of X-Road behind a security server, as `client` may see it (its ids with `/` between)."""

    server: str
    client: str
    provider: str
    tls: ssl.SSLContext | None = None

    def services(self, system: str) -> tuple[list[Imported], list[str]]:
        """The services with an OpenAPI document, as those of a system here; and the codes of the others.

        Raises:
            InputError: the answers are not those of X-Road's metadata services.
            UnreachableError: the security server does not answer, or refuses.
        """
        listed = _json(self._asked("listMethods"))
        items = listed.get("service") if isinstance(listed, dict) else None
        if not isinstance(items, list) or len(items) > _MOST_SERVICES:
            raise _no_document(Text("câu trả lời không phải listMethods", "the answer is no listMethods"))
        found: list[Imported] = []
        others: list[str] = []
        codes: set[str] = set()
        for item in items:
            code = item.get("service_code") if isinstance(item, dict) else None
            if not isinstance(code, str) or not code or "/" in code:
                continue
            if item.get("service_type") not in _OPENAPI:
                others.append(code[:_MOST_SHOWN])
                continue
            own = _unused(_code_of(code), codes)
            content = self._asked("getOpenAPI", f"?serviceCode={quote(code, safe='')}")
            one = from_openapi(f"{system}/{own}", content, "", [self.server.rstrip("/")])
            one.spec["xRoad"] = {"client": self.client, "service": f"{self.provider}/{code}"}
            found.append(one)
        return found, others

    def _asked(self, name: str, query: str = "") -> bytes:
        path = "/".join(quote(part, safe="") for part in self.provider.split("/"))
        address = f"{self.server.rstrip('/')}/r1/{path}/{name}{query}"
        return fetch(address, {X_ROAD_CLIENT: self.client, "Accept": "application/json"}, self.tls)


def _spec(title: str, upstreams: Sequence[str]) -> dict[str, Any]:
    if not upstreams:
        raise InputError(
            Text("Chưa biết API ở đâu", "It is not known where the API is"),
            advice=Text(
                "Tài liệu không nêu địa chỉ đầy đủ: hãy thêm --upstream http://MÁY:CỔNG/ĐƯỜNG-DẪN.",
                "The document names no whole address: add --upstream http://HOST:PORT/PATH.",
            ),
            code="no-upstream",
        )
    name = " ".join(title.split())[:_LONGEST_NAME]
    return {
        "name": {"vi": name, "en": name},
        "lifecycle": {"stage": "draft"},
        "upstreams": list(upstreams),
    }


def _document(content: bytes, file: str) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_document(Text("không phải văn bản UTF-8", "this is no text in UTF-8")) from error
    documents, mistakes = read(text, file)
    if mistakes:
        raise ManifestError(Text("Tài liệu có lỗi", "The document has mistakes"), mistakes=mistakes)
    value = documents[0].value if len(documents) == 1 else None
    if not isinstance(value, dict) or not value.keys() & {"openapi", "swagger"}:
        raise _no_document(Text("không phải tài liệu OpenAPI", "this is no OpenAPI document"))
    return value


def _servers(document: dict[str, Any], source: str) -> list[str]:
    """Where the document says that the API is, by addresses that are relative to its own too."""
    if "swagger" in document:
        schemes, host = document.get("schemes"), document.get("host")
        scheme = schemes[0] if isinstance(schemes, list) and schemes else "https"
        path = document.get("basePath", "")
        written = f"{scheme}://{host}{path}" if host else str(path or "/")
    else:
        servers = document.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else {}
        written = str(first.get("url", "")) if isinstance(first, dict) else ""
    base = source if source.startswith(("http://", "https://")) else ""
    try:
        return list(_usable([urljoin(base, written)]))
    except ValueError:
        return []


def _usable(addresses: Iterable[str]) -> Iterable[str]:
    """Addresses that can be upstreams as they are: whole ones, without variables."""
    for one in addresses:
        try:
            parts = urlsplit(one)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname and not set(one) & set("${}?#"):
            yield one.rstrip("/")


def _origin(address: str) -> str:
    scheme, mark, rest = address.partition("://")
    return f"{scheme}{mark}{rest.partition('/')[0]}"


def _json(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(content)
    except ValueError:
        return None


def _code_of(name: str) -> str:
    """A code of ours for a service of another system: small letters, digits and hyphens."""
    code = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
    return (code if code[:1].isalpha() else f"s-{code}")[:_LONGEST_CODE].rstrip("-")


def _unused(code: str, codes: set[str]) -> str:
    number, found = 1, code
    while found in codes:
        number += 1
        found = f"{code[: _LONGEST_CODE - 4]}-{number}"
    codes.add(found)
    return found


def _no_document(why: Text) -> InputError:
    return InputError(Text("Không nhập được tài liệu", "The document cannot be imported"), why)


def _there(path: Path) -> InputError:
    return InputError(
        Text("Tệp đã có", "The file exists"),
        Text(str(path), str(path)),
        Text("Hãy chọn thư mục khác, hoặc xoá tệp cũ.", "Choose another folder, or remove the file."),
        code="file-exists",
    )
