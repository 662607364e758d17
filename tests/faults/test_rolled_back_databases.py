"""A database that is replaced by an older copy is noticed by its own service, which says what is missing."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest

from lienthong.client import Client, Credentials
from lienthong.client.operations import decide_agreement, subscribe
from tests.faults.checker import entries
from tests.faults.test_damaged_changes import REFUSED, decide, token
from tests.faults.test_lost_stores import agency_manifest, copy, put_back, stopped
from tests.support.fork_server import run_module
from tests.support.platform import AGREEMENT, CONSUMER, PROVIDER, named
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.support.platform import Platform

pytestmark = pytest.mark.faults

SERVICES: Final = ("catalog", "identity", "exchange")
EVENT_TYPE: Final = f"{PROVIDER}/parcel-changed-v1"


def acts_of(platform: Platform, service: str) -> list[str]:
    """What the ledger's own database has of the acts of a service: the objects, in the order of the log."""
    records = [json.loads(data) for data in entries(platform)]
    return [record["object"] for record in records if record["kind"] == "admin" and record["node"] == service]


def log_of(platform: Platform, service: str) -> Path:
    """Where a service logs."""
    return platform.home / "logs" / f"{service}.log"


def lienthong(
    platform: Platform, *words: str, module: str = "lienthong.client"
) -> subprocess.CompletedProcess[str]:
    """Run a command as an operator does."""
    environment = os.environ | {
        "LIENTHONG_HOME": str(platform.home),
        "LIENTHONG_PORT_OFFSET": str(platform.settings.port_offset),
        "LIENTHONG_GATEWAY": platform.gateway,
    }
    # To load what a command is made of takes longer than all the rest.
    return run_module(module, environment, *words)


def change(platform: Platform, number: int) -> dict[str, set[str]]:
    """Change something in each service; the objects of the acts that were acknowledged, by service."""
    system = f"H99.{number:02}/new"
    with platform.operator() as operator:
        operator.apply([agency_manifest(f"H99.{number:02}"), system_manifest(system, platform)])
    with Client(platform.consumer) as consumer:
        consumer.perform(subscribe(f"parcels-{number}", EVENT_TYPE, start="new", ordered=False))
    return {
        "catalog": {f"Agency/H99.{number:02}", f"System/{system}"},
        "identity": {f"Client/{system}"},
        "exchange": {f"Subscription/{CONSUMER}/parcels-{number}"},
    }


def system_manifest(identifier: str, platform: Platform) -> dict[str, Any]:
    name = {"vi": "Hệ thống", "en": "System"}
    return {
        "apiVersion": "lienthong/v1",
        "kind": "System",
        "metadata": {"id": identifier},
        "spec": {"name": name, "jwks": platform.consumer.public_keys()},
    }


def event_manifests() -> list[dict[str, Any]]:
    """An event type to which the consumer may subscribe."""
    name = {"vi": "Thửa đất thay đổi", "en": "Parcel changed"}
    return [
        {
            "apiVersion": "lienthong/v1",
            "kind": "EventType",
            "metadata": {"id": EVENT_TYPE},
            "spec": {"name": name, "dataSchema": {"type": "object"}},
        },
        {
            "apiVersion": "lienthong/v1",
            "kind": "Agreement",
            "metadata": {"id": "one-stop-events"},
            "spec": {
                "consumer": CONSUMER,
                "eventType": EVENT_TYPE,
                "purposes": ["land-procedure"],
                "legalGround": "Luật Đất đai 2024",
                "status": "approved",
            },
        },
    ]


