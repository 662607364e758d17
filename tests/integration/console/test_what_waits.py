"""The first page counts what waits for who has signed in, and says where it is found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lienthong.kit.policy import Grant, Role
from tests.integration.catalog.province import GROUND, PURPOSE, manifest, name, openapi, system
from tests.integration.console.harness import a_catalog, a_console
from tests.integration.identity.people.harness import LAND, ONE_STOP
from tests.support.catalog import OPERATOR

if TYPE_CHECKING:
    from pathlib import Path

TILE = (
    '<a class="tile" href="/decisions"><span class="number{calm}">{number}</span><small>{title}</small></a>'
)


async def test_requests_wait_for_whoever_decides(tmp_path: Path) -> None:
    async with a_console(tmp_path) as place, a_catalog(place, tmp_path) as catalog:
        owner = await place.office.person("owner", Grant(Role.DATA_OWNER, LAND))
        other = await place.office.person("other", Grant(Role.DATA_OWNER, ONE_STOP), agency=ONE_STOP)
        developer = await place.office.person("developer", Grant(Role.DEVELOPER, LAND))
        async with (
            place.signed_in(owner) as deciding,
            place.signed_in(other) as elsewhere,
            place.signed_in(developer) as asking,
        ):
            none = TILE.format(calm=" calm", number=0, title="đề nghị chờ duyệt")
            assert none in (await deciding.home()).text

            service = f"{LAND}/land/parcels-v1"
            spec = {"name": name("Thửa đất"), "upstreams": ["http://127.0.0.1:8204"], "openapi": openapi()}
            terms = {"service": service, "purposes": [PURPOSE], "legalGround": GROUND}
            wanted = [
                manifest("Service", service, **spec),
                system(f"{ONE_STOP}/tax"),
                *(
                    manifest(
                        "Agreement", f"{ONE_STOP}.{code}.parcels", consumer=f"{ONE_STOP}/{code}", **terms
                    )
                    for code in ("land", "tax")
                ),
            ]
            body = json.dumps({"manifests": wanted}).encode()
            await catalog.services.apply.apply(body, OPERATOR, dry_run=False)

            assert TILE.format(calm="", number=2, title="đề nghị chờ duyệt") in (await deciding.home()).text
            assert none in (await elsewhere.home()).text
            assert "đề nghị chờ duyệt" not in (await asking.home()).text
            deciding.http.cookies.set("language", "en")
            assert TILE.format(calm="", number=2, title="requests to decide") in (await deciding.home()).text

            # A part of the platform that is away takes nothing else away.
            del place.gateway.others["catalog"]
            home = await deciding.home()
            assert home.status_code == 200
            assert TILE.format(calm="", number="?", title="requests to decide") in home.text
