"""A developer drafts a service by a form, an owner of the data publishes it, changes it and lets it end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from lienthong.kit.policy import Grant, Role
from tests.integration.catalog.province import openapi
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.console.reading import forms_of
from tests.integration.identity.people.harness import LAND, ONE_STOP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.integration.console.harness import Place, Visitor

NEW: Final = "/services/new"
OWN: Final = f"/services/{LAND}/land/maps-v1"
PUBLISHED: Final = f"/services/{LAND}/land/parcels-v1"
YAML: Final = """\
openapi: 3.1.0
info: {title: Bản đồ, version: 1.0}
paths:
  /sheets/{number}:
    get:
      operationId: getSheet
      parameters: [{name: number, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: Một tờ}}
"""
TYPED: Final = {
    "system": f"{LAND}/land",
    "code": "maps-v1",
    "name_vi": "Bản đồ",
    "name_en": "Maps",
    "upstreams": "http://10.0.0.5:8300\nhttp://10.0.0.6:8300",
    "document": YAML,
}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with a_console(tmp_path) as opened, a_catalog(opened, tmp_path):
        yield opened


async def sent(visitor: Visitor, path: str, **typed: str) -> httpx.Response:
    return await visitor.post(await visitor.open(path), path, **typed)


async def moved(visitor: Visitor, path: str, **typed: str) -> httpx.Response:
    page = await visitor.open(path)
    return await visitor.post(page, f"{path}/stage", **typed)


async def test_a_developer_drafts_and_an_owner_publishes_changes_and_ends(place: Place) -> None:
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, LAND))
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    other = await place.office.person("other", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    async with (
        place.signed_in(developer) as drafting,
        place.signed_in(owner) as owning,
        place.signed_in(other) as looking,
    ):
        page = await sent(drafting, NEW, **TYPED)
        assert page.url.path == OWN
        assert "bản nháp" in page.text
        assert "/100" in page.text
        assert "chưa nêu đầu mối để hỏi" in page.text.lower()
        again = await sent(drafting, NEW, **TYPED)
        assert again.status_code == 409
        assert "Đã có dịch vụ mang mã này" in again.text
        page = await sent(drafting, f"{OWN}/change", document=YAML.replace("1.0}", "1.1}"))
        assert "Đã lưu" in page.text
        assert (await looking.open(f"/catalog{OWN}")).status_code == 404
        page = await moved(drafting, OWN, stage="in-review")
        assert "đang xem xét" in page.text
        # The page offers a developer no more, and the catalog allows no more.
        assert 'value="published"' not in page.text
        refused = await drafting.post(page, f"{OWN}/stage", stage="published")
        assert refused.status_code == 403

        page = await moved(owning, OWN, stage="published")
        assert "đã công bố" in page.text
        assert (await looking.open(f"/catalog{OWN}")).status_code == 200
        until = {"deprecatedAt": "2099-01-01", "sunsetAt": "2099-06-30", "successor": PUBLISHED[10:]}
        page = await moved(owning, OWN, stage="deprecated", **until)
        assert "sắp ngừng" in page.text
        assert "2099-06-30" in page.text
        page = await moved(owning, OWN, stage="retired")
        assert "đã ngừng" in page.text
        assert not [action for action in forms_of(page) if action.startswith(OWN)]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("", "không phải tài liệu OpenAPI"),
        ("- a\n- b\n", "không phải tài liệu OpenAPI"),
        ("openapi: 3.1.0\ninfo: [\n", "dòng 3: sai cú pháp YAML"),
        ("openapi: 3.1.0\nopenapi: 3.1.0\n", "dòng 2: trường «openapi» lặp lại"),
        (YAML.replace("get:", "fetch:"), "dòng 5: "),
        ("<definitions/>", "wsdl: "),
        ("x" * (512 * 1024 + 1), "tối đa 524288 ký tự"),
    ],
    ids=["nothing", "a list", "no YAML", "twice", "a method", "no WSDL", "long"],
)
async def test_what_is_wrong_with_a_document_is_told_with_its_line(
    place: Place, document: str, told: str
) -> None:
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, LAND))
    async with place.signed_in(developer) as drafting:
        page = await sent(drafting, NEW, **(TYPED | {"document": document}))
        assert page.status_code == 422
        assert told in page.text
        # What was typed is still there.
        assert "http://10.0.0.6:8300" in page.text
        assert (await drafting.open(OWN)).status_code == 404


async def test_what_breaks_callers_is_named_before_it_is_kept(place: Place) -> None:
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    terms = {"consumer": f"{ONE_STOP}/land", "purposes": "land-procedure", "legalGround": "Điều 12"}
    async with place.signed_in(developer) as asking:
        ask = f"/requests/new?service={PUBLISHED[10:]}"
        await asking.post(await asking.open(ask), "/requests/new", **terms)
    broken = openapi()
    operation = next(iter(next(iter(broken["paths"].values())).values()))
    needed = {"name": "year", "in": "query", "required": True, "schema": {"type": "integer"}}
    operation.setdefault("parameters", []).append(needed)
    change = f"{PUBLISHED}/change"
    async with place.signed_in(owner) as owning:
        typed = {"document": json.dumps(broken)}
        looked = await sent(owning, change, look="1")
        assert "Không có gì thay đổi" in looked.text
        page = await sent(owning, change, **typed)
        assert page.status_code == 409
        assert "year" in page.text
        looked = await owning.post(page, change, look="1", breaking="1", **typed)
        assert "Chưa có gì được lưu" in looked.text
        assert "year" in looked.text
        kept = await owning.post(page, change, breaking="1", **typed)
        assert kept.url.path == PUBLISHED


async def test_who_saw_an_older_service_is_told_before_anything_is_lost(place: Place) -> None:
    owners = [await place.office.person(name, Grant(Role.DATA_OWNER, LAND)) for name in ("one", "two")]
    change = f"{PUBLISHED}/change"
    async with place.signed_in(owners[0]) as first, place.signed_in(owners[1]) as second:
        seen, steps = await second.open(change), await second.open(PUBLISHED)
        await sent(first, change, name_vi="Thửa đất mới")
        late = await second.post(seen, change, name_vi="Thửa đất cũ")
        assert late.status_code == 412
        assert 'value="Thửa đất cũ"' in late.text
        late = await second.post(steps, f"{PUBLISHED}/stage", stage="deprecated", deprecatedAt="2099-01-01")
        assert late.status_code == 412
        assert "Thửa đất mới" in late.text
        assert "đã công bố" in late.text
