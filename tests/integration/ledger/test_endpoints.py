"""What the ledger answers over HTTP, and to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from jsonschema import Draft202012Validator

from lienthong.contracts.identity.v1 import keys_pb2
from lienthong.kit.access import Access
from lienthong.kit.keys import fold_keys
from lienthong.kit.shown import Shown
from lienthong.kit.tokens import TokenVerifier
from lienthong.ledger.bootstrap import create_app, search_rates
from lienthong.ledger.domain.journal_place import JournalPlace, PlaceState
from lienthong.tlog import (
    TileAddress,
    VerifierKey,
    check_log,
    decode_bundle,
    encode_bundle,
    open_checkpoint,
    verify_receipt,
)
from tests.integration.ledger.support import STREAM, message, opened, record
from tests.support.rpc import rpc_trust

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lienthong.kit.clock import ManualClock
    from lienthong.ledger.bootstrap import LedgerCore
    from lienthong.ledger.settings import LedgerSettings

CALLER, PROVIDER, STRANGER = "H11.01/one-stop", "H11.05/land", "H11.02/procedures"
AUDITOR = "auditor"

CALLS = [
    record(id=f"call-{number}", tx=f"tx-{number}", at=f"2026-11-23T06:{number:02d}:00Z", status=200)
    for number in range(50)
]
OTHERS = [
    record(id="intent", tx="tx-intent", kind="intent"),
    record(id="refused", tx="tx-refused", status=403, error="no-agreement", client=STRANGER),
    record(id="portal", tx="tx-portal", client="H11.36.01/portal", service="H11.04/civil-status/births-v1"),
    record(
        id="token", tx="tx-token", client=STRANGER, service="lienthong/identity", at="2026-11-24T00:00:00Z"
    ),
    b'{"id":"admin","kind":"admin","tx":"tx-admin","actor":"operator","action":"agreement.approve"}',
]
RECORDS = [*CALLS, *OTHERS]


class Reader:
    """Asks the ledger in the name of a client."""

    def __init__(
        self, http: httpx.AsyncClient, key: ECKey, settings: LedgerSettings, clock: ManualClock
    ) -> None:
        self.http = http
        self._key = key
        self._settings = settings
        self._clock = clock

    async def get(self, path: str, client: str | None = None, **headers: str) -> httpx.Response:
        """Ask as this client, or as nobody; the auditor holds the scope `audit:read`."""
        if client is not None:
            headers["authorization"] = f"Bearer {self._token(client)}"
        return await self.http.get(path, headers=headers)

    async def items(self, query: str) -> list[Any]:
        """The ids of the records that a search finds."""
        answer = await self.get(f"/audit/v1/entries?{query}", AUDITOR)
        assert answer.status_code == 200, answer.text
        return [item["record"]["id"] for item in answer.json()["items"]]

    def _token(self, client: str) -> str:
        now = self._clock.now()
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.token_audience,
            "sub": client,
            "client_id": client,
            "scope": "audit:read" if client == AUDITOR else "api events",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "jti": "1",
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key)


async def nowhere() -> JournalPlace:
    """The place of a ledger whose bus does not answer."""
    return JournalPlace(PlaceState.UNKNOWN, STREAM, 2)


@pytest.fixture
async def core(settings: LedgerSettings) -> AsyncIterator[LedgerCore]:
    """A ledger with entries."""
    async with opened(settings) as opened_core:
        await opened_core.integrator.integrate(STREAM, [message(1, *RECORDS), message(2, b"poison")])
        yield opened_core


@pytest.fixture
async def reader(settings: LedgerSettings, core: LedgerCore, clock: ManualClock) -> AsyncIterator[Reader]:
    """The ledger's application, with keys as identity gives them out."""
    key = ECKey.generate_key("P-256")
    jwks = KeySet([key]).as_dict(private=False)
    jwks["keys"][0] |= {"kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    keys = fold_keys(
        None,
        keys_pb2.WatchResponse(version=1, issuer=settings.issuer, jwks=msgspec.json.encode(jwks).decode()),
    )
    access = Access(
        lambda: keys,
        TokenVerifier(settings.issuer, settings.token_audience, clock),
        Shown(rpc_trust(), clock),
    )
    transport = httpx.ASGITransport(create_app(core, access, nowhere, search_rates(settings, clock)))
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
        yield Reader(http, key, settings, clock)


