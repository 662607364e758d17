"""Prometheus's own promtool takes the alerts, and each is raised when it should be, and not before."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.documents.alerts import RULES, rules
from tests.support.databases import skip_or_fail

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Case:
    """Figures, one value a minute (in promtool's notation), and in which minutes an alert is raised by them.

    `labels` are those of the alert beside its severity.
    """

    alert: str
    figures: Mapping[str, str]
    raised: tuple[int, ...]
    quiet: tuple[int, ...]
    labels: Mapping[str, str]


A = {"instance": "a"}
WORKER = {"instance": "a", "lienthong_worker": "0"}
SERVICE = {"lgsp_service": "s"}
_OF_A = 'instance="a"'
_OF_WORKER = 'instance="a",lienthong_worker="0"'


def steps(alert: str, figure: str, values: str, labels: Mapping[str, str], **others: str) -> Case:
    """What is well for six minutes is not from the sixth on: told three minutes later at the latest."""
    return Case(alert, {figure: values, **others}, raised=(9, 14), quiet=(3, 5), labels=labels)


def slow(alert: str, histogram: str, label: str, bound: str, labels: Mapping[str, str]) -> Case:
    """After ten minutes one in ten takes longer than `bound` seconds; told within half an hour."""
    figures = {
        f'{histogram}{{{label},le="{bound}"}}': "0+100x10 1090+90x40",
        f'{histogram}{{{label},le="10"}}': "0+100x51",
        f'{histogram}{{{label},le="+Inf"}}': "0+100x51",
    }
    return Case(alert, figures, raised=(40,), quiet=(5, 10), labels=labels)


def counted(alert: str, code: str) -> Case:
    figure = f'lienthong_calls_refused_total{{{_OF_A},error_type="{code}"}}'
    return Case(alert, {figure: "0x5 1x40"}, (7, 9), (5, 30), {**A, "error_type": code})


CASES = [
    steps("LienthongProcessDown", f'up{{{_OF_A},job="lienthong"}}', "1x5 0x10", {**A, "job": "lienthong"}),
    steps(
        "LienthongNotReady",
        f'lienthong_health_check{{{_OF_A},lienthong_check="database"}}',
        "1x5 0x10",
        {**A, "lienthong_check": "database"},
    ),
    steps(
        "LienthongWorkerMissing",
        'lienthong_gateway_workers{instance="a",lienthong_worker="1"}',
        "2x5 stale",
        A,
        **{f"lienthong_gateway_workers{{{_OF_WORKER}}}": "2x20"},
    ),
    steps("LienthongBusAway", f"lienthong_bus_connected{{{_OF_A}}}", "1x5 0x10", A),
    steps(
        "LienthongSpoolFilling",
        f"lienthong_spool_size_bytes{{{_OF_WORKER}}}",
        "40x5 60x10",
        WORKER,
        **{f"lienthong_spool_limit_bytes{{{_OF_WORKER}}}": "100x20"},
    ),
    steps("LienthongSpoolWaits", f"lienthong_spool_oldest_age_seconds{{{_OF_WORKER}}}", "9x5 301x10", WORKER),
    steps("LienthongSpoolDamaged", f"lienthong_spool_damaged{{{_OF_WORKER}}}", "0x5 1x10", WORKER),
    steps("LienthongLedgerWentBack", f"lienthong_ledger_continues{{{_OF_WORKER}}}", "1x5 0x10", WORKER),
    steps(
        "LienthongRecordsUnsealed",
        f"lienthong_retained_oldest_age_seconds{{{_OF_WORKER}}}",
        "9x5 901x10",
        WORKER,
    ),
    steps("LienthongDatabaseRolledBack", f"lienthong_history_missing{{{_OF_A}}}", "0x5 3x10", A),
    steps("LienthongBusLostEvents", f"lienthong_exchange_stream_losses{{{_OF_A}}}", "0x5 1x10", A),
    counted("LienthongCallsUnrecorded", "audit-unavailable"),
    steps("LienthongReplicaUnconfirmed", f"lienthong_replica_age_seconds{{{_OF_A}}}", "9x5 61x10", A),
    steps("LienthongReplicaNotFollowed", f"lienthong_replica_following{{{_OF_A}}}", "1x5 0x10", A),
    steps(
        "LienthongReplicaNearlyTooOld",
        f'lienthong_replica_age_seconds{{{_OF_WORKER},lienthong_replica="routes"}}',
        "9x5 51x10",
        {**WORKER, "lienthong_replica": "routes"},
        **{f"lienthong_replica_age_limit_seconds{{{_OF_WORKER}}}": "100x20"},
    ),
    steps(
        "LienthongLedgerBehind",
        f"lienthong_ledger_checkpoint_age_seconds{{{_OF_A}}}",
        "9x5 121x10",
        A,
        **{f"lienthong_ledger_lag{{{_OF_A}}}": "1x20"},
    ),
    # Five records are there; three are taken out; one comes.
    Case(
        "LienthongQuarantine",
        {f"lienthong_ledger_quarantine{{{_OF_A}}}": "5x9 2x19 3x99"},
        raised=(31, 80),
        quiet=(5, 15, 29, 120),
        labels=A,
    ),
    steps("LienthongQuarantineUncounted", f"lienthong_ledger_quarantine{{{_OF_A}}}", "9999x5 10000x10", A),
    steps("LienthongStreamFilling", f"lienthong_stream_filled{{{_OF_A}}}", "0.5x5 0.9x10", A),
    Case(
        "LienthongStreamFullSoon",
        {f"lienthong_stream_filled{{{_OF_A}}}": "0.1x20 0.1+0.001x80"},
        raised=(60,),
        quiet=(5, 20),
        labels=A,
    ),
    steps(
        "LienthongDiskFilling",
        f"lienthong_disk_free_bytes{{{_OF_A}}}",
        "50x5 19x10",
        A,
        **{f"lienthong_disk_size_bytes{{{_OF_A}}}": "100x20"},
    ),
    Case(
        "LienthongDiskFullSoon",
        {f"lienthong_disk_free_bytes{{{_OF_A}}}": "1000x20 1000-1x80"},
        raised=(60,),
        quiet=(5, 20),
        labels=A,
    ),
    steps("LienthongOutboxWaits", f"lienthong_outbox_oldest_age_seconds{{{_OF_A}}}", "9x5 61x10", A),
    slow(
        "LienthongSlowCalls",
        "http_server_request_duration_seconds_bucket",
        'lgsp_service="s"',
        "2.5",
        SERVICE,
    ),
    Case(
        "LienthongProviderFails",
        {
            'http_server_request_duration_seconds_count{lgsp_service="s"}': "0+100x51",
            'http_server_request_duration_seconds_count{lgsp_service="s",error_type="provider-timeout"}': (
                "0x10 10+10x40"
            ),
        },
        raised=(40,),
        quiet=(5, 10),
        labels=SERVICE,
    ),
    counted("LienthongInternalErrors", "internal-error"),
    slow("LienthongEventLoopLate", "lienthong_event_loop_lag_seconds_bucket", _OF_A, "0.25", A),
    steps(
        "LienthongFewDescriptors",
        f"process_unix_file_descriptor_count{{{_OF_A}}}",
        "9x5 81x10",
        A,
        **{f"lienthong_process_file_descriptor_limit{{{_OF_A}}}": "100x20"},
    ),
    steps(
        "LienthongDatabasePoolUsed",
        f'db_client_connection_count{{{_OF_A},db_client_connection_pool_name="p",'
        'db_client_connection_state="used"}',
        "1x5 5x10",
        {**A, "db_client_connection_pool_name": "p"},
        **{f'db_client_connection_max{{{_OF_A},db_client_connection_pool_name="p"}}': "5x20"},
    ),
]


def promtool(*words: str) -> str:
    """What promtool says; fails when it does not take what it was given."""
    found = shutil.which("promtool")
    if found is None:
        skip_or_fail("promtool is not here; tests/install-tools promtool")
        raise AssertionError
    done = subprocess.run([found, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(RULES))


def test_every_alert_has_a_case() -> None:
    assert sorted(case.alert for case in CASES) == sorted(rule["alert"] for rule in rules())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_is_raised_when_it_should_be_and_not_otherwise(case: Case, tmp_path: Path) -> None:
    (rule,) = [rule for rule in rules() if rule["alert"] == case.alert]
    alert = {
        "exp_labels": {**case.labels, "severity": rule["labels"]["severity"]},
        "exp_annotations": rule["annotations"],
    }
    expected = {**{minute: [] for minute in case.quiet}, **{minute: [alert] for minute in case.raised}}
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.figures.items()],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": alerts}
            for minute, alerts in expected.items()
        ],
    }
    document = {"rule_files": [str(RULES.resolve())], "evaluation_interval": "1m", "tests": [test]}
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    promtool("test", "rules", str(file))
