"""What `make run` shows is true: six databases, a refusal and an event, each repeatable and proved."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import jwt
import pytest

from binh_thuan.owners import AGREEMENT
from lienthong.client import operations
from lienthong.client.verification import read_key, verify
from lienthong.console.finding.samples import PURPOSE, request_of, samples
from lienthong.edge import sha256
from tests.e2e.province import LIENTHONG, run
from tests.support.databases import skip_or_fail
from tests.support.http3 import call_http3
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.e2e.province import Province

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MANIFESTS = Path(__file__).resolve().parents[2] / "examples" / "binh-thuan" / "manifests"

SERVICES = {
    "H11.02/procedures/procedures-v1",
    "H11.03/officials/officials-v1",
    "H11.04/civil-status/civil-status-v1",
    "H11.05/land/parcels-v1",
    "H11.05/land/registry-v1",
    "H11.06/planning/planning-v1",
    "G01/population/population-v1",
    "G01/population/population-ndxp-v1",
    "G01/population/population-x-road-v1",
}


def service_of(call: dict[str, Any]) -> str:
    return "/".join(httpx.URL(call["url"]).path.split("/")[2:5])


def token(folder: Path, edge: str | None = None, trust: ssl.SSLContext | bool = True) -> str:
    """Get a token with nothing of ours: PyJWT, httpx and the two files that a system holds.

    From the edge, if `edge` is its address.
    """
    client = json.loads((folder / "client.json").read_text())
    key = json.loads((folder / "key.jwk").read_text())
    now = int(time.time())
    claims = {
        "iss": client["client_id"],
        "sub": client["client_id"],
        "aud": client["issuer"],
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
    }
    assertion = jwt.encode(
        claims, jwt.PyJWK(key).key, algorithm=key["alg"], headers={"kid": key["kid"], "typ": "JWT"}
    )
    answer = httpx.post(
        client["token_endpoint"] if edge is None else f"{edge}/oauth2/token",
        verify=trust,
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        },
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def authority(province: Province) -> ssl.SSLContext:
    """Trust in whoever signed for the edge."""
    return ssl.create_default_context(cafile=str(province.home / "edge" / "authority" / "ca.crt"))


def certified(call: dict[str, Any]) -> ssl.SSLContext | bool:
    """Of a call through the edge: whom it trusts, and the certificate that it shows."""
    if "authority_file" not in call:
        return True
    trust = ssl.create_default_context(cafile=call["authority_file"])
    trust.load_cert_chain(call["certificate_file"], call["key_file"])
    return trust


def test_one_call_went_through_the_edge_and_its_record_names_the_certificate(province: Province) -> None:
    (call,) = [one for one in province.calls if "certificate_file" in one]
    assert call["url"].startswith(province.addresses["edge"])
    with province.client("auditor") as auditor:
        (entry,) = auditor.entries({"tx": call["transaction_id"]})
    assert entry["record"]["certificate"] == sha256(Path(call["certificate_file"]))
    assert entry["record"]["client"] == "H11.01/one-stop"


def test_a_token_that_was_asked_for_with_a_certificate_is_good_with_it_alone(province: Province) -> None:
    (call,) = [one for one in province.calls if "certificate_file" in one]
    edge, trust = province.addresses["edge"], certified(call)
    bound = token(province.home / "demo" / call["system"], edge, trust)

    def answered(address: str, verify: ssl.SSLContext | bool) -> tuple[int, str | None]:
        headers = call["headers"] | {"Authorization": f"Bearer {bound}"}
        url = call["url"].replace(edge, address)
        answer = httpx.request(call["method"], url, headers=headers, verify=verify, timeout=30)
        return answer.status_code, answer.headers.get("LGSP-Error")

    assert answered(edge, trust) == (200, None)
    assert answered(edge, authority(province)) == (401, "certificate-mismatch")
    assert answered(province.gateway, True) == (401, "certificate-mismatch")
    metadata = httpx.get(f"{edge}/.well-known/oauth-authorization-server", verify=trust).json()
    assert metadata["mtls_endpoint_aliases"] == {
        f"{name}_endpoint": f"{edge}/oauth2/{path}"
        for name, path in {
            "token": "token", "pushed_authorization_request": "par", "userinfo": "userinfo",
            "introspection": "introspect", "revocation": "revoke",
        }.items()
    }  # fmt: skip


def test_a_bound_token_is_good_over_http_3_as_over_tcp(province: Province) -> None:
    (call,) = [one for one in province.calls if "certificate_file" in one]
    bound = token(province.home / "demo" / call["system"], province.addresses["edge"], certified(call))
    own = Path(call["certificate_file"]), Path(call["key_file"])

    def answered(shown: tuple[Path, Path] | None) -> tuple[int, str | None]:
        fields = {name.lower(): value for name, value in call["headers"].items()}
        fields["authorization"] = f"Bearer {bound}"
        answer = call_http3(
            call["url"], authority=Path(call["authority_file"]), shown=shown, fields=fields.items()
        )
        return answer.status, answer.fields.get("lgsp-error")

    assert answered(own) == (200, None)
    assert answered(None) == (401, "certificate-mismatch")


def test_a_registered_certificate_takes_the_assertions_place(province: Province) -> None:
    (call,) = [one for one in province.calls if "certificate_file" in one]
    digest = sha256(Path(call["certificate_file"]))
    with province.client("operator") as operator:

        def system() -> Any:  # noqa: ANN401 - a manifest
            found = operator.manifests("systems")
            return next(one for one in found if one["metadata"]["id"] == call["client_id"])

        manifest = system()
        operator.apply([{**manifest, "spec": {**manifest["spec"], "certificates": [digest.upper()]}}])
        try:
            assert system()["spec"]["certificates"] == [digest]
            form = {"grant_type": "client_credentials", "client_id": call["client_id"]}
            deadline = time.monotonic() + 60
            while True:
                answer = httpx.post(
                    f"{province.addresses['edge']}/oauth2/token",
                    data=form,
                    verify=certified(call),
                    timeout=30,
                )
                if answer.status_code == 200 or time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            assert answer.status_code == 200, answer.text
            assert answer.headers["LGSP-Transaction-Id"]
            without = httpx.post(f"{province.gateway}/oauth2/token", data=form, timeout=30)
            assert (without.status_code, without.json()["error"]) == (401, "invalid_client")
        finally:
            # As it was, whatever has become of it since: no version is stated.
            operator.apply([{**manifest, "metadata": {"id": call["client_id"]}}])


def test_both_sides_find_a_call_and_its_number_with_their_own_keys(province: Province) -> None:
    (call,) = [one for one in province.calls if "X-Road-Client" in one["headers"]]
    asked = ("usage", "--by", "consumer,service", "--consumer", "H11.36.01/portal", "--json", "--as")
    service = "H11.03/officials/officials-v1"
    for folder in ("portal", "officials"):
        with province.client(folder) as side:
            (entry,) = side.entries({"tx": call["transaction_id"]})
        assert entry["record"]["service"] == service

        def counted(folder: str = folder) -> bool:
            found = json.loads(province.command(*asked, folder).stdout)
            return service in [group["service"] for group in found["groups"]]

        wait_until(counted)
    with province.client("one-stop") as stranger:
        assert list(stranger.entries({"tx": call["transaction_id"]})) == []


def test_one_call_came_as_x_roads_clients_call_and_is_recorded_like_the_others(province: Province) -> None:
    (call,) = [one for one in province.calls if "X-Road-Client" in one["headers"]]
    assert "/r1/VN-BTN/GOV/H11.03/officials/officials-v1/" in call["url"]
    with province.client("auditor") as auditor:
        (entry,) = auditor.entries({"tx": call["transaction_id"]})
    record = entry["record"]
    assert (record["client"], record["service"]) == ("H11.36.01/portal", "H11.03/officials/officials-v1")
    assert (record["door"], record["case"], record["purpose"]) == (
        "xroad",
        call["headers"]["X-Road-Issue"],
        "DANH-BA.CONG-VU",
    )
    answer = httpx.get(call["url"], headers=call["headers"], timeout=30)
    assert answer.json()["total"] > 0
    assert answer.headers["X-Road-Client"] == call["headers"]["X-Road-Client"]
    asked = {**call["headers"], "Accept": "application/json"}
    land = f"{province.gateway}/r1/VN-BTN/GOV/H11.03/officials"
    allowed = httpx.get(f"{land}/allowedMethods", headers=asked, timeout=30).json()["service"]
    assert [one["service_code"] for one in allowed] == ["officials-v1"]
    document = httpx.get(f"{land}/getOpenAPI?serviceCode=officials-v1", headers=asked, timeout=30).json()
    assert document["servers"] == [{"url": "/r1/VN-BTN/GOV/H11.03/officials/officials-v1"}]
    clients = httpx.get(f"{province.gateway}/listClients", headers=asked, timeout=30).json()["member"]
    assert "Sở Nội vụ" in {one["name"] for one in clients}


def test_the_last_line_says_where_everything_is(province: Province) -> None:
    assert list(province.addresses) == [
        "gateway", "ledger", "catalog", "identity", "exchange", "people", "console", "edge",
    ]  # fmt: skip
    assert province.gateway == f"http://127.0.0.1:{8080 + province.offset}"
    for address in province.addresses.values():
        # A base address of a process: whatever it answers at its root, it speaks HTTP.
        assert httpx.get(address, verify=authority(province)).status_code < 500


def links_of_roles(province: Province) -> dict[str, str]:
    """The link of each role's person, from the file that the run writes."""
    lines = (province.home / "demo" / "people").read_text("utf-8").splitlines()
    return {role: link for role, _agency, _login, link in (line.split("\t") for line in lines)}


