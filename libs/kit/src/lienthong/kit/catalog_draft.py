"""What becomes the next state of the catalog that a process follows (`kit.catalog`), resource by resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from lienthong.contracts.catalog.v1 import routes_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lienthong.kit.packed import PackedMap

Kind: TypeAlias = "routes_pb2.ResourceKind.ValueType"

AGREEMENT = routes_pb2.RESOURCE_KIND_AGREEMENT
_APPROVED = routes_pb2.AGREEMENT_STATUS_APPROVED
_MOST_UNUSABLE = 100
_MOST_UNAPPROVED = 20
_BODIES = {
    "system": routes_pb2.RESOURCE_KIND_SYSTEM,
    "service": routes_pb2.RESOURCE_KIND_SERVICE,
    "agreement": AGREEMENT,
    "event_type": routes_pb2.RESOURCE_KIND_EVENT_TYPE,
}


class AgreementIds(msgspec.Struct, array_like=True):
    """The ids of the agreements of two parties."""

    approved: list[str] = []
    others: list[str] = []
    """Of those that are not approved the 20 that changed last, the last at the end. They say why a call is
    refused, and two parties can make as many of them as they like."""


read_ids = msgspec.msgpack.Decoder(AgreementIds).decode
_write = msgspec.msgpack.Encoder().encode


class CatalogDraft:
    """Changes of a catalog: its two packed maps, and what is said about them.

    It is changed in place by all parts of an update. Were each part a state of its own, a snapshot would copy
    the nodes of both maps for each of its thousands of parts, which took longer than all else together.
    """

    def __init__(
        self, resources: PackedMap, agreements: PackedMap, counts: Mapping[int, int], unusable: Iterable[str]
    ) -> None:
        self._resources = resources.edit()
        self._agreements = agreements.edit()
        self.counts = dict(counts)
        """How many resources there are of each kind."""
        self.unusable = set(unusable)
        """Resources that could not be used and were left out, as kind and id; at most 100."""

    def put(self, resource: routes_pb2.Resource) -> None:
        """Add a resource, or replace it. One that cannot be used is left out and named."""
        key = resource.key
        kind, resource_id = key.kind, key.id
        if self._put(resource, kind, resource_id):
            if self.unusable:
                self.unusable.discard(f"{kind}/{resource_id}")
            return
        self.remove(kind, resource_id)
        if len(self.unusable) < _MOST_UNUSABLE:
            self.unusable.add(f"{kind}/{resource_id}")

    def remove(self, kind: Kind, resource_id: str) -> None:
        """Remove a resource, if there is one."""
        removed = self._resources.pop(resource_key(kind, resource_id.encode()))
        if removed is not None:
            self.counts[kind] = self.counts.get(kind, 0) - 1
            if kind == AGREEMENT:
                self._unlink(resource_id, removed)
        self.unusable.discard(f"{kind}/{resource_id}")

    def finish(self) -> tuple[PackedMap, PackedMap]:
        """Resources and agreements with all changes; the draft cannot be used any more."""
        return self._resources.finish(), self._agreements.finish()

    def _put(self, resource: routes_pb2.Resource, kind: Kind, resource_id: str) -> bool:
        """Add a resource, or replace it; False for one that cannot be used."""
        body = resource.WhichOneof("body")
        if body is None or _BODIES.get(body) != kind:
            return False
        message = getattr(resource, body)
        if message.id != resource_id:
            return False
        parties = None
        if body == "agreement":
            parties = _parties_of(message)
            if parties is None:
                return False
            message.ClearField("id")
        before = self._resources.set(resource_key(kind, resource_id.encode()), message.SerializeToString())
        if before is None:
            self.counts[kind] = self.counts.get(kind, 0) + 1
        if parties is not None:
            if before is not None:
                self._unlink(resource_id, before)
            self._link(parties, resource_id, approved=message.status == _APPROVED)
        return True

    def _link(self, parties: bytes, agreement_id: str, *, approved: bool) -> None:
        """Note an agreement of two parties, which mostly have no other."""
        alone = (agreement_id,)
        packed = self._agreements.set(parties, _write((alone, ()) if approved else ((), alone)))
        if packed is not None:
            known = read_ids(packed)
            if approved:
                known.approved.append(agreement_id)
            else:
                known.others = [*known.others, agreement_id][-_MOST_UNAPPROVED:]
            self._agreements.set(parties, _write(known))

    def _unlink(self, agreement_id: str, message: bytes) -> None:
        """Forget an agreement, whose message says who its parties are."""
        parties = _parties_of(routes_pb2.Agreement.FromString(message))
        packed = self._agreements.pop(parties) if parties is not None else None
        if parties is None or packed is None:
            return
        known = read_ids(packed)
        for ids in (known.approved, known.others):
            if agreement_id in ids:
                ids.remove(agreement_id)
        if known.approved or known.others:
            self._agreements.set(parties, _write(known))


def resource_key(kind: Kind, resource_id: bytes) -> bytes:
    """The key of a resource in the map of all."""
    return b"%d/%b" % (kind, resource_id)


def parties_key(consumer: str, target: str) -> bytes:
    """The key of a consumer and a service or event type in the map of agreements."""
    return f"{consumer}\0{target}".encode()


def _parties_of(agreement: routes_pb2.Agreement) -> bytes | None:
    """The key of the parties of an agreement; None where they cannot be told apart."""
    consumer, target = agreement.consumer_id, agreement.service_id or agreement.event_type_id
    return None if "\0" in consumer or not target else parties_key(consumer, target)
