"""Asking for agreements and deciding on them, and switching systems off and on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lienthong.catalog import agreements, json_text
from lienthong.catalog.agreements import Decision, Status, Verdict
from lienthong.catalog.applying import carry_out, plan_or_refuse, terms
from lienthong.catalog.changes import Act
from lienthong.catalog.errors import (
    ConflictError,
    InvalidManifestsError,
    NotAllowedError,
    UnknownResourceError,
    refuse,
)
from lienthong.catalog.kinds import Key, Kind
from lienthong.catalog.mistakes import Mistake
from lienthong.catalog.resources import SUSPENDED
from lienthong.catalog.schemas.decisions import read_decision
from lienthong.catalog.schemas.drafts import read_identity, read_spec

if TYPE_CHECKING:
    from lienthong.catalog.callers import Party
    from lienthong.catalog.changes import Change, Changes
    from lienthong.catalog.json_text import Json
    from lienthong.catalog.resources import Resource
    from lienthong.catalog.schemas.drafts import Draft
    from lienthong.kit.ids import NewId


class Deciding:
    """Keeps the lives of agreements and the status of systems."""

    def __init__(self, changes: Changes, new_id: NewId) -> None:
        self._changes = changes
        self._new_id = new_id

    async def request(self, body: Json, party: Party) -> tuple[Resource, bool]:
        """Ask for an agreement; returns it, and whether it is new (the same request sent twice is not).

        Raises:
            InvalidManifestsError: something in the body is wrong.
            NotAllowedError: the caller asks for another system.
            ConflictError: another agreement has this id.
        """
        draft, mistakes = self._request_draft(body, party)
        if mistakes:
            async with self._changes.rehearse() as (repository, _, now):
                await plan_or_refuse([draft], mistakes, repository, now)
        async with self._changes.begin(party.author) as change:
            before = await change.repository.get(draft.key)
            if before is not None:
                _check_same_request(before, draft)
                return before, False
            await carry_out(await plan_or_refuse([draft], [], change.repository, change.now), change)
            return await _existing(change, draft.key), True

    async def decide(self, identity: str, verdict: Verdict, body: Json, party: Party) -> Resource:
        """Decide on an agreement. The same decision sent twice changes nothing the second time.

        Raises:
            UnknownResourceError: there is no such agreement.
            NotAllowedError: the caller is neither the operator nor a system of the agency whose data it is.
            InvalidManifestsError: the ground or reason is missing or wrong.
            ConflictError: the agreement's status does not allow it.
        """
        said, mistakes = read_decision(verdict, body)
        async with self._changes.begin(party.author) as change:
            agreement = await _existing(change, (Kind.AGREEMENT, identity))
            if not party.is_operator and party.agency != agreement.provider_agency:
                raise NotAllowedError(
                    f"Only the operator and systems of the agency '{agreement.provider_agency}' decide "
                    f"on this.",
                    f"Chỉ người vận hành và hệ thống của cơ quan '{agreement.provider_agency}' được "
                    f"quyết định.",
                )
            refuse(mistakes)
            ground = said.legal_ground or (
                agreement.spec["legalGround"] if verdict is Verdict.APPROVE else ""
            )
            status = Status(agreement.status)
            try:
                after = agreements.decide(status, verdict)
            except agreements.DecisionConflictError as conflict:
                last = agreement.decisions[-1] if agreement.decisions else None
                again = last and replace(
                    last, by=party.client_id, legal_ground=ground, reason=said.reason or ""
                )
                if last and last == again and agreements.OUTCOMES[verdict] is status:
                    return agreement
                raise ConflictError([Mistake.at((), conflict.en, conflict.vi, conflict=True)]) from None
            decision = Decision(after, party.client_id, change.now, ground, said.reason or "")
            return await _decided(agreement, decision, verdict, change)

    async def switch(self, identity: str, status: str, party: Party) -> Resource:
        """Suspend a system or let it take part again, with everything it offers.

        Raises:
            UnknownResourceError: there is no such system.
        """
        async with self._changes.begin(party.author) as change:
            system = await _existing(change, (Kind.SYSTEM, identity))
            if system.status == status:
                return system
            version = change.next_version()
            after = replace(system, status=status, version=version, updated_at=change.now)
            await change.repository.update([after])
            offers = await change.repository.offers(identity)
            await change.log({system.key: version} | {key: change.next_version() for key in offers})
            action = "system.suspend" if status == SUSPENDED else "system.resume"
            await change.audit([Act(action, system.key, {"version": version})])
            return after

    def _request_draft(self, body: Json, party: Party) -> tuple[Draft, list[Mistake]]:
        refuse([Mistake.at(found.path, found.en, found.vi) for found in json_text.findings(body)])
        if not isinstance(body, dict):
            raise InvalidManifestsError([Mistake.at((), "must be an object", "phải là một đối tượng")])
        mistakes: list[Mistake] = []
        spec = dict(body)
        given = spec.pop("id", None)
        if not party.is_operator:
            spec.setdefault("consumer", party.client_id)
        identity: str | None = self._new_id()
        if given is not None and not isinstance(given, str):
            identity, mistakes = None, [Mistake.at(("id",), "must be text", "phải là văn bản")]
        elif given is not None:
            identity, mistakes = read_identity(Kind.AGREEMENT, given, ("id",))
        draft, wrong = read_spec(Kind.AGREEMENT, identity, spec, at=(), id_at=("id",))
        mistakes += wrong
        if spec.get("status") == Status.APPROVED:
            mistakes.append(
                Mistake.at(
                    ("status",),
                    "who asks does not decide; leave it out",
                    "bên đề nghị không tự duyệt; hãy bỏ trường này",
                )
            )
        consumers = [key[1] for path, key in draft.references if path == ("consumer",)]
        if not party.is_operator and consumers and consumers != [party.client_id]:
            raise NotAllowedError(
                f"A system asks for itself only; you are '{party.client_id}'.",
                f"Hệ thống chỉ được đề nghị cho chính mình; bạn là '{party.client_id}'.",
            )
        return draft, mistakes


async def _decided(agreement: Resource, decision: Decision, verdict: Verdict, change: Change) -> Resource:
    version = change.next_version()
    after = replace(
        agreement,
        status=decision.status.value,
        version=version,
        updated_at=change.now,
        decisions=(*agreement.decisions, decision),
    )
    await change.repository.update([after])
    await change.repository.add_decision(agreement.id, decision, version)
    await change.log({agreement.key: version})
    detail: dict[str, Any] = {"version": version, **terms(agreement.spec)}
    if decision.legal_ground:
        detail["decision_ground"] = decision.legal_ground
    await change.audit([Act(f"agreement.{verdict.value}", agreement.key, detail)])
    return after


async def _existing(change: Change, key: Key) -> Resource:
    resource = await change.repository.get(key)
    if resource is None:
        raise UnknownResourceError(key)
    return resource


def _check_same_request(before: Resource, draft: Draft) -> None:
    if before.spec | {"status": Status.REQUESTED.value} != draft.spec:
        mistake = Mistake.at(
            ("id",),
            f"another agreement has the id '{draft.id}'; use a new one",
            f"mã '{draft.id}' đã thuộc về thoả thuận khác; hãy dùng mã mới",
            conflict=True,
        )
        raise ConflictError([mistake])
    try:
        agreements.reapply(Status(before.status), Status.REQUESTED, terms_changed=False)
    except agreements.DecisionConflictError as conflict:
        raise ConflictError([Mistake.at(("id",), conflict.en, conflict.vi, conflict=True)]) from None
