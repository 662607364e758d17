"""Catalog and identity away: calls go on. A revoked agreement: refused one second later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from lienthong.client import Client, ForbiddenError, LienthongError, operations
from tests.support.promises import allowed_s
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from tests.e2e.province import Province

SERVICE = "H11.03/officials/officials-v1"
OPERATOR_DECIDES = "company-officials"


def ask(client: Client) -> int:
    return client.call(SERVICE, "GET", "/officials/CBCC-000001").status


def agree(province: Province) -> None:
    """Let the company ask for officials, which the province's own manifests never do."""
    spec = {
        "consumer": "3400123456/customer-app",
        "service": SERVICE,
        "operations": ["getOfficial"],
        "purposes": ["DANH-BA.CONG-VU"],
        "legalGround": "Ví dụ: Nghị định 194/2025/NĐ-CP",
        "status": "approved",
    }
    manifest = {
        "apiVersion": "lienthong/v1", "kind": "Agreement", "metadata": {"id": OPERATOR_DECIDES}, "spec": spec,
    }  # fmt: skip
    with province.client("operator") as operator:
        operator.apply([manifest])


def wait_until_ready(what: str, province: Province, port: int) -> None:
    def ready() -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port + province.offset}/health/ready")
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    wait_until(ready, f"{what} came back")


def is_answered(client: Client) -> bool:
    try:
        return ask(client) == 200
    except LienthongError:
        return False


def is_revoked(client: Client) -> bool:
    try:
        ask(client)
    except ForbiddenError as refused:
        return refused.code == "agreement-revoked"
    return False


def test_calls_go_on_without_catalog_and_identity_and_a_revocation_is_felt_within_a_second(
    province: Province,
) -> None:
    agree(province)
    with province.client("customer-app") as company, province.client("operator") as operator:
        wait_until(lambda: is_answered(company), "the agreement is in force")
        stopped = province.supervisorctl("stop", "catalog", "identity")
        assert stopped.stdout.count("stopped") == 2, stopped.stdout
        try:
            for _ in range(20):
                assert ask(company) == 200
        finally:
            province.supervisorctl("start", "catalog", "identity")
        wait_until_ready("catalog", province, 8181)
        wait_until_ready("identity", province, 8182)
        assert ask(company) == 200
        operator.perform(
            operations.decide_agreement(OPERATOR_DECIDES, "revoke", legal_ground=None, reason="Hết mục đích")
        )
        within = allowed_s(1)
        wait_until(lambda: is_revoked(company), "the revocation is in force", within=within)
    with province.client("auditor") as auditor:
        decided = [
            entry["record"]
            for entry in auditor.entries({"kind": "admin"})
            if entry["record"].get("object") == f"Agreement/{OPERATOR_DECIDES}"
        ]
    assert {one["actor"] for one in decided} == {"operator"}
