"""What files lack is taken out of use as its life allows, and what others rely on stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lienthong.client import operations
from lienthong.client.commands import scope
from lienthong.client.manifests.load import load
from lienthong.client.manifests.write import as_yaml
from tests.integration.catalog.province import manifest, name, openapi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import httpx

    from lienthong.client.operations import Operation
    from lienthong.client.pruning import Surplus
    from lienthong.client.sync_client import Client
    from tests.integration.catalog.province import Province
    from tests.integration.catalog.running import Catalog


class Direct:
    """The client's operations at the catalog itself, without a gateway in front."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def perform(self, operation: Operation[Any]) -> Any:  # noqa: ANN401 - whatever the operation gives
        path = operation.path.removeprefix("/catalog/v1")
        sent = self._http.request(
            operation.method,
            path,
            params=dict(operation.params),
            headers=dict(operation.headers),
            content=operation.content,
        )
        return operation.read(sent)

    def apply(self, manifests: Any, *, dry_run: bool = False, allow_breaking: bool = False) -> Any:  # noqa: ANN401
        return self.perform(operations.apply(manifests, dry_run=dry_run, allow_breaking=allow_breaking))

    def manifests(self, kind: str, filters: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        yield from self.perform(operations.manifests(kind, filters)).items


def service(place: Province, code: str, stage: str | None = None) -> dict[str, Any]:
    lifecycle = {} if stage is None else {"lifecycle": {"stage": stage}}
    return manifest(
        "Service",
        f"{place.provider}/{code}-v1",
        name=name(code),
        upstreams=["http://127.0.0.1:8204"],
        openapi=openapi(),
        **lifecycle,
    )


def test_it_is_retired_suspended_and_withdrawn_and_what_is_relied_on_stays(
    catalog: Catalog, place: Province, tmp_path: Path
) -> None:
    http = catalog.operator()
    client = cast("Client", Direct(http))
    everything = [
        *place.without_agreement(),
        *(service(place, code, stage) for code, stage in (("used", None), ("old", None), ("draft", "draft"))),
        place.agreement(f"{place.code.lower()}-used", service=f"{place.provider}/used-v1", status="approved"),
        place.agreement(f"{place.code.lower()}-asked", service=f"{place.provider}/used-v1"),
    ]
    http.post("/apply", json={"manifests": everything}).raise_for_status()
    kept = [place.agency(), place.agency("01"), place.service(), place.event_type()]
    kept += [one for one in everything if one["metadata"]["id"] == place.provider]
    # The older spelling of a code names the same agency.
    kept[0]["metadata"]["id"] = f"000.00.05.{place.code}"
    (tmp_path / "kept.yaml").write_text("---\n".join(as_yaml(one) for one in kept), encoding="utf-8")
    agencies = [f"000.00.05.{place.code}", f"{place.code}.01"]

    def found() -> dict[str, Surplus]:
        _, surplus = scope.planned(client, load([tmp_path]), agencies, None)
        return {one.id: one for one in surplus}

    planned = found()
    ids = (place.provider, place.colleague, place.consumer)
    assert {one: surplus.kept is None for one, surplus in planned.items()} == {
        f"{place.code.lower()}-asked": True,
        f"{place.code.lower()}-used": False,
        f"{place.provider}/draft-v1": True,
        f"{place.provider}/old-v1": True,
        f"{place.provider}/used-v1": False,
        place.colleague: True,
        place.consumer: False,
    }
    assert ids[0] not in planned
    why = planned[f"{place.provider}/used-v1"].kept
    assert why is not None
    assert f"{place.code.lower()}-used" in why.en
    for one in planned.values():
        if one.kept is None:
            scope.take_out_of_use(client, one, "dọn dẹp")
    for code in ("old", "draft"):
        shown = http.get(f"/services/{place.provider}/{code}-v1").json()
        assert shown["spec"]["lifecycle"]["stage"] == "retired"
    assert http.get(f"/systems/{place.colleague}").json()["status"] == "suspended"
    asked = http.get(f"/agreements/{place.code.lower()}-asked").json()
    assert (asked["status"], asked["decisions"][-1]["reason"]) == ("withdrawn", "dọn dẹp")
    assert http.get(f"/systems/{place.unrelated}").json()["status"] == "active"
    assert all(one.kept is not None for one in found().values())
