"""What the catalog has of agencies beside what files say, and taking it out of use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from lienthong.client import completion, operations
from lienthong.client.commands.sending import sent
from lienthong.client.errors import InputError, Text
from lienthong.client.pruning import STEPS, Holdings, Surplus, surplus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lienthong.client.answers import ApplyResult
    from lienthong.client.manifests.load import Manifests
    from lienthong.client.sync_client import Client
    from lienthong.client.terminal.screen import Screen

Agencies: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--agency",
        metavar="AGENCY",
        help="Phạm vi: cơ quan mà các tệp nói trọn; lặp lại được · "
        "The scope: an agency of which the files say everything; repeatable",
        autocompletion=completion.agencies,
    ),
]
Kinds: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Chỉ loại này: services, systems, agreements; lặp lại được · "
        "Only this kind: services, systems, agreements; repeatable",
    ),
]


def planned(
    client: Client, manifests: Manifests, agencies: Sequence[str] | None, kinds: Sequence[str] | None
) -> tuple[ApplyResult, list[Surplus]]:
    """What applying the files would do, and what the catalog has of the agencies beyond them."""
    if not agencies:
        raise InputError(_NO_SCOPE, advice=_NAME_IT, code="usage")
    chosen = _chosen(kinds)
    # The catalog says under which ids it has them: codes of agencies have two forms.
    found = sent(manifests, lambda: client.apply(manifests.values, dry_run=True, allow_breaking=True))
    written = {(one.kind, one.id) for one in found.results}
    codes = [_code(client, agency) for agency in agencies]
    for code in codes:
        if not any(one.partition("/")[0] == code for kind, one in written if kind != "Agreement"):
            raise InputError(
                Text(f"Các tệp không có gì của {code}", f"The files have nothing of {code}"),
                advice=Text(
                    "Kiểm tra thư mục: nếu đúng, mọi thứ của cơ quan sẽ bị ngừng.",
                    "Look whether it is the right folder: all of the agency would be taken out of use.",
                ),
            )
    return found, surplus(_held(client, codes), written, codes, chosen)


def _chosen(kinds: Sequence[str] | None) -> Collection[str]:
    known = {plural: kind for plural, kind in operations.KINDS.items() if kind in STEPS}
    for kind in kinds or ():
        if kind not in known:
            listed = ", ".join(known)
            raise InputError(
                Text(f"Không dừng được loại «{kind}»", f"There is no pruning of '{kind}'"),
                Text(f"Các loại: {listed}.", f"Kinds: {listed}."),
                code="unknown-kind",
            )
    return {known[kind] for kind in kinds or known}


def _code(client: Client, agency: str) -> str:
    """The code of an agency as the catalog has it."""
    return str(client.perform(operations.manifest("agencies", agency))["metadata"]["id"])


def _held(client: Client, agencies: Sequence[str]) -> Holdings:
    systems, services, event_types = (
        [one for code in agencies for one in client.manifests(kind, {"agency": code})]
        for kind in ("systems", "services", "event-types")
    )
    agreements = {
        str(one["metadata"]["id"]): one
        for code in agencies
        for side in ("provider", "consumer_agency")
        for one in client.manifests("agreements", {side: code})
    }
    return Holdings(systems, services, event_types, list(agreements.values()))


def take_out_of_use(client: Client, one: Surplus, reason: str, now: datetime | None = None) -> None:
    """Withdraw, retire or suspend it."""
    if one.kind == "Agreement":
        client.perform(operations.decide_agreement(one.id, one.step, legal_ground=None, reason=reason))
    elif one.kind == "System":
        client.perform(operations.set_system_state(one.id, one.step))
    else:
        _retire(client, one.id, now or datetime.now(UTC))


def _retire(client: Client, service: str, now: datetime) -> None:
    """Retire a service; one that is published is deprecated first, as its life wants it.

    It is read with its version: who changes it meanwhile is not passed over.
    """
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    found = client.perform(operations.manifest("services", service))
    lifecycle = dict(found["spec"].get("lifecycle") or {"stage": "published"})
    if lifecycle["stage"] == "published":
        deprecated = {**lifecycle, "stage": "deprecated", "deprecatedAt": at}
        client.apply([{**found, "spec": {**found["spec"], "lifecycle": deprecated}}])
        found = client.perform(operations.manifest("services", service))
        lifecycle = dict(found["spec"]["lifecycle"])
    retired = {name: value for name, value in lifecycle.items() if name in {"successor", "link"}}
    retired |= {"stage": "retired", "sunsetAt": at}
    client.apply([{**found, "spec": {**found["spec"], "lifecycle": retired}}])


def show(screen: Screen, found: Sequence[Surplus]) -> None:
    """A line for each, with what would be done or why it stays."""
    for one in found:
        what = Text(f"- {one.kind} {one.id}: {_STEPS[one.step].vi}", f"{_STEPS[one.step].en}")
        if one.kept is None:
            screen.print(screen.said(what, "red"))
            continue
        kept = Text(f"{one.kind} {one.id}: giữ lại, {one.kept.vi}", f"kept: {one.kept.en}")
        screen.print(screen.said(kept, "yellow", "! "))


_STEPS = {
    "withdraw": Text("rút đề nghị", "withdraw the request"),
    "retire": Text("ngừng dịch vụ", "retire the service"),
    "suspend": Text("tạm ngừng hệ thống", "suspend the system"),
}
DRY_RUN = Text(
    "Chưa làm gì; thêm --yes để làm thật.",
    "Nothing was done; add --yes to do it.",
)
_NO_SCOPE = Text("Chưa nêu phạm vi", "No scope is given")
_NAME_IT = Text(
    "Nêu --agency: cơ quan mà các tệp nói trọn. Ngoài phạm vi này không gì bị đụng tới.",
    "Name with --agency an agency of which the files say everything. Nothing beyond it is touched.",
)
