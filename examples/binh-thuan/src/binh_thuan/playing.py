"""Sending the calls of the story through the gateway, and proving each by a receipt."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx

from binh_thuan import story
from lienthong.client import Client, LienthongError
from lienthong.client.verification import read_key, verify
from lienthong.kit.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from binh_thuan.story import Step
    from lienthong.client import Credentials
    from lienthong.edge import LocalEdge

#: After the catalog has changed, gateway and identity learn of it within a second; more is a fault.
SETTLING_S = 15.0
_PAUSE_S = 0.1
#: Each pull waits two seconds; an event that was acknowledged to its publisher is there at once.
_PULLS = 5


@dataclass(frozen=True, slots=True)
class Played:
    """A step that was played: the answer, and its index in the ledger once it is proved."""

    step: Step
    client_id: str
    status: int
    error: str | None
    transaction_id: str | None
    answer: Any = field(repr=False)
    index: int | None = None
    complaint: str | None = None

    @property
    def as_expected(self) -> bool:
        """Whether the answer is the one that the story expects."""
        return (self.status, self.error) == (self.step.status, self.step.error)

    @property
    def sound(self) -> bool:
        """Whether the answer is as expected and its receipt was verified."""
        return self.as_expected and self.index is not None and self.complaint is None

    @property
    def words(self) -> str:
        """A short summary of the answer."""
        if not self.as_expected:
            return " ".join(str(part) for part in (self.status or "", self.error, self.complaint) if part)
        return self.complaint or self.step.tell(self.answer)


class Players:
    """The demo's systems, each with its connection to the bus.

    `instance` is the name of the installation, `edge` the TLS edge, to which a system shows its certificate.
    `settling` says that the catalog has just changed: a step is then tried again until it is answered as
    expected.
    """

    def __init__(
        self, credentials: Mapping[str, Credentials], *, instance: str, edge: LocalEdge, settling: bool
    ) -> None:
        self._credentials = credentials
        self._instance = instance
        self._edge = edge
        self._clients = {name: Client(one) for name, one in credentials.items()}
        self._by_edge: dict[str, Client] = {}
        self._by_key: dict[str, Client] = {}
        self._settled_by = time.monotonic() + (SETTLING_S if settling else 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (*self._clients.values(), *self._by_edge.values(), *self._by_key.values()):
            client.close()

    def round(self, *, births: bool) -> list[Played]:
        """Play the whole story; `births` says that the one-stop shop may ask for them."""
        steps = [*story.calls(self._instance), *([story.birth_for_the_case()] if births else [])]
        return [*(self.play(step) for step in steps), *self._event()]

    def play(self, step: Step) -> Played:
        """Play one step."""
        tried = 0
        while True:
            played = self._once(step)
            tried += 1
            if played.as_expected:
                return played
            if tried >= step.tries:
                if time.monotonic() > self._settled_by:
                    return played
                time.sleep(_PAUSE_S)

    def prove(self, played: Played, ledger_key: str, receipts: Path) -> Played:
        """Fetch the receipt as the caller, keep it in `receipts`, and verify it with the key alone."""
        if played.transaction_id is None:
            return played
        try:
            receipt = self._clients[played.step.system].receipt(played.transaction_id, wait=20.0)
            receipts.mkdir(parents=True, exist_ok=True)
            replace_file(receipts / f"{played.transaction_id}.receipt", receipt)
            proved = verify(receipt, read_key(ledger_key))
        except LienthongError as error:
            return replace(played, complaint=f"{error.title.vi} · {error.title.en}")
        record = proved.record
        said = (record.get("tx"), record.get("client"), record.get("status"), record.get("error"))
        if said != (played.transaction_id, played.client_id, played.status, played.error):
            return replace(played, complaint="biên nhận của lời gọi khác · the receipt is another call's")
        return replace(played, index=proved.index)

    def _event(self) -> list[Played]:
        self._subscribe()
        published = self.play(story.publication())
        sent = json.loads(published.step.operation.content or b"{}")["id"]
        for _ in range(_PULLS):
            taken = self.play(story.delivery())
            events = taken.answer.get("events", []) if taken.as_expected else []
            if sent in [one["event"]["id"] for one in events]:
                acknowledged = self.play(story.acknowledgement([one["ack"] for one in events]))
                return [published, taken, acknowledged]
        return [published, replace(taken, complaint="sự kiện chưa đến · the event has not come")]

    def _subscribe(self) -> None:
        while True:
            try:
                self._clients["one-stop"].subscribe(story.SUBSCRIPTION, story.EVENT_TYPE)
            except LienthongError:
                if time.monotonic() > self._settled_by:
                    return
                time.sleep(_PAUSE_S)
            else:
                return

    def _client_by_edge(self, system: str) -> Client:
        client = self._by_edge.get(system)
        if client is None:
            one, authority = self._credentials[system], self._edge.authority
            tls = ssl.create_default_context(cafile=str(authority.certificate))
            tls.load_cert_chain(*authority.client(system, one.client_id))
            client = self._by_edge[system] = Client(one, gateway=self._edge.url, tls=tls)
        return client

    def _client_by_key(self, system: str) -> Client:
        client = self._by_key.get(system)
        if client is None:
            client = self._by_key[system] = Client(self._credentials[system], dpop=True)
        return client

    def _client(self, step: Step) -> Client:
        if step.by_edge:
            return self._client_by_edge(step.system)
        return self._client_by_key(step.system) if step.by_key else self._clients[step.system]

    def _once(self, step: Step) -> Played:
        client = self._client(step)
        client_id = client.credentials.client_id if client.credentials else ""
        try:
            response = client.send(step.operation)
        except LienthongError as error:
            complaint = f"{error.title.vi} · {error.title.en}"
            return Played(step, client_id, 0, error.code, None, None, complaint=complaint)
        return Played(
            step,
            client_id,
            response.status_code,
            response.headers.get("LGSP-Error"),
            response.headers.get("LGSP-Transaction-Id"),
            _answer(response),
        )


def document(played: Played, gateway: str, edge: LocalEdge, receipts: Path) -> dict[str, Any]:
    """Return a played step for `calls.json`: all that a script needs to repeat it, but no token."""
    operation = played.step.operation
    url = httpx.URL((edge.url if played.step.by_edge else gateway) + operation.path)
    if operation.params:
        url = url.copy_merge_params(dict(operation.params))
    found: dict[str, Any] = {
        "system": played.step.system,
        "client_id": played.client_id,
        "title": {"vi": played.step.vi, "en": played.step.en},
        "method": operation.method,
        "url": str(url),
        "headers": dict(operation.headers),
    }
    if operation.content is not None:
        found |= _body(operation.content)
    if played.step.by_edge:
        certificate, key = edge.authority.client(played.step.system, played.client_id)
        found["authority_file"] = str(edge.authority.certificate)
        found["certificate_file"], found["key_file"] = str(certificate), str(key)
    found["status"] = played.status
    if played.error:
        found["error"] = played.error
    found["transaction_id"] = played.transaction_id
    found["receipt"] = f"{gateway}/audit/v1/receipts/{played.transaction_id}"
    found["receipt_file"] = str(receipts / f"{played.transaction_id}.receipt")
    return found


def _body(content: bytes) -> dict[str, Any]:
    """The body of a request: JSON as `body`, anything else as `text`."""
    try:
        return {"body": json.loads(content)}
    except ValueError:
        return {"text": content.decode()}


def _answer(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON value, or text
    try:
        return response.json()
    except ValueError:
        return response.text
