"""The `lienthong` command, word for word, against a server that speaks the contract."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from lienthong.client import Credentials
from tests.support.ports import take_free_offset

if TYPE_CHECKING:
    from tests.integration.client.conftest import Run
    from tests.integration.client.small_gateway import SmallGateway

SERVICE = "H11.05/land/parcels-v1"
TYPE = "H11.05/land/parcel-changed-v1"
AGENCY = """\
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H11.05}
spec:
  class: GOV
  name: {vi: Sở, en: Department}
"""


def manifest(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_keys_are_made_for_the_gateway_in_use(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    made = run(
        "keys",
        "new",
        "--client-id",
        "H11.09/new",
        "--dir",
        tmp_path / "k",
        "--gateway",
        gateway.address,
        "--json",
    )
    assert made.code == 0
    assert Credentials.load(tmp_path / "k").issuer == gateway.address
    assert made.json["files"]["public"] == str(tmp_path / "k/public.jwks")
    again = run("keys", "new", "--client-id", "H11.09/new", "--dir", tmp_path / "k", "--json")
    assert (again.code, again.json["error"]["code"]) == (2, "keys-exist")
    assert run("keys", "new", "--client-id", "land", "--dir", tmp_path / "x").code == 2


def test_apply_shows_what_changes_and_a_dry_run_changes_nothing(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    path = manifest(tmp_path, AGENCY)
    dry = run("apply", "-f", path, "--dry-run")
    assert (dry.code, gateway.manifests) == (0, {})
    assert "+ Agency H11.05" in dry.out
    assert "+ Agency H11.05" in run("apply", "-f", path).out
    assert "= Agency H11.05" in run("apply", "-f", path).out
    manifest(tmp_path, AGENCY.replace("GOV", "NGO"))
    changed = run("apply", "-f", tmp_path)
    assert "~ Agency H11.05" in changed.out
    assert "- GOV" in changed.out
    assert "+ NGO" in changed.out
    result = run("apply", "-f", path, "--json").json
    assert set(result) == {"dry_run", "version", "results"}
    assert result["results"] == [{"kind": "Agency", "id": "H11.05", "action": "unchanged", "changes": []}]


def test_diff_shows_what_differs_and_writes_nothing(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    other = AGENCY.replace("H11.05", "H11.06")
    path = manifest(tmp_path, f"{AGENCY}---\n{other}")
    run("apply", "-f", manifest(tmp_path, AGENCY, "known.yaml"))
    found = run("diff", "-f", path)
    assert found.code == 1
    assert "+ Agency H11.06" in found.out
    assert "H11.05" not in found.out
    assert [name for _, name in gateway.manifests] == ["H11.05"]
    assert [one["id"] for one in run("diff", "-f", path, "--json").json["results"]] == ["H11.06"]
    same = run("diff", "-f", tmp_path / "known.yaml", "--json")
    assert (same.code, same.json["results"]) == (0, [])


def test_a_catalog_is_exported_as_files_and_restored_from_them(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    run("apply", "-f", manifest(tmp_path, f"{AGENCY}---\n{AGENCY.replace('H11.05', 'H11.06')}"))
    folder = tmp_path / "catalog"
    done = run("export", folder, "--json")
    assert (done.code, done.json["resources"]) == (0, {"Agency": 2})
    assert sorted(path.name for path in folder.iterdir()) == ["H11.05.agencies.yaml", "H11.06.agencies.yaml"]
    assert "version: 1" in (folder / "H11.05.agencies.yaml").read_text()
    assert run("export", folder).code == 2
    narrow = tmp_path / "narrow"
    gateway.restless = True
    assert run("export", narrow, "--agency", "H11.06", "--agency", "H11.05", "--without-versions").code == 0
    assert "version" not in (narrow / "H11.05.agencies.yaml").read_text()
    assert "changed meanwhile" in run("export", tmp_path / "third").err
    before = {key: value["spec"] for key, value in gateway.manifests.items()}
    gateway.manifests.clear()
    tried = run("restore", "-f", folder, "--dry-run")
    assert "+ Agency H11.06" in tried.out
    assert gateway.manifests == {}
    assert run("restore", "-f", folder).code == 0
    assert {key: value["spec"] for key, value in gateway.manifests.items()} == before
    gateway.mistakes, gateway.conflict = (
        [{"pointer": "/manifests/1/metadata/id", "detail": "is there", "detail_vi": "đã có"}],
        True,
    )
    refused = run("restore", "-f", folder)
    assert refused.code == 4
    assert "H11.06.agencies.yaml:4" in refused.err


def test_what_files_lack_is_pruned_once_it_is_meant_and_within_the_scope(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    system = AGENCY.replace("Agency", "System").replace("id: H11.05", "id: H11.05/old")
    run("apply", "-f", manifest(tmp_path, f"{AGENCY}---\n{system}---\n{system.replace('H11.05', 'H11.06')}"))
    path = manifest(tmp_path, AGENCY, "kept.yaml")
    shown = run("prune", "-f", path, "--agency", "H11.05")
    assert (shown.code, "System H11.05/old" in shown.out, "--yes" in shown.err) == (0, True, True)
    assert gateway.manifests["System", "H11.05/old"]["status"] == "active"
    compared = run("diff", "-f", path, "--prune", "--agency", "H11.05", "--json")
    assert compared.code == 1
    assert compared.json["prune"] == [{"kind": "System", "id": "H11.05/old", "step": "suspend"}]
    assert run("prune", "-f", path, "--agency", "H11.05", "--kind", "services", "--yes").code == 0
    assert gateway.manifests["System", "H11.05/old"]["status"] == "active"
    assert run("prune", "-f", path, "--agency", "H11.05", "--yes").code == 0
    assert gateway.manifests["System", "H11.05/old"]["status"] == "suspended"
    assert gateway.manifests["System", "H11.06/old"]["status"] == "active"
    assert run("diff", "-f", path, "--prune", "--agency", "H11.05").code == 0
    for words in (["prune"], ["diff", "--prune"], ["prune", "--agency", "H11.05", "--kind", "agencies"]):
        assert run(*words, "-f", path).code == 2
    assert run("diff", "-f", path, "--agency", "H11.05").code == 2
    manifest(tmp_path, AGENCY.replace("H11.05", "H11.07"), "other.yaml")
    elsewhere = run("prune", "-f", tmp_path / "other.yaml", "--agency", "H11.05", "--yes")
    assert (elsewhere.code, "right folder" in elsewhere.err) == (2, True)


def test_the_documents_of_an_agency_are_put_into_one(run: Run, tmp_path: Path) -> None:
    found = run("openapi", "H11.05")
    document = json.loads(found.out)
    assert list(document["paths"]) == ["/land/p0-v1/x", "/land/p1-v1/x"]
    assert list(document["components"]["schemas"]) == ["land.p0-v1.X", "land.p1-v1.X"]
    assert [one["name"] for one in document["tags"]] == ["t0", "t1"]
    assert "Without H11.05/land/s1-v1" in found.err
    assert run("openapi", "H11.05", "--agreed", "-o", tmp_path / "land.json").code == 0
    assert json.loads((tmp_path / "land.json").read_text()) == document


def test_mistakes_here_and_in_the_catalog_are_told_together_by_file_and_line(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    gateway.mistakes = [
        {"pointer": "/manifests/0/spec/name/en", "detail": "too short", "detail_vi": "quá ngắn"},
        {"pointer": "/manifests/1/apiVersion", "detail": "told here already", "detail_vi": ""},
    ]
    one, two = manifest(tmp_path, AGENCY), manifest(tmp_path, AGENCY.replace("v1", "v9"), "b.yaml")
    said = run("apply", "-f", one, "-f", two)
    assert said.code == 2
    assert f"{one}:6: spec.name.en: quá ngắn" in said.err
    assert f"{two}:1: apiVersion: " in said.err
    assert "told here already" not in said.err
    errors = run("apply", "-f", tmp_path, "--json").json["error"]["errors"]
    assert [(e["file"], e["line"], e["field"]) for e in errors] == [
        (str(one), 6, "spec.name.en"),
        (str(two), 1, "apiVersion"),
        (str(two), 3, "metadata.id"),
    ]


def test_a_conflict_leads_to_its_line_and_is_a_refusal(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    gateway.mistakes = [{"pointer": "/manifests/0/spec/class", "detail": "decided", "detail_vi": "đã duyệt"}]
    gateway.conflict = True
    said = run("apply", "-f", manifest(tmp_path, AGENCY), "--json")
    assert said.code == 4
    assert said.json["error"]["code"] == "conflict"
    assert said.json["error"]["errors"][0]["line"] == 5


def test_bad_yaml_needs_no_gateway_to_be_found(run: Run, tmp_path: Path) -> None:
    path = manifest(tmp_path, "kind: Agency\nkind: System\nspec: [\n")
    said = run("apply", "-f", path, "--gateway", "http://127.0.0.1:9")
    assert said.code == 2
    assert f"{path}:4" in said.err
    local = run(
        "apply", "-f", manifest(tmp_path, AGENCY.replace("GOV", "GOV\n  class: COM")), "--as", "nobody"
    )
    assert local.code == 2
    assert "duplicate key 'class' (already on line 5)" in local.err


def test_get_lists_every_page_and_its_yaml_can_be_applied_again(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    run("apply", "-f", manifest(tmp_path, AGENCY + "---\n" + AGENCY.replace("H11.05", "H11.06")))
    for kind in ("agencies", "agency", "Agency"):
        table = run("get", kind).out
        assert "H11.05" in table
        assert "H11.06" in table
    assert [item["metadata"]["id"] for item in run("get", "agencies", "--json").json["items"]] == [
        "H11.05",
        "H11.06",
    ]
    assert run("get", "agency", "H11.06", "--json").json["spec"]["class"] == "GOV"
    shown = run("get", "agencies", "-o", "yaml").out
    assert [document["kind"] for document in yaml.safe_load_all(shown)] == ["Agency", "Agency"]
    again = run("apply", "-f", manifest(tmp_path, shown), "--json")
    assert {result["action"] for result in again.json["results"]} == {"unchanged"}
    missing = run("get", "agency", "H99")
    assert (missing.code, run("get", "nonsense").code) == (4, 2)
    assert "unknown-resource" in missing.err
    assert gateway.version > 0


def test_search_asks_for_all_words_and_says_how_many_more_there_are(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    run("apply", "-f", manifest(tmp_path, AGENCY + "---\n" + AGENCY.replace("H11.05", "H11.06")))
    shown = run("search", "so", "nong", "--kind", "agency", "--limit", "1", "--as", "operator")
    assert gateway.searched == {"q": "so nong", "kind": "Agency", "limit": "1"}
    assert "H11.05" in shown.out
    assert "H11.06" not in shown.out
    assert "Còn 1 kết quả nữa" in shown.err
    found = run("search", "sở", "--agency", "H11.06", "--json").json
    assert found["total"] == 2
    assert gateway.searched["agency"] == "H11.06"
    gateway.manifests.clear()
    assert "Không tìm thấy gì" in run("search", "sở").err
    assert run("search", "sở", "--kind", "nonsense").code == 2


def test_agreements_are_asked_for_and_decided(run: Run, gateway: SmallGateway) -> None:
    asked = run(
        "agreement", "request", "one-stop-parcels", "--service", SERVICE, "--purpose", "land",
        "--legal-ground", "Luật Đất đai", "--requires", "case", "--requires", "user",
        "--limit", "perMinute=600", "--limit", "perDay=50000", "--hours", "mon-fri 07:00-17:30",
        "--fields", "getParcel=area", "--fields", "getParcel=owners[*].id", "--as", "one-stop", "--json",
    )  # fmt: skip
    assert asked.code == 0
    assert asked.json["spec"] == {
        "consumer": "H11.01/one-stop",
        "service": SERVICE,
        "purposes": ["land"],
        "legalGround": "Luật Đất đai",
        "requires": ["case", "user"],
        "limits": {"perMinute": 600, "perDay": 50_000},
        "hours": {"open": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "07:00", "to": "17:30"}]},
        "fields": {"getParcel": ["area", "owners[*].id"]},
    }
    used = run("agreement", "use", "one-stop-parcels", "--as", "one-stop")
    assert used.out.splitlines()[-1].split() == ["perDay", "7", "3", "10"]
    assert run("agreement", "use", "one-stop-parcels", "--json").json["limits"][0]["left"] == 3
    assert run("agreement", "use", "nix").code == 4
    for unreadable in ("perMinute", "perMinute=", "perMinute=many", "perMinute=-1"):
        refused = run(
            "agreement", "request", "other", "--service", SERVICE, "--purpose", "land",
            "--legal-ground", "Luật Đất đai", "--limit", unreadable, "--as", "one-stop",
        )  # fmt: skip
        assert refused.code == 2
        assert f"--limit {unreadable}" in refused.err
    assert run("agreement", "approve", "one-stop-parcels", "--json").json["status"] == "approved"
    assert run("agreement", "revoke", "one-stop-parcels").code == 2
    assert run("agreement", "revoke", "one-stop-parcels", "--reason", "hết hạn").code == 0
    assert gateway.manifests["Agreement", "one-stop-parcels"]["decisions"] == [{"reason": "hết hạn"}]
    assert run("agreement", "reject", "nix", "--legal-ground", "Điều 16").code == 4
    ambiguous = ("agreement", "request", "x", "--purpose", "p", "--legal-ground", "g")
    assert run(*ambiguous).code == 2
    assert run(*ambiguous, "--service", SERVICE).code == 2


def test_lists_are_narrowed_by_the_filters_of_their_kind(run: Run, gateway: SmallGateway) -> None:
    for name, status, spec in (
        ("a", "requested", {"consumer": "H11.01/one-stop", "service": SERVICE}),
        ("b", "approved", {"consumer": "H11.01/one-stop", "service": SERVICE}),
        ("c", "approved", {"consumer": "H11.02/tax", "service": SERVICE}),
        ("d", "approved", {"consumer": "H11.01/one-stop", "eventType": TYPE}),
    ):
        gateway.manifests["Agreement", name] = {"metadata": {"id": name}, "status": status, "spec": spec}
    for name in (SERVICE, "H11.05/tax/rates-v1", "H11.06/land/plans-v1"):
        gateway.manifests["Service", name] = {"metadata": {"id": name}, "spec": {}}

    def found(*words: str) -> list[str]:
        return [item["metadata"]["id"] for item in run("get", *words, "--json").json["items"]]

    assert found("agreements", "--status", "requested") == ["a"]
    assert found("agreements", "--consumer", "H11.01/one-stop", "--service", SERVICE) == ["a", "b"]
    assert found("agreements", "--event-type", TYPE) == ["d"]
    assert found("agreement", "--status", "approved", "--consumer", "H11.02/tax") == ["c"]
    assert found("services", "--agency", "H11.05") == [SERVICE, "H11.05/tax/rates-v1"]
    assert found("services", "--system", "H11.05/land") == [SERVICE]
    refused = run("get", "services", "--status", "approved")
    assert refused.code == 2
    assert "--agency, --system" in refused.err
    assert run("get", "agencies", "--agency", "H11.05").code == 2
    assert run("get", "agreement", "a", "--status", "requested").code == 2


@pytest.mark.parametrize("status", ["expired", "not-yet-valid"])
def test_an_agreement_that_is_not_in_force_shows_as_such(
    run: Run, gateway: SmallGateway, status: str
) -> None:
    for name, effective in (("a", status), ("b", "in-force")):
        gateway.manifests["Agreement", name] = {
            "metadata": {"id": name},
            "status": "approved",
            "effectiveStatus": effective,
            "spec": {"consumer": "H11.01/one-stop", "service": SERVICE},
        }
    rows = [line.split()[:2] for line in run("get", "agreements").out.splitlines()[1:]]
    assert rows == [["a", status], ["b", "approved"]]


def test_what_the_catalog_warns_of_is_told(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    gateway.warnings = [
        {"pointer": "/spec/validFrom", "detail": "not valid before May", "detail_vi": "chưa đến tháng Năm"}
    ]
    path = manifest(tmp_path, AGENCY)
    line = "! spec.validFrom: chưa đến tháng Năm  not valid before May"
    assert line in run("apply", "-f", path, "--dry-run").out
    assert run("apply", "-f", path, "--json").json["results"][0]["warnings"] == gateway.warnings
    gateway.manifests["Agreement", "a"] = {"metadata": {"id": "a"}, "status": "requested", "spec": {}}
    approved = run("agreement", "approve", "a")
    assert (approved.code, line in approved.out) == (0, True)
    assert run("agreement", "approve", "a", "--json").json["warnings"] == gateway.warnings


def test_systems_are_suspended_and_resumed(run: Run, gateway: SmallGateway) -> None:
    gateway.manifests["System", "H11.05/land"] = {"metadata": {"id": "H11.05/land"}, "spec": {}}
    assert run("system", "suspend", "H11.05/land", "--json").json["status"] == "suspended"
    assert run("system", "resume", "H11.05/land", "--json").json["status"] == "active"


def test_a_call_prints_the_body_and_tells_the_transaction_beside_it(run: Run, gateway: SmallGateway) -> None:
    said = run(
        "call", "get", f"{SERVICE}/parcels/1?x=1", "--as", "one-stop", "--purpose", "land", "--case", "HS-1",
        "--user", "canbo", "-H", "X-Own: yes",
    )  # fmt: skip
    assert said.code == 0
    assert json.loads(said.out)["said"]["purpose"] == "land"
    assert json.loads(said.out)["said"]["query"] == {"x": "1"}
    assert json.loads(said.out)["headers"]["lgsp-case-id"] == "HS-1"
    assert json.loads(said.out)["headers"]["x-own"] == "yes"
    assert "tx-0" in said.err
    assert gateway.calls[0]["client"] == "H11.01/one-stop"
    shown = run("call", "GET", f"{SERVICE}/parcels/1", "-i", "--as", "one-stop").out
    assert shown.startswith("HTTP 200\n")
    assert "lgsp-transaction-id: tx-1" in shown.lower()


def test_a_call_takes_a_path_or_a_url_of_the_gateway_and_no_others(run: Run, gateway: SmallGateway) -> None:
    for target in (f"/api/{SERVICE}/a", f"{gateway.address}/api/{SERVICE}/a"):
        assert run("call", "GET", target, "--as", "one-stop").code == 0
    other = run("call", "GET", f"http://127.0.0.1:9/api/{SERVICE}/a", "--as", "one-stop", "--json")
    assert (other.code, other.json["error"]["code"]) == (2, "not-the-gateway")
    assert run("call", "GET", "H11.05/land", "--as", "one-stop").code == 2
    assert len(gateway.calls) == 2


def test_a_call_sends_data_from_words_files_and_standard_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "body.json").write_text('{"a": 1}')
    ways = ((('{"a": 1}',), None), ((f"@{tmp_path}/body.json",), None), (("@-",), '{"a": 1}'))
    for data, stdin in ways:
        said = run("call", "POST", f"{SERVICE}/parcels", "-d", *data, "--as", "one-stop", stdin=stdin)
        sent = json.loads(said.out)["said"]
        assert (sent["body"], sent["type"]) == ('{"a": 1}', "application/json")
    plain = run(
        "call", "POST", f"{SERVICE}/x", "-d", "a=1", "-H", "Content-Type: text/plain", "--as", "one-stop"
    )
    assert json.loads(plain.out)["said"]["type"] == "text/plain"
    assert run("call", "POST", f"{SERVICE}/x", "-d", "@/nowhere", "--as", "one-stop").code == 2
    assert run("call", "POST", f"{SERVICE}/x", "-H", "nocolon", "--as", "one-stop").code == 2


def test_a_providers_no_is_told_apart_from_the_buss(run: Run) -> None:
    provider = run("call", "GET", f"{SERVICE}/absent", "--as", "one-stop")
    assert provider.code == 1
    assert "không có thửa này" in provider.out
    refused = run("call", "GET", f"{SERVICE}/forbidden", "--as", "one-stop")
    assert refused.code == 4
    assert refused.out == ""
    assert "Chưa có thoả thuận" in refused.err
    assert "lienthong agreement request" in refused.err
    assert "tx-1" in refused.err
    as_json = run("call", "GET", f"{SERVICE}/forbidden", "--as", "one-stop", "--json").json["error"]
    assert (as_json["code"], as_json["status"], as_json["transaction_id"]) == ("no-agreement", 403, "tx-2")


def test_bytes_come_out_as_they_are(run: Run, home: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lienthong.client",
        "call",
        "GET",
        f"{SERVICE}/picture",
        "--as",
        "one-stop",
    ]
    done = subprocess.run(
        command, capture_output=True, check=True, env=os.environ | {"LIENTHONG_HOME": str(home)}
    )
    assert done.stdout == bytes(range(256))
    assert b"tx-0" in done.stderr
    document = run("call", "GET", f"{SERVICE}/picture", "--as", "one-stop", "--json").json
    assert document["body_base64"].startswith("AAEC")


def test_a_token_is_all_that_is_printed(run: Run) -> None:
    assert run("token", "--as", "one-stop").out == "token-of-H11.01/one-stop\n"
    document = run("token", "--as", "one-stop", "--json").json
    assert (document["token_type"], document["expires_in"], document["claims"]) == ("Bearer", 300, None)


def test_events_go_out_and_come_in_and_are_acknowledged_after_printing(
    run: Run, gateway: SmallGateway
) -> None:
    sent = run("events", "publish", TYPE, "-d", '{"parcel": 1}', "--id", "e1", "--as", "one-stop", "--json")
    assert sent.json == {"id": "e1", "sequence": 1, "duplicate": False}
    twice = run("events", "publish", TYPE, "-d", '{"parcel": 1}', "--id", "e1", "--as", "one-stop")
    assert "duplicate" in twice.out
    assert gateway.events[0]["source"] == "/H11.01/one-stop"
    assert gateway.events[0]["type"] == TYPE
    assert run("events", "publish", TYPE, "-d", "{", "--as", "one-stop").code == 2

    subscribed = run(
        "events", "subscribe", "moves", "--type", TYPE, "--start", "all", "--as", "one-stop", "--json"
    )
    assert subscribed.json == {"name": "moves", "event_type": TYPE, "start": "all", "ordered": True}
    assert "moves" in run("events", "list", "--as", "one-stop").out

    peeked = run("events", "pull", "moves", "--no-ack", "--as", "one-stop", "--json").json
    assert [item["event"]["data"] for item in peeked["events"]] == [{"parcel": 1}]
    assert gateway.acknowledged == set()
    assert '"parcel": 1' in run("events", "pull", "moves", "--as", "one-stop").out
    assert gateway.acknowledged == {"e1"}
    empty = run("events", "pull", "moves", "--as", "one-stop")
    assert (empty.code, empty.out) == (0, "")
    assert run("events", "unsubscribe", "moves", "--as", "one-stop", "--json").json["removed"] is True


def test_a_kind_of_record_that_there_is_not_is_told_the_kinds(run: Run) -> None:
    said = run("audit", "search", "--kind", "calls")
    assert said.code == 2
    assert "call, opening, continuing, intent, refused-sample, admin" in said.err


def test_the_trail_is_searched_shown_and_proved(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    for _ in range(3):
        run("call", "GET", f"{SERVICE}/parcels/1", "--as", "one-stop")
    found = run(
        "audit", "search", "--client", "H11.01/one-stop", "--from", "1h", "--limit", "2", "--json"
    ).json
    assert [item["index"] for item in found["items"]] == [0, 1]
    assert "tx-1" in run("audit", "search", "--tx", "tx-1").out

    key = tmp_path / "vkey"
    key.write_text(gateway.log.vkey)
    shown = run("audit", "show", "tx-1", "--key", key, "--json").json
    assert (shown["receipt"]["verified"], shown["receipt"]["index"], shown["receipt"]["size"]) == (True, 1, 3)
    assert shown["receipt"]["record"] == shown["entries"][0]["record"]

    gateway.not_yet = 2
    receipt = tmp_path / "receipt.txt"
    assert run("audit", "receipt", "tx-2", "-o", receipt).code == 0
    verified = run("audit", "verify", receipt, "--key", gateway.log.vkey, env={"LIENTHONG_GATEWAY": ""})
    assert verified.code == 0
    assert '"tx": "tx-2"' in verified.out
    assert gateway.log.key.name in verified.out

    receipt.write_text(receipt.read_text().replace("index 2", "index 1"))
    forged = run("audit", "verify", receipt, "--key", key, "--json")
    assert (forged.code, forged.json["error"]["code"]) == (1, "verification-failed")


def test_use_is_shown_by_what_was_asked_for_with_the_rest_and_what_is_not_counted_yet(run: Run) -> None:
    shown = run("usage", "--as", "one-stop", "--by", "consumer-agency, error", "--status", "4")
    assert shown.code == 0
    assert "one" in shown.out
    assert "3 others" in shown.out
    assert "12 calls" in shown.err
    assert "2 records of the ledger are not counted yet" in shown.err
    found = run("usage", "--as", "one-stop", "--by", "error", "--service", SERVICE, "--json").json
    asked = found["asked"]
    assert (asked["by"], asked["service"], asked["limit"]) == ("error", SERVICE, "50")
    wrong = run("usage", "--by", "person")
    assert wrong.code == 2
    assert "consumer_agency" in wrong.err


def test_the_trail_is_searched_for_a_person(run: Run, gateway: SmallGateway) -> None:
    hashed = f"hmac-sha256:{hashlib.sha256(b'079203001234').hexdigest()}"
    call = {"v": 1, "kind": "call", "client": "H11.01/one-stop"}
    for tx, persons in (("tx-one", [hashed]), ("tx-other", [])):
        gateway.log.append(json.dumps({**call, "tx": tx, "persons": persons}).encode())
    found = run("audit", "search", "--person", "079203001234", "--json").json
    assert [item["record"]["tx"] for item in found["items"]] == ["tx-one"]
    from_input = run("audit", "search", "--person", "-", "--json", stdin="079203001234\n").json
    assert from_input == found


def test_an_endless_answer_is_shown_as_one_call(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    key = tmp_path / "vkey"
    key.write_text(gateway.log.vkey)
    call = {"v": 1, "tx": "tx-long", "client": "H11.01/one-stop", "opened": "2026-11-23T06:30:00.1Z"}
    for kind, at in (("opening", "06:30:00"), ("continuing", "06:35:00")):
        record = {**call, "kind": kind, "at": f"2026-11-23T{at}Z"}
        gateway.log.append(json.dumps(record).encode())
    running = run("audit", "show", "tx-long", "--key", key)
    assert (running.code, running.out.count('"kind"')) == (0, 2)
    assert "whose end is not in the ledger" in running.err
    assert "newest record is of 2026-11-23T06:35:00Z" in running.err
    gateway.log.append(json.dumps({**call, "kind": "call", "at": "2026-11-23T06:36:00Z"}).encode())
    ended = run("audit", "show", "tx-long", "--key", key)
    assert "began at 2026-11-23T06:30:00.1Z and ended at 2026-11-23T06:36:00Z" in ended.err
    assert run("audit", "search", "--unfinished", "--json").code == 0


def test_verifying_needs_a_key_from_somewhere(
    run: Run, tmp_path: Path, home: Path, gateway: SmallGateway
) -> None:
    gateway.log.append(b'{"tx": "a", "client": "b"}')
    receipt = manifest(tmp_path, gateway.log.receipt(0), "receipt")
    assert run("audit", "verify", receipt).code == 2
    assert run("audit", "verify", receipt, "--key", tmp_path / "nowhere").code == 2
    (home / "ledger").mkdir()
    (home / "ledger/ledger.vkey").write_text(gateway.log.vkey + "\n")
    assert run("audit", "verify", receipt).code == 0
    assert run("audit", "verify", "-", stdin=gateway.log.receipt(0)).code == 0
    bare = manifest(tmp_path, gateway.log.receipt(0, with_entry=False), "bare")
    record = manifest(tmp_path, '{"tx": "a", "client": "b"}', "record")
    assert run("audit", "verify", bare).code == 1
    assert run("audit", "verify", bare, "--entry", record).code == 0


def test_a_receipt_that_never_comes_is_an_answer_and_no_hang(run: Run) -> None:
    said = run("audit", "receipt", "tx-unknown", "--wait", "0", "--json")
    assert (said.code, said.json["error"]["code"]) == (4, "not-yet-recorded")


def test_fsck_names_the_changed_entry(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    for number in range(600):
        gateway.log.append(json.dumps({"tx": f"tx-{number}", "client": "x"}).encode())
    saved = tmp_path / "checkpoint"
    sound = run("audit", "fsck", "--key", gateway.log.vkey, "--save", saved, "--json")
    assert (sound.code, sound.json["sound"], sound.json["size"], sound.json["findings"]) == (0, True, 600, [])
    gateway.log.append(b'{"tx": "later"}')
    assert run("audit", "fsck", "--key", gateway.log.vkey, "--since", saved).code == 0

    gateway.log.entries[300] = gateway.log.entries[300].replace(b"x", b"y")
    broken = run("audit", "fsck", "--key", gateway.log.vkey)
    assert broken.code == 1
    assert "entry 300" in broken.out
    as_json = run("audit", "fsck", "--key", gateway.log.vkey, "--json").json
    assert [(finding["place"], finding["problem"]) for finding in as_json["findings"]] == [
        ("entry 300", "changed")
    ]


@pytest.mark.parametrize(
    ("column", "stored", "expected", "vietnamese"),
    [
        ("status", "201", "200", "cột tìm kiếm status của bản ghi 3 là «201», bản ghi nói «200»"),
        ("tx", None, "tx-3", "cột tìm kiếm tx của bản ghi 3 là trống, bản ghi nói «tx-3»"),
        ("row", None, "a record", "dòng của bản ghi 3 đã mất"),
        ("row", "cannot be read: x", "a record", "dòng của bản ghi 3 không đọc được"),
        ("lookup of tx", None, "tx-3", "chỉ mục của cơ sở dữ liệu bị hỏng"),
    ],
)
def test_fsck_says_where_a_search_would_lie(
    run: Run, gateway: SmallGateway, column: str, stored: str | None, expected: str, vietnamese: str
) -> None:
    for number in range(5):
        gateway.log.append(json.dumps({"tx": f"tx-{number}", "client": "x"}).encode())
    gateway.index_differences = [{"index": 3, "column": column, "stored": stored, "expected": expected}]
    said = run("audit", "fsck", "--key", gateway.log.vkey, "--json")
    assert said.code == 1
    (finding,) = said.json["findings"]
    assert (finding["place"], finding["problem"]) == ("entry 3", "index")
    assert vietnamese in finding["detail_vi"]
    assert "record 3" in finding["detail"]


@pytest.mark.parametrize(
    ("state", "sound", "words"),
    [
        ("agrees", True, "message 7 of the one created 2026-11-23"),
        ("aged-out", True, "does not keep message 7"),
        ("unknown", True, "cannot reach the journal"),
        ("shorter", False, "the journal ends at message 9, and the ledger has it up to 7"),
        ("other-message", False, "message 7 of the journal is not the one"),
        ("not-integrated", False, "message 7 of the journal counts as integrated"),
        ("replaced", False, "up to message 7"),
    ],
)
def test_fsck_says_whether_the_place_in_the_journal_agrees(
    run: Run, gateway: SmallGateway, state: str, sound: bool, words: str
) -> None:
    gateway.log.append(b'{"tx": "a", "client": "b"}')
    gateway.journal_place["state"] = state
    said = run("audit", "fsck", "--key", gateway.log.vkey, env={"LIENTHONG_LANG": "en"})
    assert said.code == (0 if sound else 1)
    assert words in " ".join((said.out + said.err).split())


def test_a_history_rewritten_and_signed_again_does_not_pass_an_earlier_checkpoint(
    run: Run, tmp_path: Path, home: Path, gateway: SmallGateway
) -> None:
    entries = [json.dumps({"tx": f"tx-{number}", "client": "x"}).encode() for number in range(300)]
    for entry in entries:
        gateway.log.append(entry)
    saved = tmp_path / "checkpoint"
    assert run("audit", "fsck", "--key", gateway.log.vkey, "--save", saved).code == 0
    grown = gateway.log
    gateway.log = type(gateway.log)(entries[:250])
    shorter = run("audit", "fsck", "--key", gateway.log.vkey, "--since", saved)
    assert (shorter.code, grown.vkey) == (1, gateway.log.vkey)
    assert "shorter" in shorter.err
    gateway.log = type(gateway.log)([*entries[:7], b'{"tx": "forged"}', *entries[8:]])
    shutil.rmtree(home / "checkpoints")
    assert run("audit", "fsck", "--key", gateway.log.vkey).code == 0
    assert run("audit", "fsck", "--key", gateway.log.vkey, "--since", saved).code == 1


def test_a_ledger_that_went_back_in_time_is_refused_until_somebody_accepts_it(
    run: Run, gateway: SmallGateway
) -> None:
    call = {"kind": "call", "client": "x"}
    entries = [json.dumps({"tx": f"tx-{number}", **call}).encode() for number in range(300)]
    gateway.log = type(gateway.log)(entries)
    key = ("--key", gateway.log.vkey)
    first = {check["name"]: check for check in run("doctor", *key, "--json").json["checks"]}["checkpoint"]
    assert (first["state"], "seen for the first time" in first["detail"]) == ("ok", True)

    gateway.log = type(gateway.log)([*entries[:250], *(b'{"tx": "another"}' for _ in range(60))])
    sick = {check["name"]: check for check in run("doctor", *key, "--json").json["checks"]}["checkpoint"]
    assert (sick["state"], "forked" in sick["detail"]) == ("fail", True)
    forked = run("audit", "fsck", *key, "--json")
    assert (forked.code, forked.json["error"]["code"]) == (1, "ledger-forked")
    assert ".refused" in forked.json["error"]["advice_vi"]
    receipt = run("audit", "show", "tx-3", *key)
    assert (receipt.code, "rẽ nhánh" in receipt.err) == (1, True)

    assert run("audit", "accept", *key, "--reason", " ").code == 2
    accepted = run("audit", "accept", *key, "--reason", "phục hồi theo biên bản", "--json").json
    assert json.loads(Path(accepted["record"]).read_text("utf-8"))["reason"] == "phục hồi theo biên bản"
    assert run("audit", "fsck", *key).code == 0
    again = run("audit", "accept", *key, "--reason", "lần nữa", "--json").json
    assert again == {"accepted": False, "record": None}


def test_a_receipt_of_another_history_does_not_pass_the_kept_checkpoint(
    run: Run, tmp_path: Path, gateway: SmallGateway
) -> None:
    entries = [json.dumps({"tx": f"tx-{number}", "client": "x"}).encode() for number in range(300)]
    gateway.log = type(gateway.log)(entries)
    path = tmp_path / "receipt"
    path.write_text(gateway.log.receipt(7), encoding="utf-8")
    verified = run("audit", "verify", path, "--key", gateway.log.vkey, "--json").json
    assert verified["kept_checkpoint"]["state"] == "first"
    forged = type(gateway.log)([*entries[:299], b'{"tx": "forged"}'])
    path.write_text(forged.receipt(7), encoding="utf-8")
    said = run("audit", "verify", path, "--key", gateway.log.vkey)
    assert (said.code, "forked" in said.err) == (1, True)


def test_a_receipt_of_a_fork_does_not_pass_beside_an_honest_checkpoint(
    run: Run, gateway: SmallGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [
        json.dumps({"tx": f"tx-{number}", "kind": "call", "client": "x"}).encode() for number in range(300)
    ]
    gateway.log = type(gateway.log)(entries)
    key = ("--key", gateway.log.vkey)
    assert run("audit", "show", "tx-7", *key).code == 0
    forged = type(gateway.log)([*entries[:270], b'{"tx": "forged"}'])
    monkeypatch.setattr(gateway.log, "receipt", forged.receipt)
    said = run("audit", "show", "tx-7", *key, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "ledger-forked")
    assert ".refused" in said.json["error"]["advice"]


def test_another_key_from_the_server_is_refused_until_somebody_accepts_it(
    run: Run, gateway: SmallGateway
) -> None:
    entries = [
        json.dumps({"tx": f"tx-{number}", "kind": "call", "client": "x"}).encode() for number in range(30)
    ]
    gateway.log = type(gateway.log)(entries)
    assert run("audit", "fsck").code == 0
    before = gateway.log.vkey
    gateway.log = type(gateway.log)(entries[:20], seed=bytes([7]) * 32)
    said = run("audit", "fsck", "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "ledger-key-changed")
    assert "--key" in said.json["error"]["advice"]
    assert gateway.log.vkey in said.json["error"]["detail"]
    accepted = run("audit", "accept", "--reason", "đổi khoá", "--json").json
    record = json.loads(Path(accepted["record"]).read_text("utf-8"))
    assert [text.partition("\n")[0] for text in record["under_other_keys"]] == [before]
    assert run("audit", "fsck").code == 0


def test_the_servers_own_key_is_used_with_a_warning(run: Run, gateway: SmallGateway) -> None:
    gateway.log.append(b'{"tx": "a", "client": "b"}')
    said = run("audit", "fsck")
    assert said.code == 0
    assert "the key came from the server itself" in said.err


def test_the_doctor_says_what_works(
    run: Run, home: Path, gateway: SmallGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No process of a platform has its health port there.
    monkeypatch.setenv("LIENTHONG_PORT_OFFSET", str(take_free_offset()))
    states = {check["name"]: check["state"] for check in run("doctor", "--json").json["checks"]}
    assert states == {
        "versions": "ok",
        "credentials": "ok",
        "gateway": "ok",
        "metadata": "ok",
        "clock": "ok",
        "routes-and-keys": "ok",
        "token": "ok",
        "checkpoint": "warn",
    }
    (home / "operator/key.jwk").chmod(0o644)
    del gateway.keys["operator"]
    sick = run("doctor")
    assert sick.code == 1
    assert "chmod 600" in sick.out
    assert "✗ Mã truy cập" in sick.out
    for state, age, expected in (("degraded", 9.5, "warn"), ("failed", None, "fail")):
        gateway.follows["routes"] = {"state": state, "age_s": age}
        found = {check["name"]: check for check in run("doctor", "--json").json["checks"]}
        assert found["routes-and-keys"]["state"] == expected
        assert "lienthong status" in found["routes-and-keys"]["advice"]
    away = run("doctor", "--gateway", "http://127.0.0.1:9")
    assert away.code == 3
    assert "✗ Cổng" in away.out
    gateway.garbage = True
    garbage = run("doctor", "--json")
    assert not garbage.json["healthy"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("call", "GET", f"{SERVICE}/x", "--as", "one-stop", "--gateway", "http://127.0.0.1:9"), 3),
        (("get", "agencies", "--gateway", "http://127.0.0.1:9"), 3),
        (("call", "GET", f"{SERVICE}/x"), 2),
        (("call", "GET", f"{SERVICE}/x", "--as", "nobody"), 2),
        (("token", "--as", "one-stop", "--gateway", "gateway"), 2),
        (("call",), 2),
        (("nonsense",), 2),
    ],
)
def test_every_failure_is_json_when_asked_with_its_exit_code(
    run: Run, words: tuple[str, ...], code: int
) -> None:
    said = run(*words)
    assert said.code == code
    assert said.out == ""
    assert "→" in said.err
    as_json = run(*words, "--json")
    assert as_json.code == code
    assert {"code", "title", "title_vi"} <= set(as_json.json["error"])


def test_no_command_shows_a_secret(run: Run, home: Path, gateway: SmallGateway) -> None:
    secret = json.loads((home / "demo/one-stop/key.jwk").read_text())["d"]
    gateway.garbage = True
    for words in (("call", "GET", f"{SERVICE}/x"), ("token",), ("doctor",), ("events", "list")):
        said = run(*words, "--as", "one-stop")
        assert said.code != 0
        assert secret not in said.out + said.err


def openssl(folder: Path, *words: str) -> Path:
    """Make a file with openssl, as a department's security officer does."""
    path = folder / words[-1]
    subprocess.run(["openssl", *words[:-1], "-out", path], check=True, capture_output=True, cwd=folder)
    return path


