"""A small HTTP server that speaks the contract of the bus: tokens, catalog, a service, events and the ledger.

It keeps everything in memory and lets a test break what it needs broken.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from lienthong.client.operations import KINDS
from lienthong.kit.problems.registry import REGISTRY
from lienthong.tlog import TileAddress
from tests.support.audit_log import AuditLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lienthong.client import Credentials

PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SmallGateway:
    """The state behind the server; tests read and change it freely."""

    address: str = ""
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    manifests: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    searched: dict[str, str] = field(default_factory=dict)
    mistakes: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)
    conflict: bool = False
    restless: bool = False
    """Whether the catalog changes with every page of an export."""
    events: list[dict[str, Any]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    log: AuditLog = field(default_factory=AuditLog)
    not_yet: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    garbage: bool = False
    follows: dict[str, Any] = field(
        default_factory=lambda: {name: {"state": "ok", "age_s": 0.4} for name in ("routes", "keys")}
    )
    index_differences: list[dict[str, Any]] = field(default_factory=list)
    journal_place: dict[str, Any] = field(
        default_factory=lambda: {
            "state": "agrees",
            "stream": "2026-11-23 06:30:00+00:00",
            "sequence": 7,
            "journal": "2026-11-23 06:30:00+00:00",
            "last_sequence": 9,
        }
    )
    version: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, credentials: Credentials) -> None:
        """Let a client get tokens."""
        self.keys[credentials.client_id] = credentials.public_keys()

    def reply(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer one request; every answer has a transaction id and every call a record."""
        path, query = urlsplit(target).path, {k: v[0] for k, v in parse_qs(urlsplit(target).query).items()}
        with self.lock:
            if self.garbage:
                return Reply(200, b"<h1>It works!</h1>", "text/html")
            tx = f"tx-{len(self.calls)}"
            reply = self._answer(method, path, query, headers, body, tx)
            reply.headers["LGSP-Transaction-Id"] = tx
            return reply

    def _answer(
        self, method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes, tx: str
    ) -> Reply:
        match path.strip("/").split("/"):
            case [".well-known", "oauth-authorization-server"]:
                return _json({"issuer": self.address, "token_endpoint": f"{self.address}/oauth2/token"})
            case ["health.json"]:
                return _json({"status": "ready", "follows": self.follows})
            case ["oauth2", "token"]:
                return self._token(body)
            case ["audit", "checkpoint"]:
                return Reply(200, self.log.checkpoint.encode(), "text/plain")
            case ["audit", "key"]:
                return Reply(200, f"{self.log.vkey}\n".encode(), "text/plain")
            case ["audit", "tile", kind, *_] if kind != "entries":
                return self._tile(path.removeprefix("/audit/"))
        client = headers.get("authorization", "").removeprefix("Bearer token-of-")
        if client not in self.keys:
            return _problem("token-refused", 401, "Mã truy cập không được chấp nhận")
        match path.strip("/").split("/"):
            case ["api", *_]:
                return self._call(method, path, query, headers, body, client, tx)
            case ["limits", "v1", "agreements", name]:
                return self._use(name)
            case ["catalog", "v1", *rest]:
                return self._catalog(method, rest, query, body)
            case ["exchange", "v1", *rest]:
                return self._exchange(method, rest, body)
            case ["audit", *rest]:
                return self._audit(rest, query, body, path)
        return _problem("unknown-path", 404, "Không có đường dẫn này")

    def _use(self, agreement: str) -> Reply:
        if ("Agreement", agreement) not in self.manifests:
            return _problem("unknown-resource", 404, "Không tìm thấy")
        limit = {"limit": "perDay", "allowed": 10, "used": 7, "left": 3}
        return _json({"agreement": agreement, "limits": [limit]})

    def _token(self, body: bytes) -> Reply:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        client = form["client_id"]
        if client not in self.keys:
            return _json({"error": "invalid_client", "error_description": "Not registered."}, 401)
        keys = KeySet.import_key_set(self.keys[client])  # type: ignore[arg-type]
        claims = jwt.decode(form["client_assertion"], keys, algorithms=["ES256"]).claims
        assert claims["aud"] == self.address
        return _json({"access_token": f"token-of-{client}", "expires_in": 300, "scope": "api events"})

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        body: bytes,
        client: str,
        tx: str,
    ) -> Reply:
        call = {
            "tx": tx,
            "client": client,
            "method": method,
            "path": path,
            "purpose": headers.get("lgsp-purpose"),
        }
        self.calls.append(call)
        record = {"v": 1, "kind": "call", "at": "2026-11-23T06:30:00Z", "status": 200, **call}
        self.log.append(json.dumps(record, ensure_ascii=False).encode())
        if path.endswith("/absent"):
            return _json({"message": "không có thửa này"}, 404)
        if path.endswith("/forbidden"):
            return _problem("no-agreement", 403, "Chưa có thoả thuận")
        if path.endswith("/picture"):
            return Reply(200, bytes(range(256)), "image/png")
        sent = {"query": query, "body": body.decode(), "type": headers.get("content-type")}
        return _json({"said": {**call, **sent}, "headers": headers})

    def _catalog(self, method: str, rest: list[str], query: dict[str, str], body: bytes) -> Reply:
        match method, rest:
            case "POST", ["apply"]:
                return self._apply(json.loads(body)["manifests"], dry_run=query.get("dry_run") == "true")
            case "POST", ["restore"]:
                return self._apply(json.loads(body)["manifests"], dry_run=query.get("dry_run") == "true")
            case "GET", ["export"]:
                return self._export(query)
            case "POST", ["agreements"]:
                spec = json.loads(body)
                return _json(self._keep("Agreement", spec.pop("id"), spec, "requested"), 201)
            case "POST", ["agreements", name, decision]:
                said = json.loads(body)
                agreement = self.manifests.get(("Agreement", name))
                if agreement is None:
                    return _problem("unknown-resource", 404, "Không tìm thấy")
                agreement["status"] = {
                    "approve": "approved",
                    "reject": "rejected",
                    "revoke": "revoked",
                    "withdraw": "withdrawn",
                }[decision]
                agreement["decisions"] = [said]
                return _json(agreement | self._warned())
            case "POST", ["systems", agency, system, decision]:
                found = self.manifests["System", f"{agency}/{system}"]
                found["status"] = {"suspend": "suspended", "resume": "active"}[decision]
                return _json(found)
            case "GET", ["agencies", agency, "openapi"]:
                return self._bundle(agency, int(query.get("cursor", 0)))
            case "GET", ["search"]:
                return self._search(query)
            case "GET", [plural]:
                kind = KINDS[plural]
                filters = {name: value for name, value in query.items() if name != "cursor"}
                items = [
                    value
                    for (of, _), value in sorted(self.manifests.items())
                    if of == kind and _matches(value, filters)
                ]
                start = int(query.get("cursor", 0))
                more = str(start + 1) if start + 1 < len(items) else None
                return _json({"items": items[start : start + 1], "next": more})
            case "GET", [_, *words]:
                for (_, name), value in self.manifests.items():
                    if name == "/".join(words):
                        return _json(value)
        return _problem("unknown-resource", 404, "Không tìm thấy")

    def _export(self, query: dict[str, str]) -> Reply:
        """Show one resource a page, which belongs to the agency that is asked for."""
        items = [
            value
            for (_, name), value in sorted(self.manifests.items())
            if name.partition("/")[0] == query.get("agency", name.partition("/")[0])
        ]
        start = int(query.get("cursor", 0))
        more = str(start + 1) if start + 1 < len(items) else None
        self.version += self.restless
        return _json({"version": self.version, "items": items[start : start + 1], "next": more})

    def _bundle(self, agency: str, number: int) -> Reply:
        """Show two documents, of which the first names the second."""
        found = _json(
            {
                "openapi": "3.1.0",
                "info": {"title": agency, "version": "1"},
                "tags": [{"name": f"t{number}"}],
                "paths": {f"/land/p{number}-v1/x": {}},
                "components": {"schemas": {f"land.p{number}-v1.X": {}}},
                "x-lgsp-left-out": [{"service": f"{agency}/land/s{number}-v1", "reason": "it speaks SOAP"}],
            }
        )
        if number == 0:
            found.headers["Link"] = f'</catalog/v1/agencies/{agency}/openapi?cursor=1&limit=1>; rel="next"'
        return found

    def _search(self, query: dict[str, str]) -> Reply:
        """Find everything, whatever is asked for."""
        self.searched = query
        items = [
            {
                "kind": kind,
                "id": name,
                "agency": {"code": name.partition("/")[0], "name": None},
                "name": value["spec"]["name"],
                "description": "",
                "operations": [],
                "highlights": [],
            }
            for (kind, name), value in sorted(self.manifests.items())
        ]
        page = items[: int(query.get("limit", 20))]
        facets: dict[str, Any] = {"kinds": [], "agencies": []}
        return _json({"items": page, "total": len(items), "facets": facets, "next": None})

    def _apply(self, manifests: list[dict[str, Any]], *, dry_run: bool) -> Reply:
        if self.mistakes:
            code, status = ("conflict", 409) if self.conflict else ("invalid-manifests", 422)
            return _problem(code, status, "Tệp khai báo không hợp lệ", errors=self.mistakes)
        results = []
        for manifest in manifests:
            name = (manifest["kind"], manifest["metadata"]["id"])
            old = self.manifests.get(name)
            changes = [
                {"path": f"spec.{key}", "old": old["spec"].get(key), "new": value}
                for key, value in manifest["spec"].items()
                if old is not None and old["spec"].get(key) != value
            ]
            action = "created" if old is None else "updated" if changes else "unchanged"
            results.append(
                {"kind": name[0], "id": name[1], "action": action, "changes": changes} | self._warned()
            )
            if not dry_run:
                self._keep(*name, manifest["spec"], "active")
        return _json({"dry_run": dry_run, "version": self.version, "results": results})

    def _warned(self) -> dict[str, Any]:
        return {"warnings": self.warnings} if self.warnings else {}

    def _keep(self, kind: str, name: str, spec: dict[str, Any], status: str) -> dict[str, Any]:
        self.version += 1
        metadata = {"id": name, "version": self.version}
        manifest = {
            "apiVersion": "lienthong/v1",
            "kind": kind,
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }
        self.manifests[kind, name] = manifest
        return manifest

    def _exchange(self, method: str, rest: list[str], body: bytes) -> Reply:
        match method, rest:
            case "POST", ["events", *_]:
                event = json.loads(body)
                known = [old["id"] for old in self.events]
                if event["id"] not in known:
                    self.events.append(event)
                accepted = {
                    "id": event["id"],
                    "sequence": len(self.events),
                    "duplicate": event["id"] in known,
                }
                return _json({"accepted": [accepted]}, 202)
            case "POST", ["subscriptions", _, "pull"]:
                said = json.loads(body)
                waiting = [event for event in self.events if event["id"] not in self.acknowledged]
                items = [
                    {"ack": e["id"], "sequence": 1, "delivered": 1, "event": e}
                    for e in waiting[: said["max"]]
                ]
                return _json({"events": items})
            case "POST", ["subscriptions", _, "ack"]:
                tokens = json.loads(body)["ack"]
                self.acknowledged |= set(tokens)
                return _json({"acknowledged": tokens, "refused": []})
            case "PUT", ["subscriptions", name]:
                return _json({"name": name, **json.loads(body)}, 201)
            case "GET", ["subscriptions"]:
                return _json({"items": [{"name": "moves", "event_type": "H11.05/land/parcel-changed-v1"}]})
            case "DELETE", ["subscriptions", _]:
                return Reply(204, b"")
        return _problem("unknown-path", 404, "Không có đường dẫn này")

    def _audit(self, rest: list[str], query: dict[str, str], body: bytes, path: str) -> Reply:
        match rest:
            case ["v1", "person-hashes"]:
                hashed = hashlib.sha256(json.loads(body)["value"].encode()).hexdigest()
                return _json({"hashes": [f"hmac-sha256:{hashed}", f"hmac-sha256:{'0' * 64}"]})
            case ["tile", "entries", *_]:
                return self._tile(path.removeprefix("/audit/"))
            case ["v1", "entries"]:
                items = [
                    {"index": index, "record": record}
                    for index, record in enumerate(map(json.loads, self.log.entries))
                    if query.get("tx") in {None, record["tx"]}
                    and query.get("client") in {None, record["client"]}
                    and query.get("person") in {None, *record.get("persons", ())}
                ]
                return _json({"items": items[: int(query.get("limit", 50))], "next": None})
            case ["v1", "usage"]:
                by = query["by"].split(",")
                group = {"calls": 7, "refused": 2, "failed": 1} | dict.fromkeys(by, "one") | {by[-1]: None}
                other = {"groups": 3, "calls": 5, "refused": 0, "failed": 0}
                total = {"groups": 4, "calls": 12, "refused": 2, "failed": 1}
                return _json(
                    {"from": query["from"], "to": "now", "by": by, "groups": [group], "other": other}
                    | {"total": total, "counted": 8, "entries": 10, "asked": query}
                )
            case ["v1", "index-check"]:
                differences = self.index_differences
                size = len(self.log.entries)
                return _json({"first": 0, "checked": size, "differences": differences, "next": None})
            case ["v1", "journal-place"]:
                return _json(self.journal_place)
            case ["v1", "receipts", tx]:
                found = [
                    index for index, entry in enumerate(self.log.entries) if json.loads(entry)["tx"] == tx
                ]
                if self.not_yet > 0 or not found:
                    self.not_yet -= 1
                    return _problem("not-yet-recorded", 404, "Chưa được ghi nhận", retry_after="0")
                return Reply(200, self.log.receipt(found[0]).encode(), "text/plain")
        return _problem("unknown-path", 404, "Không có đường dẫn này")

    def _tile(self, path: str) -> Reply:
        stored = self.log.stored(TileAddress.parse(path))
        if stored is None:
            return _problem("unknown-tile", 404, "Không có ô băm này")
        return Reply(200, stored, "application/octet-stream")