def test_a_person_of_each_role_is_given_a_link_of_the_same_kind(province: Province) -> None:
    links = links_of_roles(province)
    roles = {"agency-administrator", "developer", "data-owner", "security-officer", "auditor"}
    assert links.keys() == roles
    assert len(set(links.values())) == len(roles)
    printed = {line.strip() for line in province.output}
    page = f"{province.addresses['people']}/invitation"
    assert all(link in printed and link.partition("#")[0] == page for link in links.values())
    assert (province.home / "demo" / "people").stat().st_mode & 0o077 == 0


def test_the_first_administrator_is_given_a_link_to_a_page(province: Province) -> None:
    links = [line.strip() for line in province.output if "/invitation#" in line]
    (link,) = [link for link in links if link not in links_of_roles(province).values()]
    address, _, secret = link.partition("#")
    assert address == f"{province.addresses['people']}/invitation"
    assert len(secret) == 43
    assert "Liên thông" in httpx.get(address).text


def test_each_of_the_six_databases_answered_through_the_gateway(province: Province) -> None:
    answered = {
        service_of(call) for call in province.calls if call["status"] == 200 and "/api/" in call["url"]
    }
    assert answered == SERVICES


def test_the_national_core_was_shown_what_it_asks_for_at_each_of_its_doors(province: Province) -> None:
    core = f"http://127.0.0.1:{8301 + province.offset}"
    for door in ("", "/ndxp", "/r1/VN/GOV/G01/population/citizens"):
        answer = httpx.get(f"{core}{door}/persons/060086999835")
        assert answer.status_code in (401, 500), door
    kept = {file.read_text().strip() for file in (province.home / "gateway" / "secrets").glob("*.*secret*")}
    assert len(kept) == 2
    for log in (province.home / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not any(secret in text for secret in kept), log.name


def test_every_call_has_a_transaction_id_of_its_own(province: Province) -> None:
    ids = [call["transaction_id"] for call in province.calls]
    assert all(UUID7.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


def test_no_token_and_no_key_stands_in_calls_json(province: Province) -> None:
    text = (province.home / "demo" / "calls.json").read_text()
    assert "eyJ" not in text
    assert "authorization" not in text.lower()


def test_a_script_of_anyones_repeats_every_call(province: Province) -> None:
    tokens = {
        name: token(province.home / "demo" / name) for name in {call["system"] for call in province.calls}
    }
    for call in province.calls:
        answer = httpx.request(
            call["method"],
            call["url"],
            headers=call["headers"] | {"Authorization": f"Bearer {tokens[call['system']]}"},
            content=json.dumps(call["body"]) if "body" in call else call.get("text"),
            verify=certified(call),
            timeout=30,
        )
        assert answer.status_code == call["status"], (call["title"], answer.text)
        assert answer.headers.get("LGSP-Error") == call.get("error")
        assert answer.headers["LGSP-Transaction-Id"] not in {one["transaction_id"] for one in province.calls}


def test_the_company_was_refused_and_the_refusal_stands_in_the_ledger(province: Province) -> None:
    (refused,) = [call for call in province.calls if call["status"] == 403]
    assert (refused["system"], refused["status"], refused["error"]) == ("customer-app", 403, "no-agreement")
    with province.client("auditor") as auditor:
        (entry,) = auditor.entries({"tx": refused["transaction_id"]})
    record = entry["record"]
    assert (record["client"], record["status"], record["error"]) == (
        "3400123456/customer-app", 403, "no-agreement",
    )  # fmt: skip
    assert record["service"] == "H11.04/civil-status/civil-status-v1"
    assert "forwarded" not in record


def test_a_call_beyond_the_days_limit_was_refused_and_its_receipt_names_the_limit(province: Province) -> None:
    (refused,) = [call for call in province.calls if call["status"] == 429]
    assert (refused["system"], refused["error"]) == ("customer-app", "quota-exceeded")
    key = read_key(province.vkey.read_text())
    record = verify(Path(refused["receipt_file"]).read_text(), key).record
    assert (record["agreement"], record["limit"]) == ("company-procedures", "per-day")
    assert "forwarded" not in record


def test_the_ledger_holds_each_call_of_the_round_exactly_once(province: Province) -> None:
    with province.client("auditor") as auditor:
        for call in province.calls:
            outcomes = [
                entry["record"]
                for entry in auditor.entries({"tx": call["transaction_id"]})
                if entry["record"]["kind"] == "call"
            ]
            assert [(one["client"], one["status"]) for one in outcomes] == [
                (call["client_id"], call["status"])
            ]


def test_receipts_verify_off_line_with_the_public_key_alone(province: Province, tmp_path: Path) -> None:
    nothing = {"LIENTHONG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for call in province.calls:
        verified = run(
            [LIENTHONG, "audit", "verify", call["receipt_file"], "--key", str(province.vkey), "--json"],
            nothing,
        )
        assert verified.returncode == 0, verified.stderr
        proof = json.loads(verified.stdout)
        assert proof["verified"] is True
        assert proof["record"]["tx"] == call["transaction_id"]


def test_a_receipt_with_one_letter_changed_does_not_verify(province: Province, tmp_path: Path) -> None:
    lines = Path(province.calls[0]["receipt_file"]).read_text().splitlines(keepends=True)
    extra = next(number for number, line in enumerate(lines) if line.startswith("extra "))
    position = len(lines[extra]) // 2
    letter = "A" if lines[extra][position] != "A" else "B"
    lines[extra] = lines[extra][:position] + letter + lines[extra][position + 1 :]
    forged = tmp_path / "forged.receipt"
    forged.write_text("".join(lines))
    verified = province.command("audit", "verify", str(forged), "--key", str(province.vkey))
    assert verified.returncode == 1


def test_the_receipts_address_gives_the_caller_a_receipt(province: Province) -> None:
    call = province.calls[0]
    bearer = {"Authorization": f"Bearer {token(province.home / 'demo' / call['system'])}"}
    answer = httpx.get(call["receipt"], headers=bearer)
    assert answer.status_code == 200
    assert answer.text.startswith("c2sp.org/tlog-proof@v1\n")


def test_an_event_of_the_land_department_reaches_the_one_stop_shop(province: Province) -> None:
    data = {
        "parcelId": "59301-6-159", "changeId": "BD-2025-900001", "kind": "correction", "communeCode": "59301",
        "registeredOn": "2025-06-30", "version": 2,
    }  # fmt: skip
    with province.client("land") as land, province.client("one-stop") as one_stop:
        accepted = land.publish("H11.05/land/parcel-changed-v1", data)
        assert not accepted.duplicate
        pulled = one_stop.pull("parcel-changes", limit=100, wait=10)
        assert [one.event["data"] for one in pulled if one.event["id"] == accepted.id] == [data]
        assert not one_stop.ack("parcel-changes", pulled).refused
        assert one_stop.pull("parcel-changes") == ()


def test_an_event_that_breaks_its_schema_is_refused_by_field(province: Province) -> None:
    published = province.command(
        "events",
        "publish",
        "H11.05/land/parcel-changed-v1",
        "-d",
        '{"parcelId": 5}',
        "--as",
        "land",
        "--json",
    )
    assert published.returncode == 4
    assert "parcelId" in published.stdout


def test_a_department_hears_who_calls_but_logs_no_path(province: Province) -> None:
    (call,) = [one for one in province.calls if "/population-v1/persons/" in one["url"]]
    log = (province.home / "logs" / "population.log").read_text()
    (line,) = [json.loads(line) for line in log.splitlines() if call["transaction_id"] in line]
    assert (line["client"], line["operation"], line["purpose"]) == (
        "H11.01/one-stop",
        "getPerson",
        "TTHC.DAT-DAI",
    )
    assert call["url"].rsplit("/", 1)[1] not in log


def test_services_behind_x_road_are_imported_and_their_manifests_applied(
    province: Province, tmp_path: Path
) -> None:
    """The gateway's own door speaks as a security server does."""
    made = province.command(
        "import", "x-road", province.gateway, "--client", "VN-BTN/GOV/H11.36.01/portal",
        "--provider", "VN-BTN/GOV/H11.03/officials", "--system", "H11.06/planning",
        "--dir", str(tmp_path), "--json",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["services"] == ["H11.06/planning/officials-v1"]
    # A real security server has an address of its own; no call goes to the gateway by itself.
    file = tmp_path / "officials-v1.yaml"
    text = file.read_text("utf-8")
    assert province.gateway in text
    file.write_text(text.replace(province.gateway, "https://10.0.0.9"), "utf-8")
    applied = province.command("apply", "-f", str(tmp_path), "--dry-run", "--json")
    assert applied.returncode == 0, applied.stdout
    (result,) = json.loads(applied.stdout)["results"]
    assert (result["id"], result["action"]) == ("H11.06/planning/officials-v1", "created")


def test_a_document_is_imported_from_an_address(province: Province, tmp_path: Path) -> None:
    address = f"{province.gateway}/catalog/v1/openapi.json"
    made = province.command(
        "import", "openapi", address, "--service", "H11.06/planning/catalog-v1", "--dir", str(tmp_path),
        "--upstream", "http://10.0.0.9:8101",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    applied = province.command("apply", "-f", str(tmp_path), "--dry-run", "--json")
    assert applied.returncode == 0, applied.stdout


@pytest.mark.parametrize("language", ["lienthong", "curl", "Python", "JavaScript"])
def test_samples_of_the_console_call_as_they_stand(province: Province, tmp_path: Path, language: str) -> None:
    with province.client("operator") as operator:
        manifest = operator.perform(operations.manifest("services", "H11.05/land/parcels-v1"))
    document = manifest["spec"]["openapi"]
    request = request_of(province.gateway, "H11.05/land/parcels-v1", document, "GET", "/parcels/{parcelId}")
    (sample,) = [one for one in samples(request) if one.language.partition(" ")[0] == language]
    text = sample.text.replace(PURPOSE, "TTHC.DAT-DAI").replace("PARCELID", "59301-6-159")
    text = text.replace("--as keys", "--as one-stop").replace(
        '"keys"', json.dumps(str(province.home / "demo" / "one-stop"))
    )
    runs = {"Python": sys.executable, "JavaScript": "node"}
    if language in runs:
        program = tmp_path / sample.file
        program.write_text(text, encoding="utf-8")
        text = f"TOKEN=$(lienthong token --as one-stop) {runs[language]} {program}"
        if shutil.which(runs[language]) is None:
            skip_or_fail(f"{runs[language]} is not installed")
    done = province.shell(text)
    assert done.returncode == 0, done.stderr
    assert '"parcelId"' in done.stdout.replace("'", '"')


def test_two_people_approved_what_the_one_stop_shop_asked_for(province: Province) -> None:
    history = json.loads(province.command("agreement", "history", AGREEMENT, "--json").stdout)["items"]
    assert [(one["action"], one["status"]) for one in history] == [
        ("request", "requested"), ("approve", "endorsed"), ("approve", "approved"),
    ]  # fmt: skip
    asked, *decided = (one["by"] for one in history)
    assert asked == "H11.01/one-stop"
    assert len(set(decided)) == 2
    assert all(one.startswith("person/") for one in decided)
    birth = "/civil-status-v1/births/KS-2020-02521"
    calls = [one for one in province.calls if one["system"] == "one-stop" and one["url"].endswith(birth)]
    assert [call["status"] for call in calls] == [200]
    assert (province.home / "demo" / "owners.json").stat().st_mode & 0o077 == 0


def test_applying_the_manifests_again_changes_nothing(province: Province) -> None:
    applied = province.shell(f"lienthong apply -f {MANIFESTS} --json")
    assert applied.returncode == 0, applied.stderr + applied.stdout
    assert {one["action"] for one in json.loads(applied.stdout)["results"]} == {"unchanged"}


def test_the_commands_that_are_printed_work(province: Province) -> None:
    printed = [line.strip() for line in province.output if line.startswith("  lienthong ")]
    assert len(printed) >= 6
    for line in printed:
        done = province.shell(line)
        expected = 4 if "--as customer-app" in line else 0
        assert done.returncode == expected, (line, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "name", ["procedures", "officials", "civil-status", "land", "planning", "population"]
)
def test_each_process_has_a_log_of_its_own(province: Province, name: str) -> None:
    assert (province.home / "logs" / f"{name}.log").exists()
