"""What whoever registers a service is told of the servers in its document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.services.domain.servers import server_notices
from lienthong.kit.json_pointer import pointer

SERVICE = "H11.05/land/parcels-v1"


def told(servers: Any, *upstreams: str, paths: Any = None) -> list[tuple[str, str]]:  # noqa: ANN401
    document = {
        "openapi": "3.1.0",
        "servers": servers,
        "paths": paths or {"/a": {"get": {"operationId": "a"}}},
    }
    spec = {"upstreams": list(upstreams or ["http://10.0.0.5:8201"]), "openapi": document}
    return [(pointer(found.path), found.text.en) for found in server_notices(SERVICE, spec)]


@pytest.mark.parametrize(
    ("servers", "upstreams"),
    [
        ([], ["http://10.0.0.5"]),
        (None, ["http://10.0.0.5"]),
        ([{"url": "https://land.example.vn"}], ["http://10.0.0.5"]),
        ([{"url": "https://land.example.vn/"}], ["http://10.0.0.5/land"]),
        ([{"url": "https://land.example.vn/api/v1"}], ["http://10.0.0.5/api/v1"]),
        ([{"url": "/api/v1/"}], ["http://10.0.0.5/land/api/v1", "http://10.0.0.6/api/v1"]),
        ([{"url": "/v1"}, {"url": "/v2"}], ["http://10.0.0.5/v2"]),
        ([{"url": "https://a.example/v1"}, {"url": "https://b.example"}], ["http://10.0.0.5"]),
        (
            [{"url": "{gateway}/api/" + SERVICE, "variables": {"gateway": {"default": "http://g"}}}],
            ["http://a"],
        ),
        ([{"url": "/{base}", "variables": {"base": {"default": "v2"}}}], ["http://10.0.0.5/v2"]),
    ],
)
def test_nothing_is_said_where_the_base_path_is_kept_or_there_is_none(
    servers: list[dict[str, Any]], upstreams: list[str]
) -> None:
    assert told(servers, *upstreams) == []


@pytest.mark.parametrize(
    "url", ["/api/v1", "https://land.example.vn/api/v1/", "{scheme}://land.example.vn/api/v1"]
)
def test_a_base_path_that_is_lost_is_named(url: str) -> None:
    server = {"url": url, "variables": {"scheme": {"default": "https"}}}
    ((place, text),) = told([server], "http://10.0.0.5/api/v1", "http://10.0.0.6")
    assert place == "/spec/upstreams"
    assert "the base path '/api/v1', and no address here ends with it" in text


def test_several_base_paths_are_named() -> None:
    ((place, text),) = told([{"url": f"https://land.example.vn/v{number}"} for number in range(5)])
    assert place == "/spec/upstreams"
    assert "have 5 base paths ('/v0', '/v1', '/v2'), and the addresses here end with none" in text


@pytest.mark.parametrize(
    "item",
    [
        {"servers": [{"url": "https://other.example"}], "get": {"operationId": "a"}},
        {"get": {"operationId": "a", "servers": [{"url": "https://other.example"}]}},
    ],
)
def test_servers_of_paths_and_operations_do_not_count_and_that_is_said(item: dict[str, Any]) -> None:
    ((place, text),) = told([], paths={"/a/b": item, "/c": {"get": {"operationId": "c"}}})
    assert place == "/spec/openapi/paths/~1a~1b/servers"
    assert "servers of paths and operations do not count (here those of '/a/b')" in text


def test_of_many_paths_with_servers_a_few_are_named() -> None:
    ((_, text),) = told([], paths={f"/{number}": {"servers": []} for number in range(9)})
    assert "(here those of '/0', '/1', '/2' and 6 more)" in text


def test_a_service_of_soap_has_no_servers() -> None:
    assert list(server_notices(SERVICE, {"upstreams": ["http://10.0.0.5"], "wsdl": "…"})) == []


def test_variables_that_would_make_a_long_address_are_cut() -> None:
    server = {"url": "/{a}" * 400, "variables": {"a": {"default": "x" * 100_000}}}
    ((_, text),) = told([server])
    assert len(text) < 1_000


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner)))
def test_any_json_is_read_without_failing(value: Any) -> None:  # noqa: ANN401
    told([value, {"url": "/{a}", "variables": value}], paths={"/a": value})
    told(value, paths=value)
