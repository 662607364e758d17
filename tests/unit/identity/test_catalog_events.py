"""What the catalog says of a system becomes a client, and nothing else does."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lienthong.identity.domain.clients import ClientStatus, client_of, describe_change
from lienthong.identity.events import SystemEvent

EVENT: dict[str, Any] = {
    "version": 7,
    "kind": "System",
    "id": "H11.05/land",
    "action": "upserted",
    "resource": {
        "apiVersion": "lienthong/v1",
        "kind": "System",
        "metadata": {"id": "H11.05/land"},
        "spec": {"name": {"vi": "Đất đai", "en": "Land"}, "jwks": {"keys": [{"kty": "EC"}]}},
        "status": "active",
    },
}


def read(**changes: object) -> SystemEvent:
    return SystemEvent.model_validate_json(json.dumps({**EVENT, **changes}))


def test_a_system_becomes_a_client_of_the_api_and_of_events() -> None:
    client = client_of(read())
    assert client.client_id == "H11.05/land"
    assert client.scopes == ("api", "events")
    assert json.loads(client.jwks) == {"keys": [{"kty": "EC"}]}
    assert (client.status, client.catalog_version) == (ClientStatus.ACTIVE, 7)


def test_certificates_are_taken_over_and_their_change_has_a_name() -> None:
    spec = {**EVENT["resource"]["spec"], "certificates": ["ab" * 32, "cd" * 32]}
    client = client_of(read(resource={**EVENT["resource"], "spec": spec}))
    assert client.certificates == ("ab" * 32, "cd" * 32)
    change = describe_change(client_of(read()), client)
    assert change is not None
    assert change.action == "client.change-certificates"
    assert change.detail["certificates"] == list(client.certificates)
    back = describe_change(client, client_of(read()))
    assert back is not None
    assert back.detail["certificates"] == []
    assert client_of(read(action="removed", resource={**EVENT["resource"], "spec": spec})).certificates == ()


def test_service_accounts_are_taken_over_and_their_change_has_a_name() -> None:
    named = [
        {"issuer": "https://b", "namespace": "n", "name": "x"},
        {"issuer": "https://a", "namespace": "n", "name": "y"},
    ]
    spec = {**EVENT["resource"]["spec"], "serviceAccounts": named}
    client = client_of(read(resource={**EVENT["resource"], "spec": spec}))
    assert [one.issuer for one in client.service_accounts] == ["https://a", "https://b"]
    change = describe_change(client_of(read()), client)
    assert change is not None
    assert change.action == "client.change-service-accounts"
    assert change.detail["service_accounts"] == [named[1], named[0]]
    back = describe_change(client, client_of(read()))
    assert back is not None
    assert back.detail["service_accounts"] == []
    removed = client_of(read(action="removed", resource={**EVENT["resource"], "spec": spec}))
    assert removed.service_accounts == ()


@pytest.mark.parametrize("certificate", ["AB" * 32, "ab" * 31, "", 5, None, "ab:" * 32])
def test_a_certificate_in_another_form_is_no_event(certificate: object) -> None:
    with pytest.raises(ValidationError):
        read(resource={**EVENT["resource"], "spec": {"certificates": [certificate]}})


def test_a_suspended_system_stays_with_its_keys() -> None:
    client = client_of(read(resource={**EVENT["resource"], "status": "suspended"}))
    assert client.status is ClientStatus.SUSPENDED
    assert json.loads(client.jwks)["keys"]


def test_a_removed_system_keeps_no_keys() -> None:
    client = client_of(read(action="removed"))
    assert (client.status, json.loads(client.jwks)) == (ClientStatus.REMOVED, {"keys": []})
    assert client_of(read(action="removed", resource=None)).status is ClientStatus.REMOVED


@pytest.mark.parametrize(
    "identifier", ["operator", "auditor", "", "/land", "H11.05/", "a b/land", "H11/land/x", 5, None]
)
def test_no_event_can_touch_the_servers_own_clients(identifier: object) -> None:
    with pytest.raises(ValidationError):
        read(id=identifier)


@pytest.mark.parametrize(
    "changes",
    [{"version": -1}, {"version": "x"}, {"version": 2**63}, {"kind": "Agency"}, {"action": "changed"},
     {"resource": None}, {"resource": {"spec": {"jwks": []}}}, {"resource": {"spec": {}, "status": "odd"}}],
)  # fmt: skip
def test_an_event_that_says_something_else_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**changes)
