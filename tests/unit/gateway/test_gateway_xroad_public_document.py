"""The provider's document as the metadata services show it: its servers are the gateway's address."""

from __future__ import annotations

import json

import pytest

from lienthong.gateway.xroad.metadata import public_document

BASE = "https://lgsp.example.vn/r1/VN"


def test_servers_are_replaced_wherever_callers_would_follow_them() -> None:
    servers = [{"url": "http://10.0.0.5"}]
    item = {"servers": servers, "get": {"servers": servers, "summary": "Thửa đất"}, "x-own": {"servers": 1}}
    document = {
        "openapi": "3.1.0",
        "servers": servers,
        "paths": {"/a": item, "/b": {"get": {"summary": 'nói "servers"'}}, "x-c": 1},
        "components": {"pathItems": {"A": item}, "schemas": {"S": {"properties": {"servers": {}}}}},
    }
    for text in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
        found = json.loads(public_document(text.encode(), BASE))
        without = {"get": {"summary": "Thửa đất"}, "x-own": {"servers": 1}}
        assert found == {
            "openapi": "3.1.0",
            "servers": [{"url": BASE}],
            "paths": {"/a": without, "/b": {"get": {"summary": 'nói "servers"'}}, "x-c": 1},
            "components": {"pathItems": {"A": without}, "schemas": {"S": {"properties": {"servers": {}}}}},
        }


@pytest.mark.parametrize("document", ["[]", "{", '"a"'])
def test_what_is_no_object_is_no_document(document: str) -> None:
    with pytest.raises(ValueError, match="not an object"):
        public_document(document.encode(), BASE)


def test_parts_that_are_none_are_left_as_they_are() -> None:
    document = {"paths": [], "components": {"pathItems": 7, "x-servers": '"servers"'}}
    assert json.loads(public_document(json.dumps(document).encode(), BASE)) == {
        **document,
        "servers": [{"url": BASE}],
    }