def test_a_key_that_exists_is_imported_and_used(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    key = openssl(tmp_path, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "key.pem")
    command = ("keys", "import", key, "--client-id", "H11.77/hello", "--gateway", gateway.address, "--json")
    done = run(*command, "--dir", tmp_path / "keys")
    assert (done.code, done.json["alg"], done.json["issuer"]) == (0, "ES256", gateway.address)
    assert (tmp_path / "keys/key.jwk").stat().st_mode & 0o777 == 0o600
    gateway.keys["H11.77/hello"] = json.loads((tmp_path / "keys/public.jwks").read_text())
    assert run("token", "--as", tmp_path / "keys").out == "token-of-H11.77/hello\n"
    again = run(*command, "--dir", tmp_path / "keys")
    assert (again.code, again.json["error"]["code"]) == (2, "keys-exist")
    wrong = run("keys", "import", key, "--client-id", "hello", "--dir", tmp_path / "other")
    assert (wrong.code, (tmp_path / "other").exists()) == (2, False)


def test_a_key_may_have_an_end_which_is_shown(run: Run, tmp_path: Path, gateway: SmallGateway) -> None:
    made = ("keys", "new", "--client-id", "H11.77/hello", "--dir")
    assert run(*made, tmp_path / "a", "--until", "2020-01-01").code == 2
    assert run(*made, tmp_path / "a", "--until", "9000-01-31T00:00:00Z").code == 0
    [jwk] = json.loads((tmp_path / "a/public.jwks").read_text())["keys"]
    assert jwk["exp"] == 221_847_984_000
    assert json.loads((tmp_path / "a/key.jwk").read_text())["exp"] == jwk["exp"]
    land = {"metadata": {"id": "H11.77/hello"}, "spec": {"jwks": {"keys": [jwk]}}}
    gateway.manifests["System", "H11.77/hello"] = land
    listed = run("keys", "list", "H11.77/hello", "--gateway", gateway.address, "--json")
    assert [one["not_after"] for one in listed.json["items"]] == ["9000-01-31T00:00:00Z"]
    soon = run("keys", "list", "--ending", "30", "--gateway", gateway.address, "--json")
    assert (soon.code, soon.json["items"]) == (0, [])


@pytest.mark.parametrize("form", ["PKCS #8", "older"])
def test_the_passphrase_of_a_key_is_asked_for_or_read(run: Run, tmp_path: Path, form: str) -> None:
    plain = openssl(tmp_path, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "plain.pem")
    words = ["pkcs8", "-topk8"] if form == "PKCS #8" else ["rsa", "-aes256", "-traditional"]
    key = openssl(tmp_path, *words, "-in", str(plain), "-passout", "pass:mat-khau", "key.pem")
    secret = tmp_path / "secret"
    secret.write_text("mat-khau\n")
    command = ("keys", "import", key, "--client-id", "H11.77/hello")
    asked = run(*command, "--dir", tmp_path / "a", stdin="mat-khau\n")
    assert asked.code == 0
    assert "passphrase" in asked.err
    assert "mat-khau" not in asked.out + asked.err
    assert (
        f"→ If it is registered already, as in the console: lienthong token --as {tmp_path / 'a'}"
        in asked.err
    )
    assert "→ If not: register the system with" in asked.err
    read = run(*command, "--dir", tmp_path / "b", "--passphrase-file", secret, "--json")
    assert (read.code, read.json["alg"]) == (0, "PS256")
    assert (tmp_path / "a/key.jwk").read_bytes() == (tmp_path / "b/key.jwk").read_bytes()
    wrong = run(*command, "--dir", tmp_path / "c", "--json", stdin="no\n")
    assert (wrong.code, (tmp_path / "c").exists()) == (2, False)
    assert '"code": "bad-passphrase"' in wrong.out


def test_a_certificate_gives_what_is_registered_and_no_private_key(run: Run, tmp_path: Path) -> None:
    key = openssl(tmp_path, "genpkey", "-algorithm", "ed25519", "key.pem")
    days = ("-days", "30", "-subj", "/CN=So Thu nghiem")
    certificate = openssl(tmp_path, "req", "-x509", "-new", "-key", str(key), *days, "cert.pem")
    command = ("keys", "import", "--client-id", "H11.77/hello", "--dir")
    alone = run(*command, tmp_path / "a", certificate)
    assert alone.code == 0
    assert "the certificate ends on" in alone.err
    assert "→ Next: register the system with" in alone.err
    assert "lienthong token" not in alone.err
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["client.json", "public.jwks"]
    both = run(*command, tmp_path / "b", certificate, key, "--json")
    assert sorted(both.json["files"]) == ["client", "key", "public"]
    assert (tmp_path / "a/public.jwks").read_bytes() == (tmp_path / "b/public.jwks").read_bytes()
    assert run("token", "--as", tmp_path / "a").code == 2