def test_older_copies_of_the_services_databases_are_noticed_by_each_service(platform: Platform) -> None:
    begin = {name: log_of(platform, name).stat().st_size for name in SERVICES}
    with platform.operator() as operator:
        operator.apply(event_manifests())
    before = change(platform, 91)
    wait_until(lambda: all(before[name] <= set(acts_of(platform, name)) for name in SERVICES), within=60)
    with stopped(platform, *SERVICES):
        known = {name: len(acts_of(platform, name)) for name in SERVICES}
        for name in SERVICES:
            shutil.copytree(platform.home / name, platform.home / f"{name}.older")
    wait_until(lambda: all(platform.condition(name, "history")["state"] == "ok" for name in SERVICES))

    after = change(platform, 92)
    with platform.operator() as operator:
        operator.perform(decide_agreement(AGREEMENT, "revoke", legal_ground=None, reason="hết thời hạn"))
    after["catalog"].add(f"Agreement/{AGREEMENT}")
    wait_until(lambda: all(after[name] <= set(acts_of(platform, name)) for name in SERVICES), within=60)
    with stopped(platform, *SERVICES):
        lost = {name: acts_of(platform, name)[known[name] :] for name in SERVICES}
        for name in SERVICES:
            shutil.rmtree(platform.home / name)
            (platform.home / f"{name}.older").rename(platform.home / name)

    for name in SERVICES:
        assert after[name] <= set(lost[name])
        wait_until(
            lambda name=name: platform.condition(name, "history").get("missing") == len(lost[name]),  # type: ignore[misc]
            lambda name=name: f"{name} lacks {lost[name]} and says {platform.condition(name, 'history')}",  # type: ignore[misc]
        )
        log = log_of(platform, name).read_bytes()[begin[name] :].decode()
        (told,) = [json.loads(line) for line in log.splitlines() if '"code": "database-rolled-back"' in line]
        assert (told["level"], told["missing"]) == ("error", len(lost[name]))
        searched = lienthong(platform, *told["see"].split()[1:], "--json", "--limit", "1000")
        assert all(f'"{act}"' in searched.stdout for act in lost[name]), searched

    doctor = lienthong(platform, "doctor", "--json")
    assert doctor.returncode == 1
    checks = [check for check in json.loads(doctor.stdout)["checks"] if check["name"] == "databases"]
    assert [check["state"] for check in checks] == ["fail"] * len(SERVICES)
    for name, check in zip(SERVICES, checks, strict=True):
        assert check["detail"].startswith(f"{name}: database-rolled-back")
        assert f"{len(lost[name])} thay đổi" in check["detail_vi"]
        for advice in (check["advice"], check["advice_vi"]):
            assert f"python -m lienthong.{name} accept-rolled-back" in advice

    status = lienthong(platform, "status", "--json")
    assert status.returncode == 1
    for process in json.loads(status.stdout)["processes"]:
        if process["process"] in SERVICES:
            number = len(lost[process["process"]])
            assert process["figures"]["history_missing"] == number
            assert any(f"{number} acknowledged changes" in one["detail"] for one in process["findings"])

    for name in SERVICES:
        accepted = lienthong(
            platform, "accept-rolled-back", "--reason", "đĩa hỏng", module=f"lienthong.{name}"
        )
        assert f"{len(lost[name])} changes" in accepted.stdout, accepted
    for name in SERVICES:
        wait_until(lambda name=name: platform.condition(name, "history")["state"] == "ok", within=30)  # type: ignore[misc]
    doctor = lienthong(platform, "doctor", "--json")
    (check,) = [check for check in json.loads(doctor.stdout)["checks"] if check["name"] == "databases"]
    assert (check["state"], check["detail"]) == ("ok", f"not older than the ledger ({', '.join(SERVICES)})")
    for name in SERVICES:
        wait_until(lambda name=name: f"Database/{name}" in acts_of(platform, name))  # type: ignore[misc]


def give_key(operator: Client, system: Credentials, english: str = "System") -> None:
    """Let a system have this key, and no other."""
    operator.apply([named("System", system.client_id, "Hệ thống", english, {"jwks": system.public_keys()})])


def accept(platform: Platform, service: str) -> None:
    """Go on without what an older copy lacks, once that is noticed."""
    wait_until(lambda: platform.condition(service, "history").get("missing"))
    lienthong(platform, "accept-rolled-back", "--reason", "thử", module=f"lienthong.{service}")
    wait_until(lambda: platform.condition(service, "history")["state"] == "ok", within=30)


def test_what_is_revoked_again_after_an_older_copy_ends_tokens(platform: Platform) -> None:
    """The catalog goes back beyond changes that identity has; then identity beyond what it got since."""
    suspended, changed, kept = (
        Credentials.new(f"H99.90/{code}", gateway=platform.gateway)
        for code in ("suspended", "changed", "kept")
    )
    new = Credentials.new(changed.client_id, gateway=platform.gateway)

    def answers_requests() -> bool:
        return bool(platform.condition("catalog", "history")["state"] != "away")

    def answers() -> list[str]:
        return [token(one) for one in (suspended, changed, kept, new)]

    def well(*expected: bool) -> None:
        wait_until(
            lambda: [answer == "a token" for answer in answers()] == list(expected),
            lambda: str(answers()),
            within=30,
        )

    with platform.operator() as operator:
        operator.apply([agency_manifest("H99.90")])
        for system in (suspended, changed, kept):
            give_key(operator, system)
        well(True, True, True, False)
        with stopped(platform, "catalog", "identity"):
            older = {name: copy(platform.home / name) for name in ("catalog", "identity")}
        wait_until(answers_requests)

        for number in range(5):
            for system in (suspended, changed):
                give_key(operator, system, f"System {number}")
        decide(platform, operator, kept, "suspend")
        well(True, True, False, False)
        wait_until(lambda: sum("/H99.90/" in act for act in acts_of(platform, "catalog")) == 14)
        with stopped(platform, "catalog"):
            put_back(older["catalog"], platform.home / "catalog")
        wait_until(answers_requests)

        give_key(operator, new)
        decide(platform, operator, suspended, "suspend")
        well(False, False, False, True)
        # What the catalog does not know any more, identity keeps until that system is changed again.
        assert token(kept) in REFUSED
        decide(platform, operator, kept, "suspend")
        decide(platform, operator, kept, "resume")
        well(False, False, True, True)

        with stopped(platform, "identity"):
            put_back(older["identity"], platform.home / "identity")
        well(False, False, True, True)
    for service in ("catalog", "identity"):
        accept(platform, service)
