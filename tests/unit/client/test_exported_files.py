"""An export as files: what is read back is what was written, in the order in which a catalog takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lienthong.client.manifests import exported
from lienthong.client.manifests.exported import in_order, write
from lienthong.client.manifests.load import load

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def item(kind: str, resource_id: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "apiVersion": "lienthong/v1",
        "kind": kind,
        "metadata": {"id": resource_id, "version": 7, "createdAt": "2026-01-01T00:00:00Z"},
        "spec": spec,
    }


def agency(code: str, replaced_by: str | None = None) -> dict[str, Any]:
    return item("Agency", code, **({} if replaced_by is None else {"replacedBy": replaced_by}))


def service(code: str, successor: str | None = None, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    lifecycle = {} if successor is None else {"lifecycle": {"successor": f"H11.05/land/{successor}"}}
    return item("Service", f"H11.05/land/{code}", **spec, **lifecycle)


def read_back(folder: Path, *items: dict[str, Any]) -> list[dict[str, Any]]:
    for one in items:
        write(one, folder, with_version=True)
    found = load([folder], as_written=True)
    assert found.mistakes == []
    return [document for part in in_order(found) for document in part.values]


def test_documents_come_back_whatever_is_in_them(tmp_path: Path) -> None:
    strange = "\x7f\x85\u2028\ufeff\U0001f600 'tab\t' \\n $HOME ~ 0x1F yes 1:30 \" # :"
    openapi = {"openapi": "3.1.0", "x-n": [1, 1.0, 1e300, 2**70, True, None, "1", strange], "": {strange: 1}}
    document = service("parcels-v1", openapi=openapi, upstreams=["http://h/$HOME"], note=strange)
    assert read_back(tmp_path, document) == [document]
    assert (tmp_path / "H11.05.land.parcels-v1.openapi.json").is_file()


def test_text_of_wsdl_keeps_its_line_breaks(tmp_path: Path) -> None:
    plain, other = service("a-v1", wsdl="<a>\n  ế\n</a>\n"), service("b-v1", wsdl="<a>\r\n</a>\r\n\t ")
    assert read_back(tmp_path, plain, other) == [plain, other]
    assert [path.name for path in tmp_path.glob("*.wsdl")] == ["H11.05.land.a-v1.wsdl"]


def test_what_is_referred_to_comes_first_in_requests_of_bounded_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = item("Agreement", "a", service="H11.05/land/p-v1", consumer="H11.01/one-stop")
    agencies = [agency("H11.01", "H11.02"), agency("H11.02", "H11.03"), agency("H11.03"), agency("H11.05")]
    services = [service("p-v1", "q-v1"), service("q-v1"), service("r-v1", "s-v1"), service("s-v1", "r-v1")]
    systems = [item("System", "H11.01/one-stop"), item("System", "H11.05/land")]
    for one in (agreement, *services, *systems, *agencies):
        write(one, tmp_path, with_version=False)
    assert (tmp_path / "H11.05.agreements.yaml").is_file()
    monkeypatch.setattr(exported, "MOST_AT_ONCE", 3)
    parts = [[one["metadata"]["id"] for one in part.values] for part in in_order(load([tmp_path]))]
    assert parts == [
        ["H11.03", "H11.02", "H11.01"],
        ["H11.05", "H11.01/one-stop", "H11.05/land"],
        ["H11.05/land/q-v1", "H11.05/land/p-v1", "H11.05/land/s-v1"],
        ["H11.05/land/r-v1", "a"],
    ]
    monkeypatch.setattr(exported, "MOST_BYTES", 10)
    assert [len(part.values) for part in in_order(load([tmp_path]))] == [1] * 11


def test_agencies_come_after_those_above_them_and_those_that_took_them_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = {**agency("H11.01", "H11.03"), "mergedInto": "H11.02"}
    below = item("Agency", "H11.02", parent="H11.09")
    moved = {**item("System", "H11.01/one-stop"), "agency": "H11.02"}
    for one in (moved, merged, below, agency("H11.03"), agency("H11.09")):
        write(one, tmp_path, with_version=True)
    monkeypatch.setattr(exported, "MOST_AT_ONCE", 1)
    found = load([tmp_path], as_written=True)
    assert found.mistakes == []
    assert [part.values[0]["metadata"]["id"] for part in in_order(found)] == [
        "H11.03",
        "H11.09",
        "H11.02",
        "H11.01",
        "H11.01/one-stop",
    ]
