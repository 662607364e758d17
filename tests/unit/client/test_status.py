"""What `lienthong status` makes of the figures: what is well, what is not, and what to do about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lienthong.client.commands.status import _duration, _size
from lienthong.client.diagnosis import secrets_of_providers
from lienthong.client.errors import InputError
from lienthong.client.health_ports import MISSING, Reading, addresses, read_all
from lienthong.client.status import ProcessStatus, status_of

WELL = """\
target_info{service_version="0.1.0"} 1
process_start_time_seconds 1.7e9
lienthong_bus_connected 1
lienthong_health_check{lienthong_check="keys"} 1
lienthong_replica_age_seconds{replica="keys"} 2.5
lienthong_ledger_lag 0
lienthong_ledger_checkpoint_age_seconds 9000
lienthong_ledger_quarantine 0
lienthong_outbox_oldest_age_seconds 0
lienthong_spool_size_bytes 0
lienthong_stream_filled 0.1
lienthong_disk_free_bytes 5e10
lienthong_disk_size_bytes 1e11
process_unix_file_descriptor_count 40
lienthong_process_file_descriptor_limit 1024
"""


def judged(
    text: str, checks: dict[str, bool] | None = None, reasons: dict[str, str] | None = None
) -> ProcessStatus:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return status_of(Reading("ledger", "http://127.0.0.1:8184", checks or {}, reasons or {}, samples))


def test_what_is_well_has_no_findings() -> None:
    status = judged(WELL, {"database": True})
    assert (status.state, status.findings, status.version, status.started) == ("ok", (), "0.1.0", 1.7e9)
    figures = status.document()["figures"]
    assert (figures["keys_age_s"], figures["ledger_lag"], figures["checkpoint_age_s"]) == (2.5, 0, 9000)


@pytest.mark.parametrize(
    ("line", "instead", "state", "says"),
    [
        ("lienthong_bus_connected 1", "lienthong_bus_connected 0", "fail", "NATS is away"),
        ('check="keys"} 1', 'check="keys"} 0', "fail", "the check 'keys' fails"),
        ('replica="keys"} 2.5', 'replica="keys"} 31', "warn", "identity has not confirmed keys for 31 s"),
        ("lienthong_ledger_lag 0", "lienthong_ledger_lag 3", "warn", "3 messages behind"),
        ("quarantine 0", "quarantine 2", "warn", "2 records are in quarantine"),
        ("oldest_age_seconds 0", "oldest_age_seconds 61", "warn", "messages have waited for 61 s"),
        ("size_bytes 0", "size_bytes 512", "warn", "records wait in the spool on disk"),
        ("stream_filled 0.1", "stream_filled 0.85", "warn", "85% full"),
        ("free_bytes 5e10", "free_bytes 1e10", "warn", "only 10% of its disk is free (9.3 GiB)"),
        ("count 40", "count 900", "warn", "900 of 1024 descriptors are open"),
    ],
)
def test_each_thing_that_is_not_well_is_told_with_what_to_do(
    line: str, instead: str, state: str, says: str
) -> None:
    status = judged(WELL.replace(line, instead))
    [finding] = status.findings
    assert (status.state, finding.state) == (state, state)
    assert says in finding.detail.en
    assert finding.detail.vi != finding.detail.en
    assert finding.advice.vi != finding.advice.en


def test_a_ledger_that_grows_is_not_behind() -> None:
    growing = WELL.replace("lienthong_ledger_lag 0", "lienthong_ledger_lag 9").replace(
        "age_seconds 9000", "age_seconds 1"
    )
    assert judged(growing).state == "ok"


def test_the_worst_of_several_workers_counts_and_missing_ones_are_told() -> None:
    workers = "".join(
        f'lienthong_gateway_workers{{lienthong_worker="{number}"}} 3\n'
        f'lienthong_bus_connected{{lienthong_worker="{number}"}} {connected}\n'
        for number, connected in ((0, 1), (1, 0))
    )
    told = [finding.detail.en for finding in judged(workers).findings]
    assert told == ["2 of 3 workers answer", "NATS is away"]


def test_of_versions_that_workers_follow_the_oldest_is_told() -> None:
    workers = "".join(
        f'lienthong_{figure}{{lienthong_worker="{number}"}} {number}\n'
        for figure in ("routes_version", "catalog_version", "journal_waiting")
        for number in (5, 7)
    )
    figures = judged(workers).document()["figures"]
    assert figures == {"routes_version": 5, "catalog_version": 5, "journal_waiting": 7}


@pytest.mark.parametrize("url", ["http://[x", "http://x:a", "http://a..b", "http://"])
def test_an_address_that_leads_nowhere_is_told_as_such(url: str) -> None:
    [reading] = read_all([("gateway", url)])
    assert reading.failure


def test_a_check_that_passes_with_a_reason_needs_a_look() -> None:
    status = judged(WELL, {"routes": True}, {"routes": "stream lost"})
    assert (status.state, status.findings[0].detail.en) == (
        "warn",
        "the check 'routes' passes, but needs a look: stream lost",
    )


def test_a_process_that_says_nothing_has_failed() -> None:
    status = status_of(Reading("catalog", "http://127.0.0.1:8181", failure="connection refused"))
    assert (status.state, status.version, status.facts) == ("fail", None, ())


def test_addresses_are_those_of_this_machine_unless_others_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", "1000")
    assert addresses(())[0] == ("gateway", "http://127.0.0.1:9180")
    given = addresses(["gateway=http://a:1/", "gateway=http://b:2", "ledger=https://c"])
    assert [url for name, url in given if name == "gateway"] == ["http://a:1", "http://b:2"]
    assert ("ledger", "https://c") in given
    assert ("identity", "http://127.0.0.1:9182") in given


def test_the_console_is_asked_where_it_is_named_or_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", "1000")
    assert addresses(())[-1] == ("console", "http://127.0.0.1:9191")
    assert "console" not in dict(addresses(["gateway=http://a:1"]))
    assert dict(addresses(["console=http://b:2"]))["console"] == "http://b:2"
    assert len(addresses(["console=http://b:2"])) == len(addresses(()))


@pytest.mark.parametrize("word", ["gateway", "gateway=", "gateway=ftp://x", "edge=http://x", "=http://x"])
def test_an_address_of_another_form_is_refused(word: str) -> None:
    with pytest.raises(InputError):
        addresses([word])


def test_durations_and_sizes_are_short() -> None:
    assert [_duration(seconds) for seconds in (-1, 59.4, 60, 3661, 90_000)] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "1 h 1 min",
        "1 d 1 h",
    ]
    assert [_size(number) for number in (0, 1023, 2048, 5 * 2**20, 3 * 2**30)] == [
        "0 B",
        "1023 B",
        "2 KiB",
        "5 MiB",
        "3.0 GiB",
    ]


def test_the_doctor_names_the_secrets_that_a_gateway_lacks() -> None:
    gateway = Reading("gateway", "http://127.0.0.1:8180", {"secrets": True})
    catalog = Reading("catalog", "http://127.0.0.1:8181", {"database": True})
    assert [check.state for check in secrets_of_providers([gateway, catalog])] == ["ok"]
    reason = f"{MISSING}H11.05/land/core (password is missing)"
    (found,) = secrets_of_providers([replace(gateway, reasons={"secrets": reason})])
    assert (found.state, "H11.05/land/core" in found.detail.vi) == ("warn", True)
    assert found.advice is not None
    assert "Credentials for providers" in found.advice.en
    assert secrets_of_providers([catalog]) == []
