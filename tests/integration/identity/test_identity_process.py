"""The real process: it starts alone, survives kill -9, ends when told, and says why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from joserfc.jwk import ECKey

from tests.integration.identity.harness import NOWHERE, assertion, key_file
from tests.support.fork_server import ForkedProcess, run_module, start_module
from tests.support.ports import take_free_offset
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

FORM = {
    "grant_type": "client_credentials",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}


def environment(home: Path, offset: int, database_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
    return {
        **inherited,
        "LIENTHONG_HOME": str(home),
        "LIENTHONG_PORT_OFFSET": str(offset),
        "LIENTHONG_NATS_URL": NOWHERE,
        "LIENTHONG_IDENTITY_BOOTSTRAP_DIR": str(home),
        "LIENTHONG_IDENTITY_DATABASE_URL": database_url,
    }


@contextmanager
def started(variables: dict[str, str]) -> Iterator[ForkedProcess]:
    """The process, when it is ready; what it says is in `identity.log` in its home."""
    said = Path(variables["LIENTHONG_HOME"]) / "identity.log"
    with said.open("wb") as log:
        process = start_module("lienthong.identity", variables, log.fileno())
    try:
        health = f"http://127.0.0.1:{8182 + int(variables['LIENTHONG_PORT_OFFSET'])}/health/ready"
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline
            try:
                if httpx.get(health).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


def ask(offset: int, proof: str) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{8102 + offset}/oauth2/token", data={**FORM, "client_assertion": proof}
    )


def operator(home: Path) -> tuple[ECKey, str]:
    client = json.loads((home / "operator" / "client.json").read_text())
    return ECKey.import_key(json.loads((home / "operator" / "key.jwk").read_text())), client["issuer"]


def test_what_was_used_stays_used_after_kill_9(tmp_path: Path, database_url: str) -> None:
    offset = take_free_offset()
    variables = environment(tmp_path, offset, database_url)
    key_file(tmp_path)
    with started(variables) as process:
        key, issuer = operator(tmp_path)
        proof = assertion(key, "operator", aud=issuer)
        answer = ask(offset, proof)
        assert answer.status_code == 200, answer.text
        jwks = httpx.get(f"http://127.0.0.1:{8102 + offset}/oauth2/jwks").content
        process.kill()
        process.wait(10)
    with started(variables):
        assert ask(offset, proof).status_code == 401
        assert ask(offset, assertion(key, "operator", aud=issuer)).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{8102 + offset}/oauth2/jwks").content == jwks


def test_it_ends_well_when_told_and_keeps_secrets_out_of_its_log(tmp_path: Path) -> None:
    offset = take_free_offset()
    variables = environment(tmp_path, offset, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    with started(variables) as process:
        key, issuer = operator(tmp_path)
        proof = assertion(key, "operator", aud=issuer)
        token = ask(offset, proof).json()["access_token"]
        assert ask(offset, proof).status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    log = (tmp_path / "identity.log").read_text()
    for line in log.splitlines():
        assert json.loads(line)["process"] == "identity"
    for secret in (proof, token, str(key.as_dict(private=True)["d"])):
        assert secret not in log
        assert secret.rpartition(".")[2] not in log


def run(variables: dict[str, str], *arguments: str) -> CompletedProcess[str]:
    return run_module("lienthong.identity", variables, *arguments)


def test_it_says_what_is_wrong_with_the_key_file(tmp_path: Path, postgres_database: str) -> None:
    variables = environment(tmp_path, take_free_offset(), postgres_database)
    missing = run(variables)
    assert missing.returncode != 0
    assert "key-encryption.jwk does not exist" in missing.stderr
    assert not (tmp_path / "identity" / "key-encryption.jwk").exists()

    made = run(variables, "new-key-file")
    assert made.returncode == 0, made.stderr
    again = run(variables, "new-key-file")
    assert again.returncode != 0
    with started(variables):
        pass

    (tmp_path / "identity" / "key-encryption.jwk").unlink()
    key_file(tmp_path)
    other = run(variables)
    assert other.returncode != 0
    assert "Traceback" not in other.stderr
    assert "signing key" in other.stderr


def test_a_stolen_signing_key_is_replaced_while_the_process_runs(tmp_path: Path) -> None:
    offset = take_free_offset()
    variables = environment(tmp_path, offset, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    with started(variables):
        url = f"http://127.0.0.1:{8102 + offset}/oauth2/jwks"
        old = httpx.get(url).json()["keys"]
        replaced = run(variables, "replace-signing-key")
        assert replaced.returncode == 0, replaced.stderr
        wait_until(lambda: httpx.get(url).json()["keys"][0]["kid"] == replaced.stdout.strip(), within=2)
        assert old[0]["kid"] not in httpx.get(url).text


def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    variables = environment(tmp_path, 0, f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    refused = run({**variables, "LIENTHONG_IDENTITY_TOKEN_LIFETIME": "P400D"})
    assert refused.returncode != 0
    assert "identity_token_lifetime" in refused.stderr
    assert "Traceback" not in refused.stderr
