"""What becomes of the `servers` of an OpenAPI document: the gateway calls a service at its `upstreams`.

A base path that only the document names would be missing in every call. It is not added by itself, because
a document often names the address under which others reach the service; who registers it is told.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lienthong.catalog.errors import InvalidValueError, Violation
from lienthong.catalog.services.domain.references import References
from lienthong.kit.text import BilingualText, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.kit.json_text import Json, JsonObject

_MOST_NAMED: Final = 3
_LONGEST_URL: Final = 2_000
_LONGEST_DEFAULT: Final = 200
_VARIABLE: Final = re.compile(r"\{([^{}]+)\}")


def server_notices(service: str, spec: JsonObject) -> Iterator[Violation]:
    """Yield what whoever registers a service should know of the servers in its document.

    `service` is its id: a server at `/api/{id}` is the gateway itself. Paths are relative to the manifest.
    """
    document = spec.get("openapi")
    if not isinstance(document, dict):
        return
    given = document.get("servers")
    bases = dict.fromkeys(_base_paths(given) if isinstance(given, list) else ())
    through_the_gateway = f"/api/{service}"
    asked = [base for base in bases if not base.endswith(through_the_gateway)]
    kept = {_path(address) for address in spec["upstreams"]}
    if any(asked) and not any(_stands_in(base, kept) for base in asked):
        yield Violation(("spec", "upstreams"), _lost(asked))
    elsewhere = _with_servers(document)
    if elsewhere:
        yield Violation(("spec", "openapi", "paths", elsewhere[0], "servers"), _passed_over(elsewhere))


def _stands_in(base: str, paths: set[str]) -> bool:
    return all(path.endswith(base) if base else path == "" for path in paths)


def _lost(bases: list[str]) -> BilingualText:
    said = ", ".join(f"'{shown(base, 100) or '/'}'" for base in bases[:_MOST_NAMED])
    if len(bases) == 1:
        return BilingualText(
            f"the servers of the document have the base path {said}, and no address here ends with it: calls "
            f"go to the address and the path of the operation; write it at the end of the address if the "
            f"provider expects it",
            f"máy chủ trong tài liệu có đường dẫn gốc {said}, nhưng không địa chỉ nào ở đây kết thúc bằng "
            f"phần đó: lời gọi đi tới địa chỉ nối với đường dẫn của thao tác; hãy viết thêm vào cuối địa chỉ "
            f"nếu bên cung cấp cần",
        )
    return BilingualText(
        f"the servers of the document have {len(bases)} base paths ({said}), and the addresses here end with "
        f"none: calls go to the address and the path of the operation; write the one that is meant at the "
        f"end of the address, and make a service of its own of each other one",
        f"máy chủ trong tài liệu có {len(bases)} đường dẫn gốc ({said}), nhưng địa chỉ ở đây không kết thúc "
        f"bằng đường dẫn nào: lời gọi đi tới địa chỉ nối với đường dẫn của thao tác; hãy viết đường dẫn cần "
        f"dùng vào cuối địa chỉ, và khai báo mỗi đường dẫn khác thành một dịch vụ riêng",
    )


def _passed_over(paths: list[str]) -> BilingualText:
    said = ", ".join(f"'{shown(path, 100)}'" for path in paths[:_MOST_NAMED])
    more = len(paths) - _MOST_NAMED
    return BilingualText(
        f"servers of paths and operations do not count (here those of {said}"
        f"{f' and {more} more' if more > 0 else ''}): calls of all operations go to 'upstreams'; make a "
        f"service of what another server answers",
        f"máy chủ riêng của đường dẫn và thao tác không được dùng (ở đây là của {said}"
        f"{f' và {more} đường dẫn khác' if more > 0 else ''}): lời gọi của mọi thao tác đi tới 'upstreams'; "
        f"phần do máy chủ khác trả lời cần là một dịch vụ riêng",
    )


def _base_paths(servers: list[Json]) -> Iterator[str]:
    for server in servers:
        if (
            isinstance(server, dict)
            and isinstance(url := server.get("url"), str)
            and len(url) <= _LONGEST_URL
        ):
            yield _path(_VARIABLE.sub(partial(_default, server.get("variables")), url))


def _default(variables: Json, found: re.Match[str]) -> str:
    variable = variables.get(found[1]) if isinstance(variables, dict) else None
    default = variable.get("default") if isinstance(variable, dict) else None
    return default[:_LONGEST_DEFAULT] if isinstance(default, str) else found[0]


def _path(address: str) -> str:
    try:
        return urlsplit(address).path.rstrip("/")
    except ValueError:
        return ""


def _with_servers(document: JsonObject) -> list[str]:
    """Return the paths that name servers themselves or whose operations do."""
    try:
        paths = References(document).value(document.get("paths"))
    except InvalidValueError:
        return []
    return [
        path
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if isinstance(item, dict)
        and ("servers" in item or any(isinstance(part, dict) and "servers" in part for part in item.values()))
    ]
