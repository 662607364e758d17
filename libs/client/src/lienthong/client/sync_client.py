# Made from async_client.py by libs/client/make_sync.py: change that file, then run `make sync`.
"""The synchronous client of the bus."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from uuid import uuid4

import httpx

from lienthong.client import operations, wire
from lienthong.client.credentials import Credentials
from lienthong.client.deprecations import DeprecationWarnings
from lienthong.client.errors import NotFoundError, NotYetRecordedError
from lienthong.client.sync_auth import SystemAuth

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from lienthong.client.answers import AckResult, Answer, ApplyResult, Found, PublishedEvent, PulledEvent
    from lienthong.client.checkpoints import SeenLedger
    from lienthong.client.operations import Operation
    from lienthong.client.tokens import Token
    from lienthong.tlog.note import VerifierKey
    from lienthong.tlog.seen import SeenCheckpoint

T = TypeVar("T")

_CACHED_CHECKPOINT_S = 1.5
"""A checkpoint may come from a cache, in which it lies for a second at most."""


class Client:
    """A system's connection to the bus; threads may share it.

        with Client.from_folder("my-system") as client:
            answer = client.call("H11.05/land/parcels-v1", "GET", "/parcels/1", purpose="land")
            print(answer.json(), answer.transaction_id)

    `gateway` is the gateway's address, by default the issuer of the credentials; without credentials only
    what is public can be read. `timeout` is in seconds for each request. Access tokens are fetched when
    needed and renewed before they expire. Every method raises subclasses of `LienthongError`, never httpx's
    errors: `UnreachableError` when no gateway answers, `RefusedError` when the bus refuses. `tls` says which
    authorities to trust and which certificate to show; without it those of the system, or of SSL_CERT_FILE,
    are trusted. With `dpop` access tokens are bound to a key that the client makes for itself and keeps in
    memory: one that is stolen is good for nobody (RFC 9449). `transport`, `now`, `monotonic` and `sleep` are
    for tests.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        gateway: str | None = None,
        timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
        dpop: bool = False,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.credentials = credentials
        self.gateway = wire.gateway_url(credentials, gateway)
        self._timeout = timeout
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        tokens = wire.token_cache(credentials, self.gateway, now=now, monotonic=monotonic, dpop=dpop)
        self._auth = None if tokens is None else SystemAuth(tokens, sleep)
        self._deprecations = DeprecationWarnings()
        self._http = httpx.Client(transport=transport, **wire.options(self.gateway, timeout, tls))

    @classmethod
    def from_folder(
        cls,
        folder: Path | str,
        *,
        gateway: str | None = None,
        timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
        dpop: bool = False,
    ) -> Client:
        """A client with the credentials of a folder (`client.json` and `key.jwk`).

        Raises `CredentialsError` where the folder is missing or damaged.
        """
        return cls(Credentials.load(folder), gateway=gateway, timeout=timeout, tls=tls, dpop=dpop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def perform(self, operation: Operation[T]) -> T:
        """Send an operation of `lienthong.client.operations` and read its answer."""
        return operation.read(self.send(operation))

    def send(self, operation: Operation[Any]) -> httpx.Response:
        """Send an operation and return the HTTP response as it is, whatever its status."""
        if not operation.public:
            wire.required(self._auth)
        arguments = wire.arguments(operation, self._auth, self._timeout)
        with wire.failures(self.gateway):
            return self._http.request(**arguments)

    def token(self) -> Token:
        """An access token for other HTTP clients: the one in use, or a new one when that expires soon.

        With `dpop` it is good with proofs of this client alone.
        """
        auth = wire.required(self._auth)
        last = httpx.Request("GET", self.gateway)
        flow = auth.sync_auth_flow(last)
        try:
            with wire.failures(self.gateway):
                request = next(flow)
                while request is not last:
                    request = flow.send(self._http.send(request))
        finally:
            flow.close()
        return auth.tokens.current

    def call(
        self,
        service_id: str,
        method: str,
        path: str,
        *,
        purpose: str | None = None,
        case: str | None = None,
        user: str | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call an operation of a service, and return the provider's answer, whatever its status.

        `path` is a path of the service's OpenAPI document with its parameters filled in and percent-encoded,
        `params` the query. The body is either `json`, any JSON value, or `content`, bytes whose type
        `headers` names. `purpose`, `case` (the number of the case file) and `user` (who asks) go into the
        audit record; `user` is stored only as a keyed hash. `purpose` may be left out where the agreement
        has a single one.

        Of a service that is deprecated the logger `lienthong.client` warns once; `answer.deprecation` has the
        end and the successor.

        Raises `RefusedError` when the bus refuses the call, for example `ForbiddenError`.
        """
        content, headers = operations.body(json, content, headers)
        answer = self.perform(
            operations.call(
                service_id,
                method,
                path,
                purpose=purpose,
                case=case,
                user=user,
                params=params,
                content=content,
                headers=headers,
            )
        )
        self._deprecations.note(service_id, answer.headers)
        return answer

    def receipt(self, transaction_id: str, *, kind: str | None = None, wait: float = 10.0) -> str:
        """The receipt of a call as text (c2sp.org/tlog-proof), which `verification.verify` checks off line.

        Waits up to `wait` seconds for the ledger to integrate the call, and raises `NotYetRecordedError` when
        it has not by then. A transaction can have records of several kinds: `kind` is `call` by default,
        `intent` or `admin`.
        """
        start = self._monotonic()
        while True:
            try:
                return self.perform(operations.receipt(transaction_id, kind))
            except NotYetRecordedError as error:
                pause = wire.retry_pause(error, waited=self._monotonic() - start, limit=wait)
                if pause is None:
                    raise
            self._sleep(pause)

    def checkpoint(self, key: VerifierKey | str, *, beside: SeenCheckpoint | None = None) -> SeenLedger:
        """The newest checkpoint of the ledger, verified with the ledger's public key, which came another way.

        It has to continue the one that was seen last from this machine, and is then kept in its place
        (`lienthong.client.kept_checkpoints`). Raises `RolledBackLedgerError` or `ForkedLedgerError` where it
        does not, `KeptCheckpointError` where the one kept is damaged, `VerificationError` for a signature
        that does not hold. `beside` is another checkpoint that this key verified, earlier or later, such as
        that of a receipt: of another history it is refused likewise.
        """
        from lienthong.client.checkpoints import Baseline

        baseline = Baseline.of(key)
        operation = operations.audit_file("checkpoint", public=True)
        note = self.perform(operation)
        found = baseline.compare(note, beside)
        if found.shorter:
            self._sleep(_CACHED_CHECKPOINT_S)
            note = self.perform(operation)
            found = baseline.compare(note, beside)
        tiles = {}
        for address in found.needs:
            with contextlib.suppress(NotFoundError):
                tiles[address] = self.perform(operations.audit_file(address.path, public=True))
        return found.settle(tiles)

    def publish(
        self,
        event_type: str,
        data: object,
        *,
        event_id: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
    ) -> PublishedEvent:
        """Publish an event of this system; returns when it is stored durably.

        `data` is any JSON value that the event type's schema allows. `source` is `/{client id}` by default,
        `time`, which needs a time zone, the present. Give an `event_id` of your own, so that
        publishing again after a failure makes no second event; otherwise a random one is used.
        """
        credentials = wire.required(self._auth).tokens.credentials
        return self.perform(
            operations.publish(
                event_type,
                data,
                event_id=event_id or str(uuid4()),
                source=source or f"/{credentials.client_id}",
                time=time or datetime.fromtimestamp(self._now(), UTC),
                subject=subject,
            )
        )

    def subscribe(
        self, name: str, event_type: str, *, start: Literal["new", "all"] = "new", ordered: bool = True
    ) -> Mapping[str, Any]:
        """Create a subscription and return it; one of this name with the same properties stays as it is.

        `start` is `new` (events from now on) or `all` (those stored too). With `ordered`, newer events are
        held back until those of the last pull are acknowledged. Raises `ConflictError` where the name is
        taken by another subscription.
        """
        return self.perform(operations.subscribe(name, event_type, start=start, ordered=ordered))

    def subscriptions(self) -> tuple[Mapping[str, Any], ...]:
        """The subscriptions of this system."""
        return self.perform(operations.subscriptions())

    def unsubscribe(self, name: str) -> None:
        """Delete a subscription; events that it has not received yet are not kept for it."""
        self.perform(operations.unsubscribe(name))

    def pull(self, name: str, *, limit: int = 10, wait: float = 0) -> tuple[PulledEvent, ...]:
        """Receive up to `limit` (1 to 100) events, waiting up to `wait` (0 to 30) seconds for the first.

        An event that `ack` does not acknowledge in time is delivered again.
        """
        return self.perform(operations.pull(name, limit=limit, wait=wait))

    def ack(self, name: str, pulled: Sequence[PulledEvent | str]) -> AckResult:
        """Acknowledge events of `pull`, or their tokens, so that they are not delivered again.

        The result names the tokens that were refused, for example those of another subscription.
        """
        return self.perform(operations.ack(name, operations.ack_tokens(pulled)))

    def apply(
        self, manifests: Sequence[Mapping[str, Any]], *, dry_run: bool = False, allow_breaking: bool = False
    ) -> ApplyResult:
        """Create or update resources of the catalog, all or none; with `dry_run`, only say what would change.

        A new document of a service that breaks who has an open agreement is taken with `allow_breaking` only.
        Raises `InvalidError` or `ConflictError`, whose `mistakes` name every place that is wrong.
        """
        return self.perform(operations.apply(manifests, dry_run=dry_run, allow_breaking=allow_breaking))

    def search(
        self,
        words: str,
        *,
        kind: str | None = None,
        agency: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Found:
        """A page of the agencies, systems, services and event types that have all words, the best first.

        With or without Vietnamese marks; those with the marks that were given come first. The last word may
        be the beginning of one. `kind` is `Agency`, `System`, `Service` or `EventType`. Raises
        `RefusedError` for more than ten words.
        """
        return self.perform(operations.search(words, kind=kind, agency=agency, cursor=cursor, limit=limit))

    def manifests(self, kind: str, filters: Mapping[str, str] | None = None) -> Iterator[Mapping[str, Any]]:
        """Every resource of a kind (`operations.KINDS`) that matches all filters, fetched page by page.

        Which filters a kind has is in `operations.FILTERS`, for example `{"status": "requested"}` for
        agreements.
        """
        cursor: str | None = None
        while True:
            page = self.perform(operations.manifests(kind, filters, cursor=cursor))
            yield from page.items
            if (cursor := page.next) is None:
                return

    def usage(self, filters: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """How many calls there were of and to this system's agency; with the scope `audit:read` of all.

        Filters are `by` (what is counted apart: `consumer`, `service`, …, with commas between), `from` and
        `to` (RFC 3339), `agency`, `consumer`, `consumer_agency`, `service`, `provider`, `operation`,
        `purpose`, `status` (a digit), `error` and `limit`.
        """
        return self.perform(operations.usage(filters or {}))

    def person_hashes(self, value: str) -> list[str]:
        """Under which hashes records have a person: what `entries` takes as `person`. Needs `audit:read`.

        `value` is what names the person in calls, such as a personal number. It is hashed where the key is,
        at the gateway, which records that it was asked for.
        """
        return self.perform(operations.person_hashes(value))

    def entries(
        self, filters: Mapping[str, str | Sequence[str]], *, limit: int | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Entries of the ledger that match all filters, newest first, at most `limit`, fetched page by page.

        Filters are `tx`, `client`, `service`, `agency`, `kind`, `status`, `from` and `to` (RFC 3339),
        `person` (hashes of `person_hashes`, any of them) and `unfinished` (`true`: endless answers without
        an end). A system finds the calls that it made and those to its agency; with the scope `audit:read`
        all are found.
        """
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = None if left is None else min(left, operations.LARGEST_PAGE)
            page = self.perform(operations.entries(filters, cursor=cursor, limit=size))
            items = page.items if left is None else page.items[:left]
            yield from items
            left = None if left is None else left - len(items)
            if (cursor := page.next) is None:
                return
