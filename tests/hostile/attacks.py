"""What is tried against the platform: a named table for each kind of harm.

Each attack asserts the right answers and returns in a few words what was answered. All input is bounded and
harmless to a platform that bounds it first.
"""

from __future__ import annotations

import json
import select
import time
from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lienthong.kit.body_room import CALLERS_BYTES
from tests.hostile.world import HOSTILE, NOISE, TEMPLATED, World, answer_on, event, manifest
from tests.support.platform import AGREEMENT, CONSUMER, PURPOSE, SERVICE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator, Iterable, Sequence

    import httpx

MOST_ANSWER_BYTES = 64 * 1024
"""No refusal is longer, however much was wrong with the request."""
_SENDERS = 8


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing that is tried."""

    name: str
    act: Callable[[World], str]


def _segments_without_end(world: World) -> str:
    with world.stranger() as http:
        paths = ["a" * 6000, "a-" * 3000, "-" * 6000]
        answers = [http.get(f"/api/{TEMPLATED}/areas/{path}") for path in paths for _ in range(5)]
    return _refused(answers, {400, 401, 404, 414})


def _large_bodies_without_a_token(world: World) -> str:
    head = (
        b"POST /catalog/v1/apply?dry_run=false HTTP/1.1\r\nHost: lgsp\r\nContent-Type: application/json\r\n"
        b"Content-Length: 9000000\r\n\r\n"
    )
    statuses = Counter[int]()
    for process in ("gateway", "catalog"):
        for _ in range(5):
            with world.connect(process) as connection:
                connection.sendall(head + b'{"manifests": [' + b" " * 60_000)
                statuses[answer_on(connection)[0]] += 1
    assert set(statuses) <= {401, 413}, statuses
    return _told(statuses)


def _members_nobody_knows(world: World) -> str:
    body = json.dumps({f"member-{number}": number for number in range(100_000)}).encode()
    return _agreement_requests(world, [body] * 3)


def _text_of_megabytes(world: World) -> str:
    text = "a\u0323\u0302" * 300_000
    body = {"id": f"{HOSTILE}/long", "service": SERVICE, "purposes": [PURPOSE], "legalGround": text}
    return _agreement_requests(world, [json.dumps(body).encode()] * 3)


def _nesting_without_end(world: World) -> str:
    return _agreement_requests(world, [b"[" * 100_000, b'{"a":' * 50_000])


def _half_a_character(world: World) -> str:
    def part(text: str) -> str:
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    assertion = ".".join(
        [part('{"alg":"ES256","kid":"k"}'), part(r'{"iss":"\ud800","sub":"\ud800","aud":"x"}'), part("s")]
    )
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    with world.stranger() as http:
        answers = [http.post("/oauth2/token", data=form)]
    with world.tenant() as http:
        body = rb'{"id": "\ud800", "service": "x", "\udfff": 1}'
        answers.append(_post_json(http, "/catalog/v1/agreements", body))
        answers.append(http.get("/catalog/v1/agencies", params={"cursor": "\0"}))
    return _refused(answers, {400, 401, 422})


def _a_pattern_that_backtracks(world: World) -> str:
    words = f"{HOSTILE}/words-v1"
    schema = {"type": "object", "properties": {"word": {"type": "string", "pattern": "^(a+)+$"}}}
    with world.operator() as http:
        applied = http.post(
            "/catalog/v1/apply", json={"manifests": [manifest("EventType", words, dataSchema=schema)]}
        )
    if applied.status_code == 422:
        return "not registered (422)"
    assert applied.status_code == 200, applied.text
    path, body, headers = event(words, 1, {"word": "a" * 40 + "!"})
    with world.tenant() as http:
        for _ in range(200):
            answer = http.post(path, content=body, headers=headers)
            if answer.status_code != 404:
                break
            time.sleep(0.05)
    return _refused([answer], {422})


def _schemas_without_end(world: World) -> str:
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    schemas: list[dict[str, object]] = [
        {"$defs": {**doubling, "d40": {"type": "integer"}}, "$ref": "#/$defs/d0"},
        {"$defs": {"a": {"allOf": [{"$ref": "#"}]}}, "$ref": "#/$defs/a"},
        {"type": "string", "pattern": "a{1,60000}{1,60000}"},
    ]
    with world.operator() as http:
        answers = [
            http.post(
                "/catalog/v1/apply",
                json={"manifests": [manifest("EventType", f"{HOSTILE}/s{number}-v1", dataSchema=schema)]},
            )
            for number, schema in enumerate(schemas)
        ]
    return _refused(answers, {422})


STOPPING = [
    Attack("path segments of 6,000 characters before several parameters", _segments_without_end),
    Attack("bodies of nine megabytes, announced without a token", _large_bodies_without_a_token),
    Attack("a body of 100,000 members that nobody knows", _members_nobody_knows),
    Attack("a text of 900,000 characters that is not in normal form", _text_of_megabytes),
    Attack("JSON that nests without end", _nesting_without_end),
    Attack("half a surrogate pair, and NUL", _half_a_character),
    Attack("an event type whose pattern backtracks", _a_pattern_that_backtracks),
    Attack("event types whose schemas have no end", _schemas_without_end),
]


def _tokens_that_only_one_side_reads(world: World) -> str:
    with world.tenant() as http:
        token = str(http.headers["Authorization"]).removeprefix("Bearer ")
    statuses = Counter[int]()
    # RFC 6750, section 2.1: one or more SP before the token; around a field's value white space is no part
    # of it (RFC 9110, section 5.5).
    allowed = {"Bearer {}", "Bearer  {}", "Bearer {} "}
    for written in (*allowed, "Bearer\t{}", "Bearer \t{}", "Bearer {},", "Bearer {} x", "Bearer\u00a0{}"):
        field = written.format(token).encode("latin-1")
        for process in ("gateway", "catalog"):
            with world.connect(process) as connection:
                connection.sendall(
                    b"GET /catalog/v1/agencies HTTP/1.1\r\nHost: lgsp\r\nAuthorization: "
                    + field
                    + b"\r\n\r\n"
                )
                status = answer_on(connection)[0]
            assert status in ({200} if written in allowed else {400, 401}), (written, process, status)
            statuses[status] += 1
    return _told(statuses)


def _callers_that_stop_half_way(world: World) -> str:
    head = f"POST /api/{SERVICE}/parcels HTTP/1.1\r\nHost: lgsp\r\nContent-Length: 1000\r\n"
    with world.tenant() as http:
        head += f"Authorization: {http.headers['Authorization']}\r\nLGSP-Purpose: {PURPOSE}\r\n\r\n"
    with ExitStack() as stack:
        held = [stack.enter_context(world.connect()) for _ in range(100)]
        for connection in held:
            connection.sendall(head.encode() + b"half")
        time.sleep(1)
    return "100 held for a second"


def _bodies_of_megabytes_that_do_not_come(world: World) -> str:
    path, _, headers = event(NOISE, 0, {"number": 0})
    size, count = 10_000_000, 40
    fit = CALLERS_BYTES // size
    with world.tenant() as http:
        fields = {**headers, "Authorization": http.headers["Authorization"], "Content-Length": str(size)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head = f"POST {path} HTTP/1.1\r\nHost: lgsp\r\n{lines}\r\n".encode()
    with ExitStack() as stack:
        held = [stack.enter_context(world.connect()) for _ in range(count)]
        for connection in held:
            # More than the gateway reads before it forwards a request.
            connection.sendall(head + b" " * 70_000)
        wait_until(lambda: len(_answered(held)) >= count - fit, lambda: f"{len(_answered(held))} answers")
        time.sleep(1)
        statuses = Counter(answer_on(connection)[0] for connection in _answered(held))
    assert statuses == {429: count - fit}
    return f"{_told(statuses)}; {fit} held for a second"


def _answered(connections: Sequence[socket.socket]) -> list[socket.socket]:
    """Those on which there is something to read."""
    return select.select(connections, [], [], 0)[0]


TRAIL = [
    Attack("tokens that only one side reads", _tokens_that_only_one_side_reads),
    Attack("bodies that never end", _callers_that_stop_half_way),
    Attack("forty bodies of ten megabytes that do not come", _bodies_of_megabytes_that_do_not_come),
]


def _idle_strangers(world: World) -> str:
    return _strangers(world, b"")


def _half_a_head(world: World) -> str:
    return _strangers(world, b"GET /api/ HTTP/1.1\r\nHost: lgsp\r\nX-Long: ")


STARVING = [
    Attack("400 strangers who say nothing", _idle_strangers),
    Attack("400 strangers who say half a head", _half_a_head),
]


def _strangers(world: World, said: bytes) -> str:
    held: list[socket.socket] = []
    try:
        for _ in range(400):
            connection = world.connect()
            held.append(connection)
            if said:
                connection.sendall(said)
        time.sleep(1)
    finally:
        for connection in held:
            connection.close()
    return f"{len(held)} held for a second"


def _calls_without_an_agreement(world: World) -> str:
    with world.tenant() as http:
        answers = [http.get(f"/api/{SERVICE}/parcels/1") for _ in range(800)]
    told = _refused(answers, {403, 429})
    # Some are recorded one by one, the rest are counted.
    recorded = len(world.entries({"client": HOSTILE, "service": SERVICE, "kind": "call"}))
    assert 0 < recorded < 500
    return f"{told}; {recorded} records"


def _token_requests(world: World) -> str:
    form = {"grant_type": "client_credentials", "client_id": HOSTILE}
    with world.stranger() as http:
        answers = list(_at_once(lambda _: http.post("/oauth2/token", data=form), range(800)))
    told = _refused(answers, {400, 401, 429})
    # Not just the last ones: twenty each second are looked at.
    limited = [answer for answer in answers if answer.status_code == 429]
    assert len(limited) > len(answers) / 4, told
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in limited)
    return told


def _requests_for_agreements(world: World) -> str:
    with world.tenant() as http:
        answers = [
            http.post(
                "/catalog/v1/agreements",
                json={
                    "id": f"hostile-{number}",
                    "service": SERVICE,
                    "purposes": [PURPOSE],
                    "legalGround": "Thử",
                },
            )
            for number in range(200)
        ]
    statuses = Counter(answer.status_code for answer in answers)
    assert answers[-1].status_code in {409, 429}, _told(statuses)
    return _told(statuses)


def _events(world: World) -> str:
    statuses = Counter[int]()
    last = ""
    with world.tenant() as http:

        def publish(number: int) -> httpx.Response:
            path, body, headers = event(NOISE, number, {"number": number, "text": "x" * 200_000})
            return http.post(path, content=body, headers=headers)

        for answer in _at_once(publish, range(600)):
            last = answer.text
            statuses[answer.status_code] += 1
            if statuses[429] >= 10 or answer.status_code == 422:
                break
    assert set(statuses) <= {200, 201, 202, 429}, last
    assert statuses[429] >= 10, _told(statuses)
    return _told(statuses)


def _an_agreement_of_somebody_else(world: World) -> str:
    body = {"id": AGREEMENT, "service": SERVICE, "purposes": [PURPOSE], "legalGround": "Thử"}
    with world.tenant() as http:
        asked = http.post("/catalog/v1/agreements", json=body)
    with world.operator() as http:
        there = http.get(f"/catalog/v1/agreements/{AGREEMENT}").json()
    assert there["spec"]["consumer"] == CONSUMER
    assert there["effectiveStatus"] == "in-force"
    assert asked.status_code in {201, 429}, asked.text
    assert asked.status_code == 429 or asked.json()["metadata"]["id"] != AGREEMENT
    return f"{asked.status_code}, of its own name"


FILLING = [
    Attack("800 calls with a valid token and no agreement", _calls_without_an_agreement),
    Attack("800 token requests that prove nothing", _token_requests),
    Attack("an agreement's id that belongs to somebody else", _an_agreement_of_somebody_else),
    Attack("200 requests for agreements", _requests_for_agreements),
    Attack("events of 200 kilobytes, as many as there may be", _events),
]


def _addresses_that_lead_inside(world: World) -> str:
    own = world.platform.settings.port("identity")
    upstreams = [
        "http://169.254.169.254/latest",
        f"http://127.0.0.1:{own}",
        f"http://localhost:{own}",
        f"http://[::ffff:127.0.0.1]:{own}",
        "http://0.0.0.0:8080",
    ]
    openapi = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {}}
    with world.operator() as http:
        answers = [
            http.post(
                "/catalog/v1/apply",
                json={
                    "manifests": [
                        manifest("Service", f"{HOSTILE}/inside-v1", upstreams=[address], openapi=openapi)
                    ]
                },
            )
            for address in upstreams
        ]
    return _refused(answers, {422})


def _keys_that_prove_nothing(world: World) -> str:
    zero = {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}
    not_on_the_curve = {"kty": "EC", "crv": "P-256", "x": "A" * 42 + "E", "y": "A" * 42 + "E"}
    even = {"kty": "RSA", "e": "AQAB", "n": urlsafe_b64encode(b"\xff" * 255 + b"\xfe").decode().rstrip("=")}
    with world.operator() as http:
        answers = [
            http.post(
                "/catalog/v1/apply",
                json={"manifests": [manifest("System", f"{HOSTILE}-2", jwks={"keys": [key]})]},
            )
            for key in (zero, not_on_the_curve, even)
        ]
    return _refused(answers, {422})


REGISTERING = [
    Attack("addresses of providers that lead inside", _addresses_that_lead_inside),
    Attack("public keys that prove nothing", _keys_that_prove_nothing),
]


def _at_once(send: Callable[[int], httpx.Response], numbers: Sequence[int]) -> Generator[httpx.Response]:
    """Send requests on several connections: one after another, a busy machine keeps them below every limit.

    No more are begun than are asked for, but for those that are on their way then.
    """
    with ThreadPoolExecutor(_SENDERS) as pool:
        for first in range(0, len(numbers), _SENDERS):
            yield from pool.map(send, numbers[first : first + _SENDERS])


def _agreement_requests(world: World, bodies: Iterable[bytes]) -> str:
    with world.tenant() as http:
        return _refused(
            [_post_json(http, "/catalog/v1/agreements", body) for body in bodies], {400, 413, 422}
        )


def _post_json(http: httpx.Client, path: str, body: bytes) -> httpx.Response:
    return http.post(path, content=body, headers={"Content-Type": "application/json"})


def _refused(answers: Iterable[httpx.Response], expected: set[int]) -> str:
    """All are problem documents (RFC 9457) or OAuth errors with these statuses, none of them long."""
    statuses = Counter[int]()
    for answer in answers:
        statuses[answer.status_code] += 1
        assert answer.status_code in expected, (answer.status_code, answer.text[:500])
        assert len(answer.content) <= MOST_ANSWER_BYTES
        assert answer.headers["Content-Type"].startswith(("application/problem+json", "application/json"))
    return _told(statuses)


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
