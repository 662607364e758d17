"""The gateway's own OpenAPI 3.1 document: what it adds to every provider's API, and how it refuses calls."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from lienthong.gateway.assertion_keys import KEYS_PATH
from lienthong.gateway.limits.terms import MEMBERS
from lienthong.kit.openapi import BEARER, LICENSE, SERVER, VERSION, problems, shared_components
from lienthong.kit.problems import TRANSACTION_HEADER, agreements, calls, catalog, general, people
from lienthong.kit.problems.registry import declared_in

PATH: Final = "/openapi.json"
"""Where it is served, to everyone."""
PERSON_HASHES_PATH: Final = "/audit/v1/person-hashes"
"""Beside the ledger's own paths, for it is the ledger that is searched with them."""
AUDIT_SCOPE: Final = "audit:read"
STATUS_PATH: Final = "/gateway/v1/status"
HEALTH_SCOPE: Final = "health:read"
"""No client has this scope: whoever runs the platform by programs asks the health ports."""

_METHODS: Final = ("get", "head", "post", "put", "patch", "delete", "options")
_WITH_BODY: Final = frozenset({"post", "put", "patch", "delete"})
_TEXT: Final = {"type": "string"}
_PARAMETERS: Final = {
    "agency": "The code of the agency that provides the service, for example `H11.05`.",
    "system": "The code of its system, for example `land`.",
    "service": "The code of the service, for example `parcels-v1`.",
    "agreement": "The id of an approved agreement on a service.",
    "path": "The path of the operation, of any number of segments, as the provider's document has it.",
}
_HEADERS: Final = {
    "LGSP-Purpose": (
        "The purpose of the call. It may be left out where the agreement has only one, unless the service or "
        "the agreement requires it."
    ),
    "LGSP-Case-Id": (
        "The case that causes the call; services and agreements may require it. It is recorded as it is: it "
        "must not identify a person."
    ),
    "LGSP-User": (
        "The person on whose behalf the system calls; services and agreements may require it. It is recorded "
        "only as a keyed hash."
    ),
}
_OF_METHODS: Final = {
    "head": " Where the provider's document declares GET and no HEAD, this is the operation of GET.",
    "options": (
        " Where the provider's document declares no OPTIONS, the gateway answers, without a token: 204 with "
        "the methods of the path in `Allow`."
    ),
}
_OBJECT: Final = {"type": "object"}
_PERSON: Final = {
    "type": "object",
    "required": ["value"],
    "additionalProperties": False,
    "properties": {
        "value": {
            "type": "string",
            "minLength": 1,
            "maxLength": 256,
            "description": "What names the person in calls, for example a personal number.",
        }
    },
}
_HASHES: Final = {
    "type": "object",
    "required": ["hashes"],
    "properties": {
        "hashes": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": "^hmac-sha256:[0-9a-f]{64}$"},
        }
    },
}
_FOLLOWED: Final = {
    "type": "object",
    "required": ["state", "age_s"],
    "properties": {
        "state": {
            "enum": ["ok", "degraded", "failed"],
            "description": (
                "Degraded while its source is away or late; failed while an update of it cannot be used, or "
                "it is too old to decide by."
            ),
        },
        "age_s": {"type": ["number", "null"], "description": "Seconds since the source confirmed it."},
    },
}
_HEALTH: Final = {
    "type": "object",
    "required": ["status", "follows"],
    "properties": {
        "status": {"enum": ["ready", "degraded", "not ready"]},
        "follows": {
            "type": "object",
            "required": ["routes", "keys"],
            "properties": {"routes": _FOLLOWED, "keys": _FOLLOWED},
        },
    },
}
_STATUS: Final = {
    "type": "object",
    "required": ["process", "version", "up_s", "status", "checks", "figures"],
    "properties": {
        "process": {"const": "gateway"},
        "version": _TEXT,
        "up_s": {"type": "number", "minimum": 0, "description": "For how many seconds it has been running."},
        "status": {"enum": ["ready", "degraded", "not ready"]},
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "state", "reason", "figures"],
                "properties": {
                    "name": _TEXT,
                    "state": {"enum": ["ok", "degraded", "failed"]},
                    "reason": {"type": ["string", "null"]},
                    "figures": {**_OBJECT, "description": "Ages are in seconds (`…_s`)."},
                },
            },
        },
        "figures": _OBJECT,
    },
}
_LIMIT: Final = {
    "type": "object",
    "required": ["limit", "allowed", "used", "left"],
    "properties": {
        "limit": {"enum": list(MEMBERS.values()), "description": "As manifests call it."},
        "allowed": {"type": "integer", "description": "Calls; of `bytesPerDay` bytes."},
        "used": {"type": "integer", "description": "By all gateways, as far as this one has heard."},
        "left": {"type": "integer"},
    },
}
_AGREEMENT_USE: Final = {
    "type": "object",
    "required": ["agreement", "consumer", "service", "at", "dayEnds", "limits"],
    "properties": {
        "agreement": _TEXT,
        "consumer": _TEXT,
        "service": _TEXT,
        "at": {"type": "string", "format": "date-time"},
        "dayEnds": {"type": "string", "format": "date-time", "description": "When a new day begins."},
        "limits": {"type": "array", "items": _LIMIT, "description": "Those that are set; none: no limits."},
    },
}
_REFUSALS: Final = (
    *declared_in(agreements),
    *(kind for kind in declared_in(calls) if kind is not calls.UNKNOWN_PATH),
    general.CLIENT_SUSPENDED,
    general.INSUFFICIENT_SCOPE,
    general.INTERNAL_ERROR,
    general.MALFORMED_REQUEST,
    general.METHOD_NOT_ALLOWED,
    general.NO_TOKEN,
    general.NOT_READY,
    general.REQUEST_TOO_LARGE,
    general.TOKEN_REFUSED,
    general.UNSUPPORTED_MEDIA_TYPE,
)
_DESCRIPTION: Final = """\
The single entry point of the platform. A system calls another system's service under an agreement. The
provider's own OpenAPI document, from the catalog, describes the service; this document describes what the
gateway adds to every service.

The platform's services have the same address, each with a document of its own:
`/catalog/v1/openapi.json`, `/oauth2/openapi.json`, `/exchange/v1/openapi.json`, `/audit/v1/openapi.json`.
"""


