"""Finding by words, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from lienthong.catalog.domain.resources import ResourceKind
from lienthong.catalog.search.domain.asked import Asked
from lienthong.kit.actors import Actor
from lienthong.kit.clock import ManualClock
from tests.integration.catalog.province import agency, manifest, name, openapi, system
from tests.support.catalog import OPERATOR, Catalog, opened_catalog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICES = {
    "H11.05/land/parcels-v1": ("Tra cứu thửa đất", "Ranh giới của từng thửa"),
    "H11.05/land/roads-v1": ("Mạng lưới đường bộ", "Các con đường của tỉnh"),
    "H11.05/land/sugar-v1": ("Sản lượng mía", "Nguyên liệu làm đường"),
    "H11.06/care/blood-v1": ("Hồ sơ đái tháo đương nhiên", "Đương sự"),
    "H11.06/care/duong-v1": ("Duong Minh Chau", "Khong dau"),
}


def service(identity: str, title: str, description: str, **more: object) -> dict[str, Any]:
    """A Service manifest."""
    document = openapi()
    document["info"] |= {"title": "API", "description": description}
    return manifest(
        "Service", identity, name=name(title), upstreams=["http://127.0.0.1:8204"], openapi=document, **more
    )


@pytest.fixture
async def catalog(database_url: str) -> AsyncIterator[Catalog]:
    """A catalog with some services of two agencies."""
    async with opened_catalog(database_url, ManualClock(datetime(2026, 12, 1, tzinfo=UTC))) as catalog:
        await apply(
            catalog,
            agency("H11.05", name=name("Sở Nông nghiệp và Môi trường")),
            agency("H11.06", name=name("Sở Y tế")),
            system("H11.05/land"),
            system("H11.06/care"),
            *(service(identity, *texts) for identity, texts in SERVICES.items()),
            manifest(
                "EventType",
                "H11.05/land/changed-v1",
                name=name("Thửa đất biến động"),
                dataSchema={"type": "object"},
            ),
        )
        yield catalog


async def apply(catalog: Catalog, *manifests: dict[str, Any]) -> None:
    """Apply manifests."""
    await catalog.services.apply.apply(json.dumps({"manifests": manifests}).encode(), OPERATOR, dry_run=False)


async def ids(catalog: Catalog, words: str, **filters: Any) -> list[str]:  # noqa: ANN401 - filters
    """The ids of what is found, in their order."""
    actor = filters.pop("actor", OPERATOR)
    given: dict[str, Any] = {"kind": None, "agency": None, "after": None, "limit": 50} | filters
    return [hit.id for hit in (await catalog.services.search.search(Asked.of(words), actor, **given)).hits]


@pytest.mark.parametrize(
    "words", ["thua dat", "thửa đất", "THỬA ĐẤT", "dat thua", "thu\u031b\u0309a da", "đất thửa"]
)
async def test_words_are_found_with_and_without_marks(catalog: Catalog, words: str) -> None:
    assert set(await ids(catalog, words)) == {"H11.05/land/parcels-v1", "H11.05/land/changed-v1"}


@pytest.mark.parametrize("words", ["duong", "đường", "ĐƯỜNG", "đươ", "du"])
async def test_each_way_of_typing_finds_all(catalog: Catalog, words: str) -> None:
    assert set(await ids(catalog, words)) == {
        "H11.05/land/roads-v1", "H11.05/land/sugar-v1", "H11.06/care/blood-v1", "H11.06/care/duong-v1",
    }  # fmt: skip


async def test_texts_with_the_marks_that_were_typed_come_first(catalog: Catalog) -> None:
    assert await ids(catalog, "đường") == [
        "H11.05/land/roads-v1",  # in the title
        "H11.05/land/sugar-v1",  # in the description
        "H11.06/care/duong-v1",  # other marks, the shorter title first
        "H11.06/care/blood-v1",
    ]
    assert (await ids(catalog, "đương"))[0] == "H11.06/care/blood-v1"


async def test_the_last_word_may_be_a_beginning_unless_something_follows(catalog: Catalog) -> None:
    assert await ids(catalog, "tra c") == ["H11.05/land/parcels-v1"]
    assert await ids(catalog, "tra c ") == []


@pytest.mark.parametrize("words", ["' OR 1=1 --", '"', "terms:đất", "NEAR(a b)", "a* & b:*", "\\'", "^x"])
async def test_signs_mean_nothing(catalog: Catalog, words: str) -> None:
    await ids(catalog, words)


async def test_filters_and_facets(catalog: Catalog) -> None:
    asked = Asked.of("duong")
    found = await catalog.services.search.search(
        asked, OPERATOR, kind=ResourceKind.SERVICE, agency="H11.06", after=None, limit=50
    )
    assert {hit.id for hit in found.hits} == {"H11.06/care/blood-v1", "H11.06/care/duong-v1"}
    assert found.total == 2
    assert [(one.kind, one.count) for one in found.kinds] == [(ResourceKind.SERVICE, 2)]
    assert [(one.agency, one.count) for one in found.agencies] == [("H11.05", 2), ("H11.06", 2)]
    assert found.agency_names["H11.06"]["vi"] == "Sở Y tế"


async def test_pages_show_everything_once(catalog: Catalog) -> None:
    everything = await ids(catalog, "")
    paged: list[str] = []
    after = None
    while True:
        page = await catalog.services.search.search(
            Asked.of(""), OPERATOR, kind=None, agency=None, after=after, limit=2
        )
        paged += [hit.id for hit in page.hits]
        if (after := page.next) is None:
            break
    assert paged == everything
    assert len(everything) == len(set(everything)) == page.total == 10


async def test_a_change_is_found_with_its_commit_and_what_was_before_no_more(catalog: Catalog) -> None:
    changed = service("H11.05/land/roads-v1", "Cầu vượt", "Bảo trì")
    await apply(catalog, changed)
    assert await ids(catalog, "cau vuot") == ["H11.05/land/roads-v1"]
    assert await ids(catalog, "mang luoi") == []


async def test_a_draft_is_found_by_its_agency_and_the_operator_until_it_is_published(
    catalog: Catalog,
) -> None:
    draft = service("H11.05/land/secret-v1", "Bản thử", "Chưa công bố", lifecycle={"stage": "draft"})
    await apply(catalog, draft)
    own, other = (
        Actor(name, transaction_id=OPERATOR.transaction_id) for name in ("H11.05/land", "H11.06/care")
    )
    for actor, found in ((OPERATOR, 1), (own, 1), (other, 0)):
        assert len(await ids(catalog, "ban thu", actor=actor)) == found
        page = await catalog.services.search.search(
            Asked.of("ban thu"), actor, kind=None, agency=None, after=None, limit=5
        )
        assert page.total == sum(one.count for one in page.kinds) == found
    for stage in ("in-review", "published"):
        draft["spec"]["lifecycle"] = {"stage": stage}
        await apply(catalog, draft)
    assert await ids(catalog, "ban thu", actor=other) == ["H11.05/land/secret-v1"]


async def test_what_is_suspended_stays_found(catalog: Catalog) -> None:
    await catalog.services.systems.suspend("H11.05/land", OPERATOR)
    assert "H11.05/land/roads-v1" in await ids(catalog, "getParcel")
    assert await ids(catalog, "mạng lưới") == ["H11.05/land/roads-v1"]


async def test_what_the_index_lacks_is_caught_up_with(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade of a catalog with rows in it, and where the form of the index is another."""
    before = await ids(catalog, "")
    async with catalog.database.transaction() as session:
        await session.execute(text("DELETE FROM search_texts"))
        await session.execute(text("DELETE FROM search_entries"))
        await session.execute(text("UPDATE search_states SET form = 0, version = 0"))
    assert await ids(catalog, "") == []
    monkeypatch.setattr("lienthong.catalog.search.service._AT_ONCE", 2)
    assert await catalog.services.index.catch_up() == len(before)
    assert await ids(catalog, "") == before
    assert await ids(catalog, "con duong") == ["H11.05/land/roads-v1"]
    assert await catalog.services.index.catch_up() == 0


async def test_what_a_catalog_of_before_writes_meanwhile_is_taken_in(catalog: Catalog) -> None:
    async with catalog.database.transaction() as session:
        found = await session.execute(text("SELECT max(version) FROM agencies"))
        newest = found.scalar_one()
        await session.execute(
            text("UPDATE search_states SET version = :before WHERE kind = 'Agency'"), {"before": newest - 1}
        )
    await apply(catalog, agency("H11.07", name=name("Sở Tài chính")))
    assert await catalog.services.index.catch_up() == 2
    assert await catalog.services.index.catch_up() == 0
    assert await ids(catalog, "so tai chinh") == ["H11.07"]
