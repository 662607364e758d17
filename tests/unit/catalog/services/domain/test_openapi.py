"""From OpenAPI documents to operations."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.domain.resources import ServiceOperation
from lienthong.catalog.errors import InvalidValueError
from lienthong.catalog.services.domain import openapi, path_items, path_templates
from lienthong.kit.json_pointer import pointer


def _document(paths: dict[str, Any], version: object = "3.1.0") -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": paths}


def _wrong(document: dict[str, Any]) -> list[str]:
    return [pointer(found.path) for found in openapi.read(document)[1]]


def test_every_method_of_every_path_is_an_operation() -> None:
    document = _document(
        {
            "/parcels": {"get": {"operationId": "listParcels"}, "post": {"operationId": "addParcel"}},
            "/parcels/{id}": {"parameters": [], "get": {"operationId": "getParcel"}},
            "x-internal": {"anything": True},
        }
    )
    assert openapi.read(document) == (
        (
            ServiceOperation("listParcels", "GET", "/parcels"),
            ServiceOperation("addParcel", "POST", "/parcels"),
            ServiceOperation("getParcel", "GET", "/parcels/{id}"),
        ),
        (),
    )


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1", "3.2.0"])
def test_versions_3_0_to_3_2_are_read(version: str) -> None:
    assert _wrong(_document({"/a": {"get": {"operationId": "a"}}}, version)) == []


@pytest.mark.parametrize("version", ["2.0", "3.3.0", "4.0.0", "3.1", 3.1, None])
def test_other_versions_are_refused(version: object) -> None:
    assert _wrong(_document({"/a": {"get": {"operationId": "a"}}}, version)) == ["/openapi"]


def test_query_and_additional_operations_of_3_2_are_operations() -> None:
    document = _document(
        {
            "/parcels": {
                "query": {"operationId": "searchParcels"},
                "additionalOperations": {"COPY": {"operationId": "copyParcels"}, "x-own": 1},
            }
        },
        "3.2.0",
    )
    assert openapi.read(document) == (
        (
            ServiceOperation("searchParcels", "QUERY", "/parcels"),
            ServiceOperation("copyParcels", "COPY", "/parcels"),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({"additionalOperations": {"FOO": {"operationId": "b"}}}, "/additionalOperations/FOO"),
        ({"additionalOperations": {"copy": {"operationId": "b"}}}, "/additionalOperations/copy"),
        ({"additionalOperations": {"POST": {"operationId": "b"}}}, "/additionalOperations/POST"),
        ({"additionalOperations": {"Query": {"operationId": "b"}}}, "/additionalOperations/Query"),
        ({"additionalOperations": {"CONNECT": {"operationId": "b"}}}, "/additionalOperations/CONNECT"),
        ({"additionalOperations": []}, "/additionalOperations"),
        ({"additionalOperations": {"COPY": None}}, "/additionalOperations/COPY"),
        ({"GET": {"operationId": "b"}}, "/GET"),
        ({"gett": {"operationId": "b"}}, "/gett"),
    ],
)
def test_what_would_be_left_out_of_a_3_2_document_is_refused(item: dict[str, Any], place: str) -> None:
    document = _document({"/a": {"get": {"operationId": "a"}, **item}}, "3.2.0")
    assert _wrong(document) == [f"/paths/~1a{place}"]


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("member", ["query", "additionalOperations", "QUERY", "Get", "connect"])
def test_what_would_be_left_out_of_an_older_document_is_refused(version: str, member: str) -> None:
    document = _document({"/a": {"get": {"operationId": "a"}, member: {"operationId": "b"}}}, version)
    assert _wrong(document) == [f"/paths/~1a/{member}"]


@pytest.mark.parametrize("member", ["summary", "description", "servers", "parameters", "x-own"])
def test_what_is_no_operation_may_stand_in_a_path(member: str) -> None:
    assert _wrong(_document({"/a": {"get": {"operationId": "a"}, member: []}})) == []


def test_the_gateways_parser_reads_every_method_that_a_document_may_have() -> None:
    for method in (*path_items.ADDITIONAL_METHODS, *map(str.upper, path_items.METHODS_OF_3_2)):
        parser = httptools.HttpRequestParser(object())
        parser.feed_data(f"{method} / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n".encode())
        assert parser.get_method() == method.encode()


@pytest.mark.parametrize(
    "path",
    [
        "parcels",
        "//parcels",
        "/parcels//x",
        "/parcels//",
        "/parcels;v=1",
        "/parcels/{id};v=1",
        "/../etc",
        "/parcels/./x",
        "/parcels/..",
        "/%2e%2e/x",
        "/a b",
        "/thửa-đất",
        "/parcels/{id",
        "/parcels/id}",
        "/parcels/{}",
        "/parcels/{a/b}",
        "/parcels/{a}{b}",
        "/{a}/{a}",
        "/a?b=c",
        "/a#b",
        "/a\\b",
        "/a\0b",
        "/" + "a" * 600,
        "/" + "a" * 450 + " ",
        "/" + "a" * 201,
        "/" + ",".join(f"{{p{number}}}" for number in range(9)),
    ],
)
def test_a_path_that_cannot_be_matched_without_doubt_is_refused(path: str) -> None:
    assert _wrong(_document({path: {"get": {"operationId": "a"}}})) == [pointer(("paths", path))]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/a",
            "/a/",
            "/a/{b}/",
            "/a/{b}/c",
            "/{a}.json",
            "/files/{name}.{ending}",
            "/a:approve",
            "/~x",
            "/{mã thửa}/{a;b%+*}",
        ),
        "/" + "a" * 200,
        "/tiles/{west},{south},{east},{north}",
        "/" + ",".join(f"{{p{number}}}" for number in range(8)),
    ],
)
def test_plain_path_templates_are_accepted(path: str) -> None:
    assert _wrong(_document({path: {"get": {"operationId": "a"}}})) == []


def test_paths_that_differ_in_parameter_names_only_are_refused() -> None:
    document = _document(
        {"/parcels/{id}": {"get": {"operationId": "a"}}, "/parcels/{key}": {"put": {"operationId": "b"}}}
    )
    assert _wrong(document) == ["/paths/~1parcels~1{key}"]


@pytest.mark.parametrize("paths", [("/a", "/a/"), ("/a/{b}/", "/a/{c}")])
def test_paths_that_differ_in_a_slash_at_the_end_are_two(paths: tuple[str, str]) -> None:
    document = _document({path: {"get": {"operationId": f"o{n}"}} for n, path in enumerate(paths)})
    assert openapi.read(document) == (
        tuple(ServiceOperation(f"o{n}", "GET", path) for n, path in enumerate(paths)),
        (),
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/$process#order", "begins a fragment, which no client sends"),
        ("/parcels?kind=land", "describe what follows as parameters with 'in: query'"),
    ],
)
def test_what_ends_a_path_in_an_address_is_refused_with_its_reason(path: str, reason: str) -> None:
    ((place, text),) = [
        (found.path, found.text.en)
        for found in openapi.read(_document({path: {"post": {"operationId": "a"}}}))[1]
    ]
    assert place == ("paths", path)
    assert reason in text


@given(st.lists(st.from_regex(r"[a-z]{1,4}|\{[a-z]{1,3}\}", fullmatch=True), min_size=1, max_size=4))
def test_the_shape_of_a_path_does_not_depend_on_parameter_names(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    try:
        shape = path_templates.normalised(path)
    except InvalidValueError:
        names = [segment for segment in segments if segment.startswith("{")]
        assert len(names) != len(set(names))
        return
    renamed = [f"{{p{index}}}" if "{" in segment else segment for index, segment in enumerate(segments)]
    assert path_templates.normalised("/" + "/".join(renamed)) == shape


def test_every_operation_has_a_name_of_its_own() -> None:
    document = _document(
        {
            "/a": {"get": {"operationId": "a"}, "put": {"operationId": "a"}},
            "/b": {"post": {"operationId": "no\ngood"}, "delete": None, "put": {"operationId": 7}},
            "/c": {"get": {"operationId": "*"}, "put": {"operationId": "c" * 256}},
        }
    )
    assert sorted(_wrong(document)) == [
        "/paths/~1a/put/operationId",
        "/paths/~1b/delete",
        "/paths/~1b/post/operationId",
        "/paths/~1b/put/operationId",
        "/paths/~1c/get/operationId",
        "/paths/~1c/put/operationId",
    ]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("actions/list-jobs", "actions/list-jobs"),
        ("List all parcels", "List all parcels"),
        (" Tra cứu thửa đất ", "Tra cứu thửa đất"),
        ("thu\u031b\u0309a", "thửa"),
        ("Parcels_List[0]#*=;\"'%{}", "Parcels_List[0]#*=;\"'%{}"),
        ("d" * 255, "d" * 255),
        ("", "GET /a"),
        ("  ", "GET /a"),
        (None, "GET /a"),
        ("GET /a", "GET /a"),
    ],
)
def test_an_operation_is_called_what_its_document_says_or_by_method_and_path(
    written: str | None, name: str
) -> None:
    document = _document({"/a": {"get": {"operationId": written}}})
    assert openapi.read(document) == ((ServiceOperation(name, "GET", "/a"),), ())


def test_operations_without_an_id_are_called_by_method_and_path_whatever_stands_beside_them() -> None:
    document = _document({"/b/{id}/": {"get": {}, "delete": {}}, "/b/{id}": {"get": {"operationId": "b"}}})
    assert [found.id for found in openapi.read(document)[0]] == ["GET /b/{id}/", "DELETE /b/{id}/", "b"]


def test_a_long_path_makes_a_name_that_fits_and_is_no_other_ones() -> None:
    paths = [f"/{'a' * 190}/{'b' * 190}/{number}" for number in range(2)]
    names = [found.id for found in openapi.read(_document({path: {"get": {}} for path in paths}))[0]]
    assert [len(name) for name in names] == [255, 255]
    assert len(set(names)) == 2
    assert all(name.startswith("GET /aaa") for name in names)


@pytest.mark.parametrize("order", [("/a", "/b"), ("/b", "/a")])
def test_the_name_made_for_one_operation_is_not_the_id_of_another(order: tuple[str, str]) -> None:
    items = {"/a": {"get": {}}, "/b": {"get": {"operationId": "GET /a"}}}
    ((place, text),) = [
        (pointer(found.path), found.text.en)
        for found in openapi.read(_document({path: items[path] for path in order}))[1]
    ]
    assert place == "/paths/~1b/get/operationId"
    assert "is what GET /a is called" in text


def test_two_spellings_of_one_id_are_one() -> None:
    document = _document(
        {"/a": {"get": {"operationId": "thửa"}, "put": {"operationId": "thu\u031b\u0309a "}}}
    )
    assert _wrong(document) == ["/paths/~1a/put/operationId"]


def test_a_path_item_and_an_operation_elsewhere_in_the_document_are_read() -> None:
    document = _document(
        {
            "/a": {"$ref": "#/components/pathItems/A", "parameters": []},
            "/b": {"get": {"$ref": "#/components/x-operations/0"}, "x-note": 1},
        }
    )
    document["components"] = {
        "pathItems": {
            "A": {"$ref": "#/components/pathItems/B~1%7E0%20c"},
            "B/~ c": {"get": {"operationId": "a"}},
        },
        "x-operations": [{"operationId": "b"}],
    }
    assert openapi.read(document) == (
        (ServiceOperation("a", "GET", "/a"), ServiceOperation("b", "GET", "/b")),
        (),
    )


@pytest.mark.parametrize(
    ("item", "place", "reason"),
    [
        ({"$ref": "paths/a.yaml"}, "/$ref", "bundle all parts into one document"),
        ({"get": {"$ref": "paths/a.yaml#/get"}}, "/get/$ref", "bundle all parts into one document"),
        ({"$ref": "http://attacker.example/a.json"}, "/$ref", "bundle all parts into one document"),
        ({"$ref": "#/components/pathItems/B"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": "#/info/title/0"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": "#/x-list/-1"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": "#/x-list/00"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": "#/x-list/%FF"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": "#components"}, "/$ref", "leads to nothing in this document"),
        ({"$ref": 7}, "/$ref", "a reference is text of at most"),
        ({"$ref": "#" + "/a" * 1_000}, "/$ref", "a reference is text of at most"),
        ({"$ref": "#/x-list"}, "", "must be an object of methods"),
        ({"get": {"$ref": "#/x-list"}}, "/get", "must be an object"),
        ({"get": {"$ref": "#/x-loop"}}, "/get/$ref", "refers on and on"),
        ({"$ref": "#/components/pathItems/A", "get": {"operationId": "c"}}, "", "'get' stands here and in"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused_with_its_reason(
    item: dict[str, Any], place: str, reason: str
) -> None:
    document = _document({"/a": item})
    document["components"] = {"pathItems": {"A": {"get": {"operationId": "a"}}}}
    document |= {"x-list": [1], "x-loop": {"$ref": "#/x-loop"}}
    ((found, text),) = [(pointer(found.path), found.text.en) for found in openapi.read(document)[1]]
    assert found == f"/paths/~1a{place}"
    assert reason in text


def test_path_items_that_refer_to_each_other_are_refused() -> None:
    document = _document({"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}})
    assert _wrong(document) == ["/paths/~1a/$ref", "/paths/~1b/$ref"]


def test_one_path_item_may_be_that_of_two_paths_and_then_its_id_names_neither() -> None:
    document = _document(
        {
            "/a": {"$ref": "#/paths/~1b"},
            "/b": {"get": {"operationId": "b"}},
            "/c": {"get": {"$ref": "#/paths/~1d/get"}},
            "/d": {"get": {"operationId": "d"}, "put": {"operationId": "e"}},
        }
    )
    operations, violations = openapi.read(document)
    assert [(found.id, found.path) for found in operations] == [
        ("GET /a", "/a"),
        ("GET /b", "/b"),
        ("GET /c", "/c"),
        ("GET /d", "/d"),
        ("e", "/d"),
    ]
    assert violations == ()


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ({f"x-{number}": 1 for number in range(101)}, "/paths/~1a"),
        ({"get": {"parameters": [{}] * 501}}, "/paths/~1a/get/parameters"),
        ({"get": {}, "parameters": [{}] * 501}, "/paths/~1a/parameters"),
    ],
)
def test_what_would_be_read_for_many_paths_is_small(item: dict[str, Any], place: str) -> None:
    assert _wrong(_document({"/a": item})) == [place]


def test_paths_may_be_a_reference_too() -> None:
    document = _document({"$ref": "#/x-paths"})
    document["x-paths"] = {"/a": {"get": {"operationId": "a"}}}
    assert openapi.read(document)[0] == (ServiceOperation("a", "GET", "/a"),)
    assert _wrong(_document({"$ref": "paths.yaml"})) == ["/paths/$ref"]


def test_references_in_what_is_for_the_reader_are_left_alone() -> None:
    operation = {
        "operationId": "a",
        "parameters": [{"$ref": "http://nowhere.invalid/parameters.yaml#/A"}],
        "responses": {"200": {"$ref": "http://nowhere.invalid/x.json#/components/responses/A"}},
    }
    assert _wrong(_document({"/a/{b}": {"get": operation}})) == []


@pytest.mark.parametrize("style", ["simple", "label", None])
def test_styles_that_the_gateway_matches_are_accepted(style: str | None) -> None:
    parameter = {"name": "id", "in": "path", "style": style}
    assert _wrong(_document({"/a/{id}": {"get": {"operationId": "a", "parameters": [parameter]}}})) == []


@pytest.mark.parametrize("at", ["operation", "path", "reference"])
def test_a_parameter_behind_a_semicolon_is_refused(at: str) -> None:
    parameter = {"name": "id", "in": "path", "style": "matrix"}
    operation: dict[str, Any] = {"operationId": "a"}
    item: dict[str, Any] = {"get": operation}
    document = _document({"/a/{id}": item})
    document["components"] = {"parameters": {"Id": parameter}}
    given = {"$ref": "#/components/parameters/Id"} if at == "reference" else parameter
    (item if at == "path" else operation)["parameters"] = [{"name": "x", "in": "query"}, given, 7]
    assert _wrong(document) == ["/paths/~1a~1{id}/get/parameters"]
    if at == "path":
        operation["parameters"] = [{"name": "id", "in": "path"}]
        assert _wrong(document) == []


def test_a_document_without_paths_is_none() -> None:
    assert _wrong({"openapi": "3.1.0", "info": {}}) == [""]
    assert _wrong({"openapi": "3.1.0", "paths": []}) == ["/paths"]
    assert _wrong({"openapi": "3.1.0", "webhooks": {}}) == [""]
    assert _wrong({"openapi": "3.0.3", "components": {"schemas": {}}}) == [""]


def test_a_document_may_have_components_alone_from_3_1_on() -> None:
    assert openapi.read({"openapi": "3.1.0", "components": {"schemas": {}}}) == ((), ())


@pytest.mark.parametrize("paths", [{}, {"paths": {}}])
def test_a_document_of_webhooks_alone_is_read_and_has_no_operations(paths: dict[str, Any]) -> None:
    document = {"openapi": "3.1.0", "webhooks": {"parcelSold": {"post": {}}}} | paths
    assert openapi.read(document) == ((), ())


def test_a_document_larger_than_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "MAX_BYTES", 1_000)
    assert _wrong(_document({"/a": {"get": {"operationId": "a", "description": "đ" * 300}}})) == []
    assert _wrong(_document({"/a": {"get": {"operationId": "a", "description": "đ" * 500}}})) == [""]


def test_a_document_has_at_most_5000_operations() -> None:
    paths: dict[str, Any] = {f"/{number}": {"get": {}} for number in range(5_000)}
    operations, violations = openapi.read(_document(paths))
    assert len(operations) == 5_000
    assert violations == ()
    assert _wrong(_document(paths | {"/a": {"$ref": "#/paths/~10"}})) == ["/paths"]


@pytest.mark.parametrize(("length", "wrong"), [(190, []), (230, ["/paths"])])
def test_what_gateways_are_sent_of_all_operations_is_bounded(length: int, wrong: list[str]) -> None:
    paths = {f"/{number:05}": {"get": {"operationId": f"{number:0{length}}"}} for number in range(5_000)}
    assert _wrong(_document(paths)) == wrong


def test_as_many_templates_with_text_beside_a_parameter_stand_at_one_place_as_can_be_tried() -> None:
    paths: dict[str, Any] = {f"/{end}/{{id}}:{number}": {"get": {}} for end in "ab" for number in range(500)}
    assert _wrong(_document(paths)) == []
    assert _wrong(_document(paths | {"/a/{id}:500": {}, "/a/{key}:0/x": {"get": {}}})) == [
        "/paths/~1a~1{id}:500"
    ]


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_any_json_is_read_without_failing(value: object) -> None:
    document = {"openapi": "3.1.0", "paths": {"/a": value, "/b": {"get": value}}}
    operations, found = openapi.read(document)
    assert found or isinstance(value, dict)
    assert all(operation.path in {"/a", "/b"} for operation in operations)


@given(st.lists(st.text(max_size=300), min_size=1, max_size=8))
def test_no_two_operations_have_one_name(written: list[str]) -> None:
    paths = {f"/{number}": {"get": {"operationId": text}} for number, text in enumerate(written)}
    operations, found = openapi.read(_document(paths))
    assert len({operation.id for operation in operations}) == len(operations)
    assert len(operations) + len(found) == len(written)
    assert all(0 < len(operation.id) <= 255 for operation in operations)
