"""What all departments' web services share: paging, problems, the API's document, a line per call."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from binh_thuan.data.records import ListPage, R
from binh_thuan.data.seeds import fold

DOCUMENTS = Path(__file__).resolve().parents[3] / "openapi"
PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The folder a department writes its books to (None: kept in memory only), and today's date."""

    folder: Path | None
    today: Callable[[], date]

    def book(self, name: str) -> Path | None:
        """Return the file of the book called `name`."""
        return self.folder / f"{name}.jsonl" if self.folder else None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is wanted."""

    page: int
    size: int

    def of(self, found: Iterable[R]) -> ListPage[R]:
        """Cut this page out of what was found."""
        everything = list(found)
        first = (self.page - 1) * self.size
        items = everything[first : first + self.size]
        return ListPage(items=items, page=self.page, page_size=self.size, total=len(everything))


def _paging(
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=100)] = 20,
) -> Paging:
    return Paging(page, page_size)


PageWanted = Annotated[Paging, Depends(_paging)]
Words = Annotated[str | None, Query(alias="q", min_length=1, max_length=100)]


def matches(words: str | None, *texts: str) -> bool:
    """Say whether every one of `words` occurs in `texts`; marks and capitals do not matter."""
    if not words:
        return True
    searched = fold(" ".join(texts))
    return all(word in searched for word in fold(words).split())


def not_found(what_vi: str, what_en: str) -> HTTPException:
    """Return a 404 that says what was not found."""
    return HTTPException(404, f"Không tìm thấy {what_vi}. · No such {what_en}.")


def known_entry(entries: Mapping[str, R], key: str, what_vi: str, what_en: str) -> R:
    """Return the entry of a register, or raise the 404 of `not_found`."""
    if key not in entries:
        raise not_found(what_vi, what_en)
    return entries[key]


def conflict(text: str) -> HTTPException:
    """Return a 409: what was sent cannot be registered."""
    return HTTPException(409, text)


def _problem(status: int, title: str, **members: object) -> JSONResponse:
    content = {"type": "about:blank", "title": title, "status": status, **members}
    return JSONResponse(content, status, media_type=PROBLEM_JSON)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else "Lỗi hệ thống. · Internal error."
    titles = {404: "Not Found", 405: "Method Not Allowed", 409: "Conflict"}
    answer = _problem(status, titles.get(status, "Error"), detail=detail)
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _invalid(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"pointer": "/" + "/".join(map(str, e["loc"])), "detail": e["msg"]} for e in found]
    detail = "Yêu cầu không hợp lệ. · The request is not valid."
    return _problem(422, "Unprocessable Content", detail=detail, errors=errors)


def load_document(name: str) -> dict[str, Any]:
    """Read the department's OpenAPI document; the parser is imported only when it is asked for."""
    import yaml

    text = (DOCUMENTS / f"{name}.yaml").read_text(encoding="utf-8")
    # The parser in C takes a tenth of the time.
    loaded: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return loaded


def create_department(name: str) -> FastAPI:
    """Return the department's empty application; its document is the written one, not a generated one."""
    app = FastAPI(title=name, openapi_url=None)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _refused)

    @app.get("/health/live", include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/openapi.yaml", include_in_schema=False)
    async def document_text() -> Response:
        return Response((DOCUMENTS / f"{name}.yaml").read_bytes(), media_type="application/yaml")

    @app.get("/openapi.json", include_in_schema=False)
    async def document() -> dict[str, Any]:
        return load_document(name)

    return app


class CallLog:
    """Writes one line per call: operation, status and the caller. No path: it may name people."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on and log its answer."""
        if scope["type"] != "http" or scope["path"].startswith("/health"):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log(scope, message["status"])
            await send(message)

        await self._app(scope, receive, sending)

    def _log(self, scope: Scope, status: int) -> None:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        route = scope.get("route")
        line = {
            "department": self._name,
            "operation": getattr(route, "operation_id", None),
            "status": status,
            "tx": headers.get("lgsp-transaction-id"),
            "client": headers.get("lgsp-client"),
            "purpose": headers.get("lgsp-purpose"),
        }
        sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