async def test_auditors_see_whether_index_and_journal_agree(reader: Reader) -> None:
    for path in ("/audit/v1/index-check", "/audit/v1/journal-place"):
        assert (await reader.get(path)).status_code == 401
        assert (await reader.get(path, "H11.01/one-stop")).status_code == 403
    index = await reader.get("/audit/v1/index-check", AUDITOR)
    assert index.json() == {"first": 0, "checked": len(RECORDS), "differences": [], "next": None}
    place = await reader.get("/audit/v1/journal-place", AUDITOR)
    assert place.json() == {
        "state": "unknown",
        "stream": STREAM,
        "sequence": 2,
        "journal": None,
        "last_sequence": None,
    }
    assert (await reader.get("/audit/v1/index-check?cursor=-1", AUDITOR)).status_code == 422


async def test_the_checkpoint_and_its_key_are_public(reader: Reader, core: LedgerCore) -> None:
    answer, key = await reader.get("/audit/checkpoint"), await reader.get("/audit/key")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert VerifierKey.parse(key.text.strip()) == core.signer.key.verifier
    assert open_checkpoint(answer.content, VerifierKey.parse(key.text.strip())).size == len(RECORDS)


async def test_tiles_are_public_immutable_and_exactly_as_wide_as_asked(reader: Reader) -> None:
    for width in (1, 17, len(RECORDS)):
        answer = await reader.get(f"/audit/tile/0/000.p/{width}")
        assert answer.status_code == 200
        assert len(answer.content) == 32 * width
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_tile_that_is_not_there_is_a_problem_that_nobody_caches(reader: Reader) -> None:
    for path in (
        "0/000", "0/000.p/56", "0/001.p/1", "1/000.p/1", "0/0", "00/000.p/1", "64/000", "0/000.p/0", "x/000",
        "0/" + "x999/" * 8 + "999", "0/" + "x001/" * 2_000 + "000", "0/x018/x014/x398/x509/x481/983",
    ):  # fmt: skip
        answer = await reader.get(f"/audit/tile/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-tile")
        assert answer.headers["cache-control"] == "no-store"


