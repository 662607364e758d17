"""Answers of the bus become typed errors that say in two languages what was wrong and what to do."""

from __future__ import annotations

import httpx
import pytest

from lienthong.client import operations
from lienthong.client.advice import BY_OAUTH_ERROR
from lienthong.client.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    InvalidError,
    LienthongError,
    NotAGatewayError,
    NotFoundError,
    NotYetRecordedError,
    RefusedError,
    Text,
    UnauthenticatedError,
    UnavailableError,
)
from lienthong.client.problems import refusal
from lienthong.kit.problems import ProblemError, oauth
from lienthong.kit.problems.registry import REGISTRY, declared_in

GET = httpx.Request("GET", "http://gateway/x")
OAUTH = {"error": "invalid_client", "error_description": "Unknown key.", "error_description_vi": "Khoá lạ."}


def answer(status: int, document: object = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if document is None:
        return httpx.Response(status, headers=names, request=GET)
    return httpx.Response(status, json=document, headers=names, request=GET)


def problem(code: str, status: int) -> dict[str, object]:
    return {
        "type": f"urn:lgsp:problem:{code}",
        "code": code,
        "status": status,
        "title": "Title",
        "title_vi": "Tiêu đề",
        "detail": "Detail.",
        "detail_vi": "Chi tiết.",
    }


def advice_for(code: str) -> Text | None:
    """What the SDK advises when the platform answers with this problem."""
    kind = REGISTRY[code]
    if kind in declared_in(oauth):
        return refusal(answer(kind.status, {"error": code, "error_description": "Why."})).advice
    return refusal(answer(kind.status, ProblemError(kind, kind.title).document("tx-1"))).advice


ADVICE = {code: advice_for(code) for code in REGISTRY}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("token-refused", 401, UnauthenticatedError),
        ("no-agreement", 403, ForbiddenError),
        ("unknown-service", 404, NotFoundError),
        ("not-yet-recorded", 404, NotYetRecordedError),
        ("conflict", 409, ConflictError),
        ("invalid-manifests", 422, InvalidError),
        ("too-many-requests", 429, UnavailableError),
        ("audit-unavailable", 503, UnavailableError),
        ("path-not-normal", 400, RefusedError),
    ],
)
def test_each_status_has_its_error(code: str, status: int, kind: type[RefusedError]) -> None:
    error = refusal(answer(status, problem(code, status), LGSP_Transaction_Id="tx-1"))
    assert type(error) is kind
    assert error.exit_code == 4
    document = error.document()
    assert (document["code"], document["status"], document["transaction_id"]) == (code, status, "tx-1")
    assert (document["title_vi"], document["detail_vi"]) == ("Tiêu đề", "Chi tiết.")


def test_every_code_of_a_call_has_advice_in_both_languages() -> None:
    for code, text in ADVICE.items():
        assert text is not None
        assert text.vi, code
        assert text.en, code
        assert (text.vi, text.en) == (REGISTRY[code].advice.vi, REGISTRY[code].advice.en)
    for code in ("no-agreement", "purpose-not-in-agreement", "unknown-service", "invalid_client"):
        assert "lienthong" in REGISTRY[code].advice.en


def test_advice_that_the_sdk_holds_itself_is_that_of_the_registry() -> None:
    assert BY_OAUTH_ERROR.keys() == {kind.code for kind in declared_in(oauth)}


def test_an_answer_without_advice_has_none() -> None:
    assert refusal(answer(403, problem("no-agreement", 403))).advice is None
    assert refusal(answer(400, {"error": "slow_down"})).advice is None


def test_an_oauth_error_is_a_refusal_too() -> None:
    error = refusal(answer(401, OAUTH))
    assert isinstance(error, UnauthenticatedError)
    assert error.code == "invalid-client"
    assert error.detail is not None
    assert (error.detail.vi, error.detail.en) == ("Khoá lạ.", "Unknown key.")


def test_the_code_in_the_header_is_enough() -> None:
    error = refusal(answer(502, LGSP_Error="provider-unreachable"))
    assert isinstance(error, UnavailableError)
    assert error.code == "provider-unreachable"


def test_every_pointer_of_a_validation_comes_along() -> None:
    document = problem("invalid-manifests", 422) | {
        "errors": [
            {"pointer": "/manifests/0/spec/name", "detail": "missing", "detail_vi": "thiếu"},
            "nonsense",
        ]
    }
    error = refusal(answer(422, document))
    (mistake,) = error.mistakes
    assert (mistake.pointer, mistake.detail.vi, mistake.detail.en) == (
        "/manifests/0/spec/name",
        "thiếu",
        "missing",
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3.0), ("", None), ("Fri, 01 Jan 2027 00:00:00 GMT", None)]
)
def test_retry_after_is_read_in_seconds(text: str, seconds: float | None) -> None:
    error = refusal(answer(503, problem("not-ready", 503), Retry_After=text))
    assert isinstance(error, UnavailableError)
    assert error.retry_after == seconds


def test_an_error_page_of_something_else_is_no_gateway() -> None:
    response = httpx.Response(502, html="<h1>Bad Gateway</h1>", request=GET)
    error = refusal(response)
    assert isinstance(error, NotAGatewayError)
    assert error.exit_code == 3


def test_a_providers_own_error_is_an_answer() -> None:
    operation = operations.call("H11.05/land/parcels-v1", "GET", "/parcels/9")
    found = operation.read(answer(404, {"message": "no such parcel"}, LGSP_Transaction_Id="tx"))
    assert (found.ok, found.status, found.json(), found.transaction_id) == (
        False,
        404,
        {"message": "no such parcel"},
        "tx",
    )
    with pytest.raises(NotFoundError):
        operation.read(answer(404, problem("unknown-operation", 404), LGSP_Error="unknown-operation"))


def test_an_answer_that_breaks_the_contract_is_no_gateway() -> None:
    documents: list[object] = [{"items": None}, [], "text"]
    for document in documents:
        with pytest.raises(NotAGatewayError):
            operations.manifests("agencies").read(answer(200, document))


@pytest.mark.parametrize("path", ["../x", "a/./b", "a/..", "%2e%2E/x", "a/..?q=1", "a\\..\\b"])
def test_a_path_that_leads_elsewhere_is_refused_before_it_is_sent(path: str) -> None:
    with pytest.raises(InputError, match="not normal"):
        operations.call("H11.05/land/parcels-v1", "GET", path)


def test_dots_inside_names_and_queries_are_no_path() -> None:
    path = operations.call("H11.05/land/parcels-v1", "get", "/a..b/...?to=../x")
    assert (path.method, path.path) == ("GET", "/api/H11.05/land/parcels-v1/a..b/...?to=../x")


@pytest.mark.parametrize("value", ["tra cứu", "a\r\nX: y", "tab\t"])
def test_headers_take_printable_ascii_only(value: str) -> None:
    with pytest.raises(InputError, match="LGSP-Purpose"):
        operations.call("H11.05/land/parcels-v1", "GET", "/", purpose=value)


def test_errors_are_kinds_of_one_root() -> None:
    assert issubclass(NotYetRecordedError, LienthongError)
    assert issubclass(InputError, LienthongError)