def document() -> dict[str, Any]:
    """The document (OpenAPI 3.1)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Liên thông: gateway",
            "summary": "Calls from system to system, under agreements.",
            "description": _DESCRIPTION,
            "license": LICENSE,
            "version": VERSION,
        },
        "servers": [SERVER],
        "paths": {
            "/api/{agency}/{system}/{service}/{path}": {
                "parameters": [_path_parameter(name) for name in ("agency", "system", "service", "path")],
                **{method: _call(method) for method in _METHODS},
            },
            PATH: {"get": _own_document("openapi", "Read this document", "This document.", _OBJECT)},
            KEYS_PATH: {
                "get": _own_document(
                    "assertionKeys",
                    "Read the keys that LGSP-Assertion is signed with",
                    "The keys of yesterday, today and tomorrow as a JWK set (RFC 7517).",
                    _OBJECT,
                )
            },
            "/limits/v1/agreements/{agreement}": {
                "parameters": [_path_parameter("agreement")],
                "get": _use(),
            },
            PERSON_HASHES_PATH: {"post": _person_hashes()},
            STATUS_PATH: {"get": _status()},
            "/health.json": {
                "get": _own_document(
                    "health",
                    "See how well the gateway follows the catalog and identity",
                    "Whether the routing table and the keys are the present ones, and how old they are.",
                    _HEALTH,
                )
            },
        },
        "components": shared_components(),
    }


def encoded() -> bytes:
    """The document as it is served."""
    return msgspec.json.encode(document())


def _call(method: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"call_{method}",
        "summary": f"Call an operation of a service with {method.upper()}",
        "description": (
            "The path after the service, the query and the body reach the provider byte for byte, and its "
            "answer, also an error of its own, comes back untouched; `Location` and `Content-Location` that "
            "name an address of the provider's own lead through the gateway. An answer has `LGSP-Error` only "
            "when the gateway or the caller failed." + _OF_METHODS.get(method, "")
        ),
        "security": [{BEARER: ["api"]}, {}] if method == "options" else [{BEARER: ["api"]}],
        "parameters": [_header(name, text) for name, text in _HEADERS.items()],
        "responses": {
            **{str(status): response for status, response in problems(*_REFUSALS).items()},
            "default": {
                "description": "The provider's answer.",
                "headers": {TRANSACTION_HEADER: {"$ref": f"#/components/headers/{TRANSACTION_HEADER}"}},
            },
        },
    }
    if method in _WITH_BODY:
        operation["requestBody"] = {"content": {"*/*": {}}, "description": "As the provider wants it."}
    return operation


def _use() -> dict[str, Any]:
    kinds = (
        *(general.MALFORMED_REQUEST, calls.PATH_NOT_NORMAL, general.NO_TOKEN, general.TOKEN_REFUSED),
        *(general.CERTIFICATE_MISMATCH, general.CLIENT_SUSPENDED, catalog.NOT_ALLOWED, calls.UNKNOWN_PATH),
        *(general.INSUFFICIENT_SCOPE, people.ROLE_REQUIRED),
        *(catalog.UNKNOWN_RESOURCE, calls.HEADERS_TOO_LARGE, general.NOT_READY, calls.AUDIT_UNAVAILABLE),
    )
    return {
        "operationId": "getAgreementUse",
        "summary": "See how much of an agreement's limits is used",
        "description": (
            "For the consumer, for systems of the providing agency and for the operator; for people who may"
            " see the figures of either agency (`health:read`). The counts are those that the gateway which"
            " answers decides by: others' calls are known within 0.2 seconds."
        ),
        "security": [{BEARER: []}],
        "responses": {
            "200": {
                "description": "The use at this moment.",
                "content": {"application/json": {"schema": _AGREEMENT_USE}},
            },
            **{str(status): response for status, response in problems(*kinds).items()},
        },
    }


def _person_hashes() -> dict[str, Any]:
    return {
        "operationId": "hashPerson",
        "summary": "Tell under which hashes records have a person",
        "description": (
            "For the parameter `person` of searches of the ledger. Needs the scope `audit:read`, or a person "
            "who may read the records of an agency or of the platform (`record:read`). It is recorded that "
            "this person was asked for, and by whom."
        ),
        "security": [{BEARER: [AUDIT_SCOPE]}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _PERSON}}},
        "responses": {
            "200": {
                "description": "A hash for each key that the installation has had, of the newest first.",
                "content": {"application/json": {"schema": _HASHES}},
            },
            **{
                str(status): response
                for status, response in problems(
                    general.MALFORMED_REQUEST,
                    general.REQUEST_TIMEOUT,
                    general.RATE_LIMITED,
                    general.NO_TOKEN,
                    general.TOKEN_REFUSED,
                    general.CLIENT_SUSPENDED,
                    general.INSUFFICIENT_SCOPE,
                    people.ROLE_REQUIRED,
                    general.NOT_READY,
                    calls.HEADERS_TOO_LARGE,
                    calls.AUDIT_UNAVAILABLE,
                ).items()
            },
        },
    }


def _status() -> dict[str, Any]:
    kinds = (
        *(general.MALFORMED_REQUEST, general.NO_TOKEN, general.TOKEN_REFUSED, general.CERTIFICATE_MISMATCH),
        *(general.CLIENT_SUSPENDED, general.INSUFFICIENT_SCOPE, people.ROLE_REQUIRED, general.NOT_READY),
        *(calls.HEADERS_TOO_LARGE, calls.AUDIT_UNAVAILABLE),
    )
    return {
        "operationId": "status",
        "summary": "See how the gateway is",
        "description": (
            "Its version, for how long it has been running, and what each of its checks finds; of the worker"
            " that takes the request. For people who may see how the platform is (`health:read`)."
        ),
        "security": [{BEARER: [HEALTH_SCOPE]}],
        "responses": {
            "200": {
                "description": "How it is at this moment.",
                "content": {"application/json": {"schema": _STATUS}},
            },
            **{str(status): response for status, response in problems(*kinds).items()},
        },
    }


def _own_document(name: str, summary: str, answer: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": answer, "content": {"application/json": {"schema": schema}}},
            **{
                str(status): response
                for status, response in problems(
                    general.MALFORMED_REQUEST, calls.HEADERS_TOO_LARGE, calls.AUDIT_UNAVAILABLE
                ).items()
            },
        },
    }


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": _PARAMETERS[name], "schema": _TEXT}


def _header(name: str, text: str) -> dict[str, Any]:
    schema = {**_TEXT, "minLength": 1, "maxLength": 256}
    return {"name": name, "in": "header", "required": False, "description": text, "schema": schema}