async def test_entries_are_for_auditors_and_come_as_the_exact_bytes(reader: Reader) -> None:
    path = f"/audit/tile/entries/000.p/{len(RECORDS)}"
    answer = await reader.get(path, AUDITOR, **{"accept-encoding": "identity"})
    assert decode_bundle(answer.content) == RECORDS
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    packed = await reader.get(path, AUDITOR, **{"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == answer.content == encode_bundle(RECORDS)
    assert int(packed.headers["content-length"]) < len(answer.content) / 3


async def test_entries_are_compressed_only_for_callers_that_accept_it(reader: Reader) -> None:
    path = f"/audit/tile/entries/000.p/{len(RECORDS)}"
    for accept_encoding, coding in (
        ("gzip;q=0", None), ("gzip;q=0, *", None), ("identity, gzip;q=0.5", None), ("br", None),
        ("*", "gzip"), ("identity;q=0, gzip;q=0.1", "gzip"), ("x-gzip", "gzip"),
    ):  # fmt: skip
        answer = await reader.get(path, AUDITOR, **{"accept-encoding": accept_encoding})
        assert answer.headers.get("content-encoding") == coding, accept_encoding
        assert answer.content == encode_bundle(RECORDS)
        assert "Accept-Encoding" in answer.headers["vary"]


async def test_hashes_are_compressed_only_for_callers_that_accept_nothing_else(reader: Reader) -> None:
    plain = await reader.get("/audit/tile/0/000.p/55", None, **{"accept-encoding": "gzip, identity"})
    packed = await reader.get("/audit/tile/0/000.p/55", None, **{"accept-encoding": "gzip, identity;q=0"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert len(plain.content) == 32 * 55


async def test_a_caller_that_accepts_no_coding_is_told(reader: Reader) -> None:
    for path in ("0/000.p/1", "entries/000.p/1"):
        for accept_encoding in ("identity;q=0", "*;q=0", "gzip;q=0, identity;q=0, br"):
            headers = {"accept-encoding": accept_encoding}
            answer = await reader.get(f"/audit/tile/{path}", AUDITOR, **headers)
            assert (answer.status_code, answer.json()["code"]) == (406, "no-acceptable-coding")
            assert answer.headers["cache-control"] == "no-store"


async def test_its_openapi_document_describes_every_answer(reader: Reader) -> None:
    document = (await reader.get("/audit/v1/openapi.json")).json()
    media = {
        path: [*operation["get"]["responses"]["200"]["content"]]
        for path, operation in document["paths"].items()
    }
    assert media == {
        "/audit/checkpoint": ["text/plain"],
        "/audit/key": ["text/plain"],
        "/audit/tile/entries/{index}": ["application/octet-stream"],
        "/audit/tile/{level}/{index}": ["application/octet-stream"],
        "/audit/v1/entries": ["application/json"],
        "/audit/v1/entries/{index}": ["application/json"],
        "/audit/v1/index-check": ["application/json"],
        "/audit/v1/journal-place": ["application/json"],
        "/audit/v1/receipts/{tx}": ["text/plain"],
        "/audit/v1/quarantine": ["application/json"],
        "/audit/v1/status": ["application/json"],
        "/audit/v1/usage": ["application/json"],
    }
    page = document["paths"]["/audit/v1/entries"]["get"]["responses"]["200"]["content"]["application/json"]
    Draft202012Validator.check_schema(page["schema"])
    answer = (await reader.get("/audit/v1/entries?limit=3", AUDITOR)).json()
    Draft202012Validator(page["schema"]).validate(answer)
    assert not Draft202012Validator(page["schema"]).is_valid({"items": [{"index": 1}], "next": None})
    statuses = {path: {*found["get"]["responses"]} for path, found in document["paths"].items()}
    assert {"404", "406"} <= statuses["/audit/tile/{level}/{index}"]
    assert {"401", "403", "404", "503"} <= statuses["/audit/v1/receipts/{tx}"]


async def test_nobody_but_auditors_reads_entries_of_all(reader: Reader) -> None:
    for path in ("tile/entries/000.p/1", "v1/entries", "v1/entries/0", "v1/quarantine"):
        nobody = await reader.get(f"/audit/{path}")
        assert (nobody.status_code, nobody.json()["code"]) == (401, "no-token")
        assert nobody.headers["www-authenticate"].startswith("Bearer")
        # A system reads entries of its own calls: `test_own_calls`.
        client = "operator" if path.startswith("v1/entries") else CALLER
        other = await reader.get(f"/audit/{path}", client)
        assert (other.status_code, other.json()["code"]) == (403, "insufficient-scope")
        assert (await reader.get(f"/audit/{path}", AUDITOR)).status_code == 200


async def test_an_auditor_checks_the_whole_log_over_http(reader: Reader, core: LedgerCore) -> None:
    head = open_checkpoint((await reader.get("/audit/checkpoint")).content, core.signer.key.verifier)
    needed = [TileAddress(0, 0, head.size), TileAddress(-1, 0, head.size)]
    fetched = {item: (await reader.get(f"/audit/{item.path}", AUDITOR)).content for item in needed}
    assert check_log(head, fetched.__getitem__).sound


async def test_searches_find_by_each_filter(reader: Reader) -> None:
    everything = [msgspec.json.decode(data)["id"] for data in RECORDS]
    assert await reader.items("order=asc&limit=500") == everything
    assert await reader.items("limit=500") == everything[::-1]
    assert await reader.items("tx=tx-7") == ["call-7"]
    assert await reader.items("kind=intent") == ["intent"]
    assert await reader.items("kind=admin&client=operator") == ["admin"]
    assert await reader.items("status=403") == ["refused"]
    assert await reader.items(f"client={STRANGER}") == ["token", "refused"]
    assert await reader.items("service=H11.04/civil-status/births-v1") == ["portal"]
    assert await reader.items("agency=H11.36.01") == ["portal"]
    assert await reader.items("agency=H11.04") == ["portal"]
    assert await reader.items("agency=H11.02&order=asc") == ["refused", "token"]
    assert await reader.items("agency=lienthong") == ["token"]
    assert await reader.items("agency=H11.05&status=403") == ["refused"]
    assert await reader.items("from=2026-11-23T06:48:00Z&to=2026-11-23T06:49:00Z") == ["call-48"]
    assert await reader.items("from=2026-11-24T07:00:00%2B07:00") == ["token"]
    # As it is typed into an address.
    assert await reader.items("from=2026-11-24T07:00:00+07:00") == ["token"]
    assert await reader.items("client=nobody") == []


async def test_endless_answers_whose_end_is_missing_are_found(reader: Reader, core: LedgerCore) -> None:
    def of_call(number: int, *kinds: str) -> list[bytes]:
        return [record(id=f"long-{kind}-{number}", tx=f"long-{number}", kind=kind) for kind in kinds]

    long_ones = of_call(1, "opening", "continuing", "call") + of_call(2, "opening", "continuing")
    await core.integrator.integrate(STREAM, [message(3, *long_ones), message(4, *of_call(3, "opening"))])
    assert await reader.items("unfinished=true") == ["long-opening-3", "long-opening-2"]
    assert await reader.items("unfinished=true&kind=opening&limit=1") == ["long-opening-3"]
    assert await reader.items("unfinished=true&agency=H11.05&tx=long-2") == ["long-opening-2"]
    assert await reader.items("unfinished=true&tx=long-1") == []
    assert await reader.items("unfinished=false&tx=long-3") == ["long-opening-3"]
    await core.integrator.integrate(STREAM, [message(5, *of_call(2, "call"))])
    assert await reader.items("unfinished=true") == ["long-opening-3"]


async def test_an_agency_is_found_on_both_sides_once_and_page_by_page(
    reader: Reader, core: LedgerCore
) -> None:
    own = [record(id=f"own-{number}", client="H11.05/land") for number in range(5)]
    await core.integrator.integrate(STREAM, [message(3, *own)])
    found: list[str] = []
    cursor = ""
    while True:
        page = (await reader.get(f"/audit/v1/entries?agency=H11.05&limit=7{cursor}", AUDITOR)).json()
        found += [item["record"]["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    expected = [f"call-{number}" for number in range(50)] + ["intent", "refused"]
    expected += [f"own-{number}" for number in range(5)]
    assert found == expected[::-1]


async def test_pages_do_not_move_while_the_log_grows(reader: Reader, core: LedgerCore) -> None:
    everything = [msgspec.json.decode(data)["id"] for data in RECORDS]
    found: list[str] = []
    query = "limit=20"
    for sequence in range(3, 6):
        page = (await reader.get(f"/audit/v1/entries?{query}", AUDITOR)).json()
        found += [item["record"]["id"] for item in page["items"]]
        query = f"limit=20&cursor={page['next']}"
        await core.integrator.integrate(STREAM, [message(sequence, record(id=f"late-{sequence}"))])
    assert page["next"] is None
    assert found == everything[::-1]


async def test_a_search_with_an_unknown_filter_is_refused(reader: Reader) -> None:
    answer = await reader.get("/audit/v1/entries?customer=H11.01", AUDITOR)
    assert answer.status_code == 422
    assert "customer" in answer.json()["detail"]


async def test_an_entry_is_shown_by_its_index(reader: Reader) -> None:
    answer = await reader.get("/audit/v1/entries/7", AUDITOR)
    assert answer.content == b'{"index":7,"record":' + RECORDS[7] + b"}"
    missing = await reader.get(f"/audit/v1/entries/{len(RECORDS)}", AUDITOR)
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown-entry")
    assert (await reader.get("/audit/v1/entries/-1", AUDITOR)).status_code == 422


async def test_the_parties_of_a_call_and_auditors_get_a_receipt_that_verifies(
    reader: Reader, core: LedgerCore
) -> None:
    for client in (CALLER, PROVIDER, "H11.05/another", AUDITOR):
        answer = await reader.get("/audit/v1/receipts/tx-7", client)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        receipt = verify_receipt(answer.content, core.signer.key.verifier)
        assert (receipt.entry, receipt.index) == (RECORDS[7], 7)


async def test_nobody_else_gets_a_receipt(reader: Reader) -> None:
    for client in (STRANGER, "H11.01/another", "operator", "H11.0/x", "H11/x"):
        answer = await reader.get("/audit/v1/receipts/tx-7", client)
        assert (answer.status_code, answer.json()["code"]) == (403, "not-a-party")
    assert (await reader.get("/audit/v1/receipts/tx-7")).status_code == 401


async def test_a_receipt_is_of_the_outcome_and_never_of_the_intent(reader: Reader, core: LedgerCore) -> None:
    answer = await reader.get("/audit/v1/receipts/tx-intent", CALLER)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-yet-recorded")
    assert answer.headers["retry-after"] == "1"
    intent = await reader.get("/audit/v1/receipts/tx-intent?kind=intent", CALLER)
    assert verify_receipt(intent.content, core.signer.key.verifier).entry == OTHERS[0]


async def test_a_transaction_that_is_not_integrated_yet_says_when_to_ask_again(reader: Reader) -> None:
    answer = await reader.get("/audit/v1/receipts/019aaf2c-0000-7000-8000-000000000001", CALLER)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-yet-recorded")
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["title_vi"]


async def test_the_quarantine_shows_what_was_kept(reader: Reader) -> None:
    page = (await reader.get("/audit/v1/quarantine", AUDITOR)).json()
    (item,) = page["items"]
    assert (item["journal_sequence"], item["position"], item["data"]) == (2, 0, "cG9pc29u")
    assert "not a JSON object" in item["reason"]
    assert page["next"] is None


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/audit/v1/entries?client=a%00b", (400, "malformed-request")),
        ("/audit/v1/entries?client=%ED%A0%80", (400, "malformed-request")),
        ("/audit/v1/entries?tx=a&tx=b", (422, "invalid-request")),
        ("/audit/v1/receipts/a%00b", (400, "malformed-request")),
        ("/audit/v1/receipts/tx-1?kind=%00", (400, "malformed-request")),
    ],
)
async def test_what_a_database_does_not_take_is_refused_at_the_door(
    reader: Reader, path: str, refusal: tuple[int, str]
) -> None:
    answer = await reader.get(path, AUDITOR)
    assert (answer.status_code, answer.json()["code"]) == refusal
