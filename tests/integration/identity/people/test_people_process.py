"""The real process: killed in the middle it leaves no half account; its command and its log."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import select

from lienthong.identity.bootstrap import SCHEMA
from lienthong.identity.models import outbox
from lienthong.kit.database import Database
from tests.integration.identity.harness import assertion, key_file
from tests.integration.identity.people.harness import PASSWORD
from tests.integration.identity.test_identity_process import ask, environment, operator, started
from tests.support.ports import take_free_offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCEPT = "/identity/v1/invitations/accept"
PEOPLE = 12


@contextmanager
def administrator(home: Path, offset: int) -> Iterator[httpx.Client]:
    """An HTTP client with the operator's token."""
    key, issuer = operator(home)
    token = ask(offset, assertion(key, "operator", aud=issuer)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{8102 + offset}", headers=headers, timeout=60) as http:
        yield http


def accept(address: str, token: str) -> int:
    """The status of the answer; 0 where the process died before it came."""
    try:
        return httpx.post(address, json={"token": token, "password": PASSWORD}, timeout=60).status_code
    except httpx.TransportError:
        return 0


async def acts(database_url: str) -> list[tuple[str, str]]:
    """What the outbox holds of people: action and object."""
    database = Database.open(database_url, schema=SCHEMA)
    async with database.reading() as session:
        found = [json.loads(row) for row in await session.scalars(select(outbox.c.payload))]
    await database.close()
    return [(one["action"], one["object"]) for one in found]


async def test_killed_while_people_accept_it_leaves_no_half_account(
    tmp_path: Path, database_url: str
) -> None:
    offset = take_free_offset()
    variables = environment(tmp_path, offset, database_url)
    key_file(tmp_path)
    links: dict[str, str] = {}
    answers: dict[str, int] = {}
    with started(variables) as process, administrator(tmp_path, offset) as http:
        for number in range(PEOPLE):
            wanted = {"login": f"p{number}@example.vn", "name": "An", "roles": []}
            made = http.post("/identity/v1/people", json=wanted).json()
            links[made["person"]["id"]] = made["link"]["url"].partition("#")[2]
        with ThreadPoolExecutor(PEOPLE) as threads:
            address = f"{http.base_url}{ACCEPT}"
            running = {threads.submit(accept, address, link): one for one, link in links.items()}
            for done in as_completed(running):
                answers[running[done]] = done.result()
                process.kill()
        process.wait(10)
    assert set(answers.values()) <= {0, 204}
    with started(variables), administrator(tmp_path, offset) as http:
        for person, link in links.items():
            state = http.get(f"/identity/v1/people/{person}").json()["state"]
            assert state == "active" or answers[person] == 0
            again = accept(f"{http.base_url}{ACCEPT}", link)
            assert (state, again) in {("active", 403), ("invited", 204)}
    accepted = [found for action, found in await acts(database_url) if action == "person.accept"]
    assert sorted(accepted) == sorted(f"Person/{person}" for person in links)


async def test_the_command_makes_a_link_beside_the_process_and_no_log_has_what_people_type(
    tmp_path: Path, database_url: str
) -> None:
    offset = take_free_offset()
    variables = environment(tmp_path, offset, database_url)
    key_file(tmp_path)
    with started(variables), administrator(tmp_path, offset) as http:
        made = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "lienthong.identity", "administrator-link"],
            env=variables,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        address, _, token = made.stdout.splitlines()[-1].partition(" ")[0].partition("#")
        assert address == f"http://localhost:{8091 + offset}/invitation"
        assert (await asyncio.to_thread(httpx.get, address)).status_code == 200
        body = {"token": token, "login": "an.nguyen@example.vn", "name": "Nguyễn An", "password": PASSWORD}
        assert http.post(ACCEPT, json={**body, "password": "too short"}).status_code == 422
        assert http.post(ACCEPT, json=body).status_code == 204
        [person] = http.get("/identity/v1/people").json()["items"]
        assert person["roles"] == [{"role": "platform-operator", "agency": ""}]
    log = (tmp_path / "identity.log").read_text()
    recorded = str(await acts(database_url))
    for typed in body.values():
        assert typed not in log
        assert typed not in recorded
