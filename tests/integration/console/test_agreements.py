"""A developer asks for an agreement by a form, and the owners of the data ask back, decide and stop it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lienthong.kit.clock import ManualClock, SystemClock
from lienthong.kit.policy import Grant, Role
from tests.integration.console.harness import a_catalog, a_console, offered
from tests.integration.console.reading import forms_of
from tests.integration.identity.people.harness import LAND, ONE_STOP
from tests.support.catalog import OPERATOR, USUAL_LIMITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.integration.console.harness import Place, Visitor
    from tests.support.catalog import Catalog

SERVICE = f"{LAND}/land/parcels-v1"
FORM = f"/requests/new?service={SERVICE}"
ASKED = {"consumer": f"{ONE_STOP}/land", "purposes": "land-procedure, audit", "legalGround": "Điều 12"}


@pytest.fixture
async def places(tmp_path: Path) -> AsyncIterator[tuple[Place, Catalog]]:
    async with a_console(tmp_path) as opened, a_catalog(opened, tmp_path) as catalog:
        yield opened, catalog


async def ask(visitor: Visitor, **more: str) -> str:
    """Ask by the form; returns the path of the agreement."""
    page = await visitor.open(FORM)
    made = await visitor.post(page, "/requests/new", **ASKED, **more)
    assert made.url.path.startswith("/agreements/"), made.text
    return made.url.path


async def test_from_a_form_to_an_agreement_and_back(places: tuple[Place, Catalog]) -> None:
    place, _ = places
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    async with place.signed_in(developer) as asking, place.signed_in(owner) as deciding:
        wrong = await asking.post(await asking.open(FORM), "/requests/new", **(ASKED | {"purposes": ""}))
        assert wrong.status_code == 422
        assert "field-error" in wrong.text
        assert 'value="Điều 12"' in wrong.text

        draft = await ask(asking, draft="1")
        assert (await deciding.open(draft)).status_code == 404
        assert draft in (await asking.open("/requests")).text
        page = await asking.post(await asking.open(draft), f"{draft}/submit")
        assert "Đã gửi đề nghị" in page.text

        assert draft in (await deciding.open("/decisions")).text
        page = await deciding.open(draft)
        assert "land-procedure, audit" in page.text
        page = await deciding.post(page, f"{draft}/ask", reason="Vì sao cần cả audit?")
        assert "chờ bổ sung thông tin" in page.text
        assert "Vì sao cần cả audit?" in (await asking.open(draft)).text
        page = await asking.post(await asking.open(draft), f"{draft}/answer", reason="Để đối soát")
        assert f"{draft}/approve" not in forms_of(page)
        page = await deciding.post(await deciding.open(draft), f"{draft}/approve")
        assert "đang có hiệu lực" in page.text
        assert "Để đối soát" in page.text
        page = await deciding.post(page, f"{draft}/suspend", reason="Kiểm tra")
        assert "đang tạm ngừng" in page.text
        page = await deciding.post(page, f"{draft}/resume")
        assert "đang có hiệu lực" in page.text


async def test_a_refusal_names_its_legal_ground(places: tuple[Place, Catalog]) -> None:
    place, _ = places
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    async with place.signed_in(developer) as asking, place.signed_in(owner) as deciding:
        path = await ask(asking, **{"operation:getParcel": "1"})
        page = await deciding.open(path)
        assert "getParcel" in page.text
        wrong = await deciding.post(page, f"{path}/reject", legal_ground="")
        assert wrong.status_code == 422
        assert "field-error" in wrong.text
        page = await deciding.post(page, f"{path}/reject", legal_ground="Điều 16 Nghị định 194/2025")
        assert "Điều 16 Nghị định 194/2025" in page.text
        assert not [action for action in forms_of(page) if action.startswith(path)]


async def test_fields_are_chosen_from_the_document(places: tuple[Place, Catalog]) -> None:
    place, catalog = places
    manifest = offered(LAND)
    answer = {"type": "object", "properties": {"id": {"type": "string"}, "owner": {"type": "string"}}}
    for item in manifest["spec"]["openapi"]["paths"].values():
        for operation in item.values():
            content = {"application/json": {"schema": answer}}
            operation["responses"] = {"200": {"description": "Một thửa", "content": content}}
    body = json.dumps({"manifests": [manifest]}).encode()
    await catalog.services.apply.apply(body, OPERATOR, dry_run=False)
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    async with place.signed_in(developer) as asking:
        form = (await asking.open(FORM)).text
        assert 'name="field:getParcel\tid"' in form
        assert 'name="field:getParcel\towner"' in form
        chosen = {"operation:getParcel": "1", "field:getParcel\tid": "1"}
        wrong = await asking.post(
            await asking.open(FORM), "/requests/new", **(ASKED | {"purposes": ""}), **chosen
        )
        assert wrong.text.count(" checked>") == 2
        path = await ask(asking, **chosen)
        page = await asking.open(path)
        assert "getParcel: id; *: $" in page.text


async def test_personal_data_take_two_owners_and_who_read_older_terms_is_told(
    places: tuple[Place, Catalog],
) -> None:
    place, catalog = places
    manifest = offered(LAND)
    manifest["spec"]["personalData"] = True
    body = json.dumps({"manifests": [manifest]}).encode()
    await catalog.services.apply.apply(body, OPERATOR, dry_run=False)
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    owners = [await place.office.person(name, Grant(Role.DATA_OWNER, LAND)) for name in ("one", "two")]
    async with (
        place.signed_in(developer) as asking,
        place.signed_in(owners[0]) as first,
        place.signed_in(owners[1]) as second,
    ):
        path = await ask(asking)
        read = await second.open(path)
        page = await first.post(await first.open(path), f"{path}/approve")
        assert "chờ người thứ hai duyệt" in page.text
        again = await first.post(page, f"{path}/approve", reason="lần nữa")
        assert again.status_code == 409
        assert "người thứ hai" in again.text
        late = await second.post(read, f"{path}/approve")
        assert late.status_code == 412
        assert "Đã thay đổi từ lần đọc" in late.text
        page = await second.post(late, f"{path}/approve")
        assert "đang có hiệu lực" in page.text


async def test_an_amendment_shows_what_it_changes(places: tuple[Place, Catalog]) -> None:
    place, catalog = places
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    terms = {"terms": {"purposes": ["land-procedure", "audit"]}, "reason": "đối soát"}
    await catalog.services.amendments.request("on-h11-05", terms, OPERATOR)
    async with place.signed_in(owner) as deciding:
        assert "sửa đổi: chờ duyệt" in (await deciding.open("/decisions")).text
        page = await deciding.open("/agreements/on-h11-05")
        assert "<del>land-procedure</del> → <ins>land-procedure, audit</ins>" in page.text
        form = forms_of(page)["/agreements/on-h11-05/approve"]
        assert form.fields["of"] == "amendment"
        page = await deciding.post(page, "/agreements/on-h11-05/approve")
        assert "sửa đổi 1" in page.text
        assert "<dd>land-procedure, audit</dd>" in page.text


async def test_other_terms_are_asked_for_by_a_form(places: tuple[Place, Catalog]) -> None:
    place, _ = places
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
    page_of, form_of = "/agreements/on-h11-05", "/agreements/on-h11-05/amend"
    async with place.signed_in(developer) as asking, place.signed_in(owner) as deciding:
        assert form_of in (await asking.open(page_of)).text
        assert form_of not in (await deciding.open(page_of)).text
        assert (await deciding.open(form_of)).status_code == 403
        form = await asking.open(form_of)
        wrong = await asking.post(form, form_of, purposes="land-procedure, audit", reason="")
        assert wrong.status_code == 422
        assert 'value="land-procedure, audit"' in wrong.text
        page = await asking.post(form, form_of, purposes="land-procedure, audit", reason="đối soát")
        assert "Đã gửi đề nghị sửa đổi" in page.text
        assert form_of not in page.text
        # One waits at a time.
        assert (await asking.open(form_of)).url.path == page_of
        again = await asking.post(form, form_of, purposes="audit", reason="nữa")
        assert again.status_code == 409
        page = await deciding.post(await deciding.open(page_of), f"{page_of}/approve", of="amendment")
        assert "<dd>land-procedure, audit</dd>" in page.text


async def test_addresses_that_are_none_are_told_so(places: tuple[Place, Catalog]) -> None:
    place, _ = places
    developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
    async with place.signed_in(developer) as visitor:
        nowhere = ("/agreements/nothing", "/agreements/..%2f", "/requests/new", "/requests/new?service=a/b")
        for path in (
            *nowhere,
            f"/requests/new?service={LAND}/land/none-v1",
            "/requests/new?event_type=x/y/z",
        ):
            assert (await visitor.open(path)).status_code == 404, path
        token = forms_of(await visitor.home())["/sign-out"].fields
        origin = place.settings.console_url
        for step, version in (("lapse", "1"), ("request", "1"), ("withdraw", "x"), ("withdraw", "")):
            sent = await visitor.send(f"{origin}/agreements/on-h11-05/{step}", token | {"version": version})
            assert sent.status_code == 404


async def test_late_requests_are_seen_by_who_asked_and_by_operators(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path, clock=clock):
        developer = await place.office.person("dev", Grant(Role.DEVELOPER, ONE_STOP), agency=ONE_STOP)
        other = await place.office.person("other", Grant(Role.DEVELOPER, LAND))
        operator = await place.office.person("operator", Grant(Role.PLATFORM_OPERATOR), agency="")
        async with (
            place.signed_in(developer) as asking,
            place.signed_in(other) as stranger,
            place.signed_in(operator) as running,
        ):
            late = await ask(asking)
            assert "Không có đề nghị nào quá hạn" in (await running.open("/requests/late")).text
            clock.advance(timedelta(days=USUAL_LIMITS.decide_within_days))
            in_time = await ask(asking)
            for visitor in (asking, running):
                page = await visitor.open("/requests/late")
                assert f'href="{late}"' in page.text
                assert f'href="{in_time}"' not in page.text
                assert "1 đề nghị quá hạn" in page.text
            assert late not in (await stranger.open("/requests/late")).text
