"""Styles and scripts, held in memory, each under an address that names its content, to be kept for good."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import bootstrap_wrapper
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "/static"
BOOTSTRAP: Final = "bootstrap.min.css"
BOOTSTRAP_SRI: Final = "sha384-sRIl4kxILFvY47J16cr9ZwB07vP4J8+LH7qKQnuqkuIAvNWLzeN8tE5YBujZqJLB"
"""What Bootstrap's own documentation names for 5.3.8: the package that brings it is somebody else's."""
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


class WrongFileError(Exception):
    """A file of another package is not the one that was reviewed."""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file that browsers load beside a page."""

    name: str
    content: bytes
    packed: bytes

    @property
    def address(self) -> str:
        """Its address, which changes with its content."""
        return f"{PREFIX}/{hashlib.sha256(self.content).hexdigest()[:16]}/{self.name}"


def load_static_files() -> Mapping[str, StaticFile]:
    """All of them by name.

    Raises:
        WrongFileError: Bootstrap is not the version that was reviewed.
    """
    found = {
        entry.name: entry.read_bytes()
        for entry in files("lienthong.pages").joinpath("static").iterdir()
        if entry.name.rpartition(".")[2] in _TYPES
    }
    library = (bootstrap_wrapper.get_bootstrap_css_dir() / BOOTSTRAP).read_bytes()
    if f"sha384-{b64encode(hashlib.sha384(library).digest()).decode()}" != BOOTSTRAP_SRI:
        raise WrongFileError(f"{BOOTSTRAP} of bootstrap-wrapper is not that of Bootstrap 5.3.8")
    # Its map of sources is for who changes it; browsers would ask for it in vain.
    found[BOOTSTRAP] = library.partition(b"/*# sourceMappingURL=")[0]
    return {
        name: StaticFile(name, content, gzip.compress(content, 9, mtime=0)) for name, content in found.items()
    }


def static_routes(held: Mapping[str, StaticFile]) -> APIRouter:
    """The route that serves them."""
    by_address = {one.address: one for one in held.values()}
    router = APIRouter()

    @router.get(PREFIX + "/{digest}/{name}")
    async def static(request: Request) -> Response:
        found = by_address.get(request.url.path)
        if found is None:
            raise HTTPException(404)
        headers = {**_HEADERS, "Content-Type": _TYPES[found.name.rpartition(".")[2]]}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.packed, headers={**headers, "Content-Encoding": "gzip"})
        return Response(found.content, headers=headers)

    return router