@contextmanager
def running() -> Iterator[SmallGateway]:
    """A small gateway on a free port."""
    gateway = SmallGateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = gateway.reply(self.command, self.path, headers, body)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        gateway.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()


def _matches(manifest: dict[str, Any], filters: dict[str, str]) -> bool:
    spec, name = manifest["spec"], manifest["metadata"]["id"]
    agency, _, rest = name.partition("/")
    of = {
        "status": manifest.get("status"),
        "event_type": spec.get("eventType"),
        "agency": agency,
        "system": f"{agency}/{rest.partition('/')[0]}",
    }
    return all(of.get(key, spec.get(key)) == value for key, value in filters.items())


def _json(document: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(document, ensure_ascii=False).encode())


def _problem(code: str, status: int, title_vi: str, *, retry_after: str = "", **extra: object) -> Reply:
    document = {
        "type": f"urn:lgsp:problem:{code}",
        "code": code,
        "status": status,
        "title": code,
        "title_vi": title_vi,
        "detail": f"Detail of {code}.",
        "detail_vi": f"Chi tiết {code}.",
        "advice": REGISTRY[code].advice.en,
        "advice_vi": REGISTRY[code].advice.vi,
        **extra,
    }
    headers = {"LGSP-Error": code} | ({"Retry-After": retry_after} if retry_after else {})
    return Reply(status, json.dumps(document, ensure_ascii=False).encode(), PROBLEM, headers)
