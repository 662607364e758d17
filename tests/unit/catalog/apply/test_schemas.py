"""Reading what was sent: every violation at once, with its place and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.apply.schemas import SPECS, read_apply
from lienthong.catalog.domain.resources import ResourceKind
from tests.unit.catalog.manifests import (
    KEY,
    SERVICE,
    agency,
    agreement,
    event_type,
    manifest,
    name,
    pointers,
    province,
    service,
    system,
)


def _spec(body: dict[str, Any]) -> dict[str, Any]:
    [draft], violations = read_apply({"manifests": [body]})
    assert violations == []
    assert draft.spec is not None
    return draft.spec


def _said(body: dict[str, Any]) -> dict[str, tuple[str, str]]:
    _, violations = read_apply({"manifests": [body]})
    return {
        violation.pointer.removeprefix("/manifests/0"): (violation.text.en, violation.text.vi)
        for violation in violations
    }


def test_all_kinds_are_read_without_violations() -> None:
    drafts, violations = read_apply({"manifests": province()})
    assert violations == []
    assert {draft.kind for draft in drafts} == set(ResourceKind)


def test_the_canonical_spec_has_defaults_filled_in_and_stays_as_it_is_when_read_again() -> None:
    spec = _spec(service())
    assert (spec["timeoutMs"], spec["maxRequestBytes"], spec["writeAhead"]) == (10_000, 10_485_760, False)
    for body in province():
        assert _spec(body | {"spec": _spec(body)}) == _spec(body)


MAY_BE_LEFT_OUT = [
    (body["kind"], field.alias or member)
    for body in province()
    for member, field in SPECS[ResourceKind(body["kind"])].model_fields.items()
    if not field.is_required() and field.default is None
]


@pytest.mark.parametrize(("kind", "member"), sorted(set(MAY_BE_LEFT_OUT)))
def test_a_member_that_is_null_is_one_that_is_left_out(kind: str, member: str) -> None:
    for body in (body for body in province() if body["kind"] == kind):
        without = {name: value for name, value in body["spec"].items() if name != member}
        left_out = read_apply({"manifests": [body | {"spec": without}]})
        assert read_apply({"manifests": [body | {"spec": without | {member: None}}]}) == left_out


def test_what_calls_have_to_state_is_kept_in_one_order() -> None:
    for made in (service, agreement):
        assert "requires" not in _spec(made())
        assert _spec(made(requires=["user", "purpose", "case"]))["requires"] == ["purpose", "case", "user"]


def test_the_fields_of_answers_are_kept_as_they_are_written() -> None:
    assert "fields" not in _spec(agreement())
    fields = {"*": ["$"], "getParcel": ["owners[*].fullName", '["họ tên"]', "prices.*"]}
    assert _spec(agreement(fields=fields))["fields"] == fields
    assert _spec(agreement(operations=["a", "b"], fields={"a": ["x"], "b": ["$"]}))["fields"]


def test_a_path_that_cannot_be_read_is_told_what_one_looks_like() -> None:
    en, vi = _said(agreement(fields={"*": ["owners[0].name"]}))["/spec/fields/*/0"]
    assert "from '[0].name' on" in en
    assert "owners[*].fullName" in vi


def test_how_a_client_of_x_road_proves_itself_is_kept_in_one_spelling() -> None:
    assert "xroad" not in _spec(system())
    assert _spec(system(xroad={}))["xroad"] == {"connection": "bearer"}
    found = _spec(system(xroad={"connection": "http", "networks": ["10.1.2.3", "2001:DB8::/32"]}))["xroad"]
    assert found == {"connection": "http", "networks": ["10.1.2.3/32", "2001:db8::/32"]}


def _hours(**changed: object) -> dict[str, Any]:
    return {"open": [{"days": ["fri", "mon"], "from": "07:00", "to": "17:30", **changed}]}


def test_hours_are_kept_in_one_order_with_the_time_zone_of_vietnam() -> None:
    assert _spec(agreement(hours=_hours()))["hours"] == {
        "timeZone": "Asia/Ho_Chi_Minh",
        "open": [{"days": ["mon", "fri"], "from": "07:00", "to": "17:30"}],
    }


def test_vietnamese_text_is_composed_and_trimmed() -> None:
    assert _spec(agency(name=name(" Đa\u0302\u0301t đai ")))["name"]["vi"] == "Đất đai"


def test_documents_are_kept_as_they_are() -> None:
    schema = {"properties": {"x": {"const": None, "enum": [None, 1, 1.0]}}, "title": " e\u0301 "}
    assert _spec(event_type(dataSchema=schema))["dataSchema"] == schema
    body = service()
    body["spec"]["openapi"]["x-null"] = {"a": None}
    assert _spec(body)["openapi"] == body["spec"]["openapi"]


def test_ids_and_references_take_both_forms_of_agency_codes() -> None:
    drafts, violations = read_apply(
        {
            "manifests": [
                agency("000.00.05.H11"),
                system("000.00.05.H11/land"),
                service("000.00.05.H11/land/parcels-v1"),
                agreement(consumer="000.00.05.H11/land", service="000.00.05.H11/land/parcels-v1"),
            ]
        }
    )
    assert violations == []
    assert [draft.id for draft in drafts] == ["H11.05", "H11.05/land", SERVICE, "one-stop-parcels"]
    assert drafts[3].spec is not None
    assert drafts[3].spec["consumer"] == "H11.05/land"


def test_certificates_are_kept_in_one_spelling() -> None:
    colons = ":".join(["AB"] * 32)
    spec = _spec(system("H11.05/land", certificates=[colons, "cd" * 32]))
    assert spec["certificates"] == ["ab" * 32, "cd" * 32]


@pytest.mark.parametrize(
    "certificates",
    [[], ["ab" * 31], ["zz" * 32], ["ab" * 32, ":".join(["AB"] * 32)], ["ab" * 32 + "\n"], [5], "ab" * 32],
)
def test_certificates_that_are_none(certificates: object) -> None:
    said = _said(system("H11.05/land", certificates=certificates))
    assert said
    assert all(pointer.startswith("/spec/certificates") for pointer in said)


ACCOUNT = {
    "issuer": "https://kubernetes.default.svc.cluster.local",
    "namespace": "one-stop",
    "name": "back.end-1",
}


def test_service_accounts_are_kept_as_they_are_named() -> None:
    assert _spec(system("H11.05/land", serviceAccounts=[ACCOUNT]))["serviceAccounts"] == [ACCOUNT]
    assert "serviceAccounts" not in _spec(system("H11.05/land"))


@pytest.mark.parametrize(
    "accounts",
    [
        [],
        "x",
        [5],
        [{}],
        [ACCOUNT | {"issuer": "http://kubernetes.example"}],
        [ACCOUNT | {"issuer": "kubernetes/serviceaccount"}],
        [ACCOUNT | {"issuer": "https://"}],
        [ACCOUNT | {"issuer": "https://a b"}],
        [ACCOUNT | {"issuer": f"https://{'a' * 300}"}],
        [ACCOUNT | {"namespace": "One"}],
        [ACCOUNT | {"namespace": "a.b"}],
        [ACCOUNT | {"namespace": "a" * 64}],
        [ACCOUNT | {"namespace": ""}],
        [ACCOUNT | {"name": "-a"}],
        [ACCOUNT | {"name": "a..b"}],
        [ACCOUNT | {"name": "a:b"}],
        [ACCOUNT | {"name": "b\u0430ckend"}],
        [ACCOUNT | {"name": "a\n"}],
        [ACCOUNT | {"colour": "red"}],
        [ACCOUNT] * 17,
    ],
)
def test_service_accounts_that_are_none(accounts: object) -> None:
    said = _said(system("H11.05/land", serviceAccounts=accounts))
    assert said
    assert all(pointer.startswith("/spec/serviceAccounts") for pointer in said)


def test_every_violation_of_every_manifest_is_named_at_once() -> None:
    bad_service = service("H11.05/land/parcels", upstreams=["ftp://x", "http://u:p@h"], timeoutMs="fast")
    bad_service["spec"]["openapi"]["paths"]["/0"]["get"] = {"operationId": 7}
    assert pointers(
        agency("h11", **{"class": "STATE"}, name={"vi": ""}),
        bad_service,
        system("H11.05/land", jwks={"keys": [KEY | {"d": "x"}]}, contact="nobody", colour="red"),
        manifest("Thing", "x", {}),
        agreement(consumer="land", purposes=[], service="x", validFrom="soon", legalGround="  "),
        {"kind": "Agency"},
        event_type(dataSchema={"type": "objekt"}),
    ) == sorted(
        [
            "/manifests/0/metadata/id",
            "/manifests/0/spec/class",
            "/manifests/0/spec/name/vi",
            "/manifests/0/spec/name/en",
            "/manifests/1/metadata/id",
            "/manifests/1/spec/upstreams/0",
            "/manifests/1/spec/upstreams/1",
            "/manifests/1/spec/timeoutMs",
            "/manifests/1/spec/openapi/paths/~10/get/operationId",
            "/manifests/2/metadata/id",
            "/manifests/2/spec/jwks/keys/0",
            "/manifests/2/spec/contact",
            "/manifests/2/spec/colour",
            "/manifests/3/kind",
            "/manifests/4/spec/consumer",
            "/manifests/4/spec/purposes",
            "/manifests/4/spec/service",
            "/manifests/4/spec/validFrom",
            "/manifests/4/spec/legalGround",
            "/manifests/5/apiVersion",
            "/manifests/5/metadata",
            "/manifests/5/spec",
            "/manifests/6/spec/dataSchema/type",
        ]
    )


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"manifests": []}, {"manifests": {}}, {"manifests": [], "x": 1}]
)
def test_a_body_that_is_no_apply_is_refused(body: object) -> None:
    drafts, violations = read_apply(body)
    assert drafts == []
    assert violations


OAUTH2 = {"kind": "oauth2", "secret": "core", "tokenUrl": "https://sso.example.vn/token/"}
HEADER = {"kind": "header", "secret": "key", "header": "X-Api-Key"}


def test_what_a_provider_is_shown_is_kept_by_the_names_of_secrets() -> None:
    shown: dict[str, Any] = {
        "credentials": [OAUTH2, HEADER, {"kind": "lgspaccesstoken", "secret": "keys"}],
        "tls": {"certificate": "cert", "authority": "ca"},
        "xRoad": {"client": "VN/GOV/H11.01/lgsp", "service": "VN/GOV/G09/population/citizens"},
    }
    (draft,), violations = read_apply({"manifests": [service(upstreams=["https://a"], **shown)]})
    assert violations == []
    assert draft.spec is not None
    kept = {name: draft.spec[name] for name in shown}
    assert kept == shown | {
        "credentials": [
            OAUTH2,
            HEADER | {"header": "x-api-key"},
            {"kind": "lgspaccesstoken", "secret": "keys"},
        ]
    }


def test_a_near_miss_is_told_the_right_word_in_both_languages() -> None:
    said = _said(agreement(legal_ground="x"))
    assert said["/spec/legal_ground"] == (
        "'legal_ground' is not known here; did you mean 'legalGround'?",
        "không có trường 'legal_ground'; có phải ý bạn là 'legalGround'?",
    )
    assert "timeouts" in _said(service(timeout=5))["/spec/timeout"][0]


def test_members_of_an_object_that_may_be_left_out_are_told_as_well() -> None:
    said = _said(service(cors={"origins": ["https://portal.example.vn"], "maxAge": 60, "credentials": True}))
    assert "did you mean 'maxAgeS'?" in said["/spec/cors/maxAge"][0]
    assert "known are: maxAgeS, origins" in said["/spec/cors/credentials"][0]


def test_a_tax_code_without_quotes_is_told_to_take_quotes() -> None:
    en, vi = _said(manifest("Agency", 3400123456, {"class": "COM", "name": name()}))["/metadata/id"]
    assert "quotes" in en
    assert "ngoặc kép" in vi


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (service(timeoutMs=5), "/spec/timeoutMs"),
        (service(timeoutMs=True), "/spec/timeoutMs"),
        (service(timeouts={"idleMs": 5}), "/spec/timeouts/idleMs"),
        (service(timeouts={"firstByteMs": "5s"}), "/spec/timeouts/firstByteMs"),
        (service(timeouts={"connectMs": 60_001}), "/spec/timeouts/connectMs"),
        (service(timeouts={"first": 500}), "/spec/timeouts/first"),
        (service(timeouts=5), "/spec/timeouts"),
        (service(weights=[1, 2]), "/spec/weights"),
        (service(weights=[0]), "/spec/weights/0"),
        (service(breaker={"failurePercent": 101}), "/spec/breaker/failurePercent"),
        (service(breaker={"statuses": [600]}), "/spec/breaker/statuses/0"),
        (service(breaker={"statuses": []}), "/spec/breaker/statuses"),
        (service(bulkhead={"waiting": 5}), "/spec/bulkhead/calls"),
        (service(bulkhead={"calls": 0}), "/spec/bulkhead/calls"),
        (service(healthCheck={"intervalS": 5}), "/spec/healthCheck/path"),
        (service(healthCheck={"path": "health"}), "/spec/healthCheck/path"),
        (service(healthCheck={"path": "/a b"}), "/spec/healthCheck/path"),
        (service(healthCheck={"path": "/", "intervalS": 1, "timeoutMs": 1001}), "/spec/healthCheck"),
        (service(idempotency={"retainS": 59}), "/spec/idempotency/retainS"),
        (service(idempotency={"operations": []}), "/spec/idempotency/operations"),
        (service(idempotency={"operations": ["a", "a"]}), "/spec/idempotency/operations"),
        (service(idempotency={"operations": ["nothing"]}), "/spec/idempotency/operations/0"),
        (service(maxRequestBytes=0), "/spec/maxRequestBytes"),
        (service(writeAhead="yes"), "/spec/writeAhead"),
        (service(upstreams=[]), "/spec/upstreams"),
        (service(upstreams=["http://a", "http://A/"]), "/spec/upstreams"),
        (agreement(purposes=["a", "a"]), "/spec/purposes"),
        (agreement(purposes=["giấy tờ"]), "/spec/purposes/0"),
        (service(credentials=[]), "/spec/credentials"),
        (service(credentials=[{"kind": "basic", "secret": "S3cret!"}]), "/spec/credentials/0/secret"),
        (service(credentials=[{"kind": "ntlm", "secret": "core"}]), "/spec/credentials/0/kind"),
        (service(credentials=[{"kind": "header", "secret": "core"}]), "/spec/credentials/0"),
        (service(credentials=[OAUTH2 | {"tokenUrl": None}]), "/spec/credentials/0"),
        (service(credentials=[OAUTH2 | {"tokenUrl": "https://a:b@x"}]), "/spec/credentials/0/tokenUrl"),
        (service(credentials=[OAUTH2 | {"scope": "a  b"}]), "/spec/credentials/0/scope"),
        (service(credentials=[OAUTH2 | {"header": "x-key"}]), "/spec/credentials/0"),
        (service(credentials=[{"kind": "basic", "secret": "core", "scope": "a"}]), "/spec/credentials/0"),
        (service(credentials=[OAUTH2, {"kind": "basic", "secret": "core"}]), "/spec/credentials"),
        (service(credentials=[HEADER | {"header": "LGSP_Client"}]), "/spec/credentials/0/header"),
        (service(credentials=[HEADER | {"header": "Host"}]), "/spec/credentials/0/header"),
        (service(credentials=[HEADER | {"header": "a b"}]), "/spec/credentials/0/header"),
        (service(credentials=[HEADER | {"value": "x"}]), "/spec/credentials/0/value"),
        (service(tls={"certificate": "cert"}), "/spec/tls"),
        (service(upstreams=["https://a"], tls={"certificate": "../x"}), "/spec/tls/certificate"),
        (service(xRoad={"client": "VN/GOV", "service": "VN/GOV/G09/p/s"}), "/spec/xRoad/client"),
        (service(xRoad={"client": "VN/GOV/H11", "service": "VN/GOV/G09/../s"}), "/spec/xRoad/service"),
        (service(assertion="yes"), "/spec/assertion"),
        (service(requires=[]), "/spec/requires"),
        (service(requires=["user", "user"]), "/spec/requires"),
        (service(requires="user"), "/spec/requires"),
        (service(requires=["case", "LGSP-User"]), "/spec/requires/1"),
        (agreement(requires=["purpose", "client"]), "/spec/requires/1"),
        (agreement(service=None, eventType="H11.05/land/x-v1", requires=["case"]), "/spec/requires"),
        (agreement(fields={}), "/spec/fields"),
        (agreement(fields=["parcelId"]), "/spec/fields"),
        (agreement(fields={"*": []}), "/spec/fields/*"),
        (agreement(fields={"*": ["a", "a"]}), "/spec/fields/*"),
        (agreement(fields={"*": ["a.*", "a.b"]}), "/spec/fields/*"),
        (agreement(fields={"*": ["x"] * 201}), "/spec/fields/*"),
        (
            agreement(
                fields={
                    "*": [f"x{n}" for n in range(200)],
                    **{f"o{m}": [f"x{n}" for n in range(200)] for m in range(5)},
                }
            ),
            "/spec/fields",
        ),
        (agreement(fields={"a\nb": ["x"], "*": ["$"]}), "/spec/fields/a\nb/[key]"),
        (agreement(fields={"a": ["x"], " a": ["y"], "*": ["$"]}), "/spec/fields"),
        (agreement(operations=["*"]), "/spec/operations/0"),
        (agreement(operations=["a", " a"]), "/spec/operations"),
        (agreement(operations=[f"{number:0255}" for number in range(251)]), "/spec/operations"),
        (agreement(fields={"getParcel": ["x"]}), "/spec/fields"),
        (agreement(operations=["a", "b"], fields={"a": ["x"]}), "/spec/fields"),
        (agreement(operations=["a"], fields={"a": ["x"], "b": ["x"]}), "/spec/fields/b"),
        (agreement(service=None, eventType="H11.05/land/x-v1", fields={"*": ["x"]}), "/spec/fields"),
        (system(xroad={"connection": "http"}), "/spec/xroad/networks"),
        (system(xroad={"networks": ["10.0.0.0/8"]}), "/spec/xroad/networks"),
        (
            system(xroad={"connection": "certificate", "networks": ["10.0.0.0/8"]}, certificates=["ab" * 32]),
            "/spec/xroad/networks",
        ),
        (system(xroad={"connection": "certificate"}), "/spec/certificates"),
        (system(xroad={"connection": "http", "networks": []}), "/spec/xroad/networks"),
        (system(xroad={"connection": "http", "networks": ["10.0.0.1/8"]}), "/spec/xroad/networks/0"),
        (system(xroad={"connection": "http", "networks": ["fe80::1%eth0"]}), "/spec/xroad/networks/0"),
        (system(xroad={"connection": "https"}), "/spec/xroad/connection"),
        (system(xroad={"purpose": "mục đích"}), "/spec/xroad/purpose"),
        (agreement(limits={}), "/spec/limits"),
        (agreement(limits={"perMinute": 0}), "/spec/limits/perMinute"),
        (agreement(limits={"perMinute": "600"}), "/spec/limits/perMinute"),
        (agreement(limits={"perHour": 5}), "/spec/limits/perHour"),
        (agreement(limits={"perDay": 10**12}), "/spec/limits/perDay"),
        (agreement(service=None, eventType="H11.05/land/x-v1", limits={"perDay": 5}), "/spec/limits"),
        (agreement(hours={}), "/spec/hours/open"),
        (agreement(hours={"open": []}), "/spec/hours/open"),
        (agreement(hours=_hours(to="07:00")), "/spec/hours/open/0"),
        (agreement(hours=_hours(to="7:30")), "/spec/hours/open/0/to"),
        (agreement(hours=_hours(to="24:01")), "/spec/hours/open/0/to"),
        (agreement(hours=_hours(days=[])), "/spec/hours/open/0/days"),
        (agreement(hours=_hours(days=["mon", "mon"])), "/spec/hours/open/0/days"),
        (agreement(hours=_hours(days=["monday"])), "/spec/hours/open/0/days/0"),
        (agreement(hours={**_hours(), "timeZone": "Asia/Hanoi"}), "/spec/hours/timeZone"),
        (agreement(hours={**_hours(), "timeZone": "../etc/passwd"}), "/spec/hours/timeZone"),
        (agreement(service=None, eventType="H11.05/land/x-v1", hours=_hours()), "/spec/hours"),
        (service(limits={}), "/spec/limits"),
        (service(limits={"perMinute": 5}), "/spec/limits/perMinute"),
        (service(limits={"default": {}}), "/spec/limits/default"),
        (agreement(status="revoked"), "/spec/status"),
        (agreement(eventType="H11.05/land/x-v1", service=SERVICE), "/spec/eventType"),
        (agreement(eventType="H11.05/land/x-v1", operations=["a"]), "/spec/operations"),
        (agreement(operations=[]), "/spec/operations"),
        (agreement(service=None), "/spec/service"),
        (agreement(validFrom="2026-01-02", validTo="2026-01-01"), "/spec/validTo"),
        (agreement(legalGround="a\u0000b"), "/spec/legalGround"),
        (agency(name=name("a\nb")), "/spec/name/vi"),
        (agency(name=name("a" * 201)), "/spec/name/vi"),
        (agency("3400123456"), "/spec/class"),
        (agency(replacedBy="H11.05", validTo="2026-01-01"), "/spec/replacedBy"),
        (agency(replacedBy="H11.06"), "/spec/replacedBy"),
        (agency(validFrom="2026-01-02", validTo="2026-01-01"), "/spec/validTo"),
    ],
)
def test_what_must_hold_is_checked_where_it_is_written(body: dict[str, Any], place: str) -> None:
    said = _said(body)
    assert list(said) == [place]
    assert all(said[place])


def test_one_wrong_field_hides_no_other() -> None:
    said = _said(
        agreement(
            purposes=[], validFrom="2026-01-02", validTo="2026-01-01", eventType="x/y/z-v1", service="y"
        )
    )
    assert {"/spec/purposes", "/spec/validTo", "/spec/eventType", "/spec/service"} <= set(said)


def test_what_reading_adds_is_ignored_when_it_comes_back() -> None:
    body = agreement() | {"status": "approved", "decisions": [{"by": "me"}], "operations": []}
    body["metadata"] |= {"version": 9, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "x"}
    assert _spec(body) == _spec(agreement())
    assert _said(body | {"excerpt": "x"}) != {}


def test_a_company_may_go_by_its_tax_code() -> None:
    assert _said(agency("3400123456", **{"class": "COM"})) == {}
    assert _said(system("3400123456/customer-app")) == {}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(_json)
def test_any_json_is_read_without_failing(value: object) -> None:
    for body in (value, {"manifests": [value]}, {"manifests": [manifest("Service", "x", value)]}):
        drafts, violations = read_apply(body)
        assert violations
        assert all(draft.spec is None for draft in drafts)


@given(st.sampled_from(province()), st.sampled_from(["kind", "metadata", "spec", "apiVersion"]), _json)
def test_any_value_in_any_place_is_read_without_failing(
    body: dict[str, Any], member: str, value: object
) -> None:
    read_apply({"manifests": [body | {member: value}]})


@given(st.sampled_from(province()), st.data(), _json)
def test_any_value_in_any_field_is_read_without_failing(
    body: dict[str, Any], data: st.DataObject, value: object
) -> None:
    field = data.draw(st.sampled_from(sorted(body["spec"])))
    for violation in read_apply({"manifests": [body | {"spec": body["spec"] | {field: value}}]})[1]:
        assert violation.pointer.startswith("/manifests/0")
        assert violation.text.en
        assert violation.text.vi
