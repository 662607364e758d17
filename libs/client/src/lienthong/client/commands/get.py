"""`lienthong get`: what is in the catalog."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text
from lienthong.client.terminal.language import Language
from lienthong.client.terminal.table import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.client.terminal.screen import Screen
    from lienthong.client.terminal.table import Cell

    Row = Sequence[Cell]

FILTERS = "Bộ lọc · Filters"


class Output(StrEnum):
    """How resources are shown."""

    TABLE = "table"
    YAML = "yaml"


def get(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="agencies, systems, services, agreements, event-types",
            autocompletion=completion.kinds,
        ),
    ],
    resource_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="Mã; không nêu thì liệt kê tất cả · The id; without it all are listed",
            autocompletion=completion.resources,
        ),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option(
            "--agency",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Hệ thống, dịch vụ, loại sự kiện của cơ quan này · "
            "Systems, services, event types of this agency",
            autocompletion=completion.agencies,
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(
            "--system",
            metavar="AGENCY/SYSTEM",
            rich_help_panel=FILTERS,
            help="Dịch vụ, loại sự kiện của hệ thống này · Services, event types of this system",
            autocompletion=completion.systems,
        ),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            rich_help_panel=FILTERS,
            help="Thoả thuận có trạng thái này: draft, requested, information-needed, endorsed, approved, "
            "suspended, rejected, revoked, lapsed, withdrawn · Agreements that have this status",
            autocompletion=completion.agreement_statuses,
        ),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(
            "--consumer",
            metavar="AGENCY/SYSTEM",
            rich_help_panel=FILTERS,
            help="Thoả thuận của bên khai thác này · Agreements of this calling system",
            autocompletion=completion.systems,
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            "--service",
            metavar="AGENCY/SYSTEM/SERVICE",
            rich_help_panel=FILTERS,
            help="Thoả thuận về dịch vụ này · Agreements on this service",
            autocompletion=completion.services,
        ),
    ] = None,
    event_type: Annotated[
        str | None,
        typer.Option(
            "--event-type",
            metavar="AGENCY/SYSTEM/TYPE",
            rich_help_panel=FILTERS,
            help="Thoả thuận về loại sự kiện này · Agreements on this event type",
            autocompletion=completion.event_types,
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            "--provider",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Thoả thuận về dữ liệu của cơ quan này · Agreements on what this agency provides",
            autocompletion=completion.agencies,
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(
            "--stage",
            metavar="draft|in-review|published|deprecated|retired",
            rich_help_panel=FILTERS,
            help="Dịch vụ ở giai đoạn này · Services in this stage of their life",
        ),
    ] = None,
    consumer_agency: Annotated[
        str | None,
        typer.Option(
            "--consumer-agency",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Thoả thuận của hệ thống thuộc cơ quan này · Agreements of systems of this agency",
            autocompletion=completion.agencies,
        ),
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option(
            "--parent",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Cơ quan trực thuộc cơ quan này · Agencies right below this one",
            autocompletion=completion.agencies,
        ),
    ] = None,
    merged_into: Annotated[
        str | None,
        typer.Option(
            "--merged-into",
            metavar="AGENCY",
            rich_help_panel=FILTERS,
            help="Cơ quan đã sáp nhập vào cơ quan này · Agencies that were merged into this one",
            autocompletion=completion.agencies,
        ),
    ] = None,
    waiting_for: Annotated[
        str | None,
        typer.Option(
            "--waiting-for",
            metavar="owner|consumer",
            rich_help_panel=FILTERS,
            help="Thoả thuận hoặc sửa đổi đang chờ bên này · What waits for this side",
        ),
    ] = None,
    output: Annotated[
        Output,
        typer.Option(
            "--output",
            "-o",
            help="Bảng, hoặc YAML dùng lại được với apply · A table, or YAML that can be applied again",
        ),
    ] = Output.TABLE,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem danh mục · Show what is in the catalog."""
    from lienthong.client import operations

    plural = kind_named(kind)
    filters = filters_of(
        plural,
        resource_id,
        agency=agency,
        system=system,
        status=status,
        consumer=consumer,
        service=service,
        event_type=event_type,
        provider=provider,
        stage=stage,
        consumer_agency=consumer_agency,
        waiting_for=waiting_for,
        parent=parent,
        merged_into=merged_into,
    )
    with options.open_client(as_, gateway, default="operator") as client:
        if resource_id is None:
            items = list(client.manifests(plural, filters))
        else:
            items = [client.perform(operations.manifest(plural, resource_id))]
    screen = options.screen(as_json=as_json)

    def show() -> None:
        if output is Output.YAML:
            screen.raw(manifests_text(items))
        else:
            show_table(screen, plural, items)

    screen.result({"items": items} if resource_id is None else items[0], show)


def kind_named(word: str) -> str:
    """The catalog's name of a kind for what people write: `service`, `Services`, `EventType`."""
    from lienthong.client.operations import KINDS

    wanted = word.lower().replace("-", "").replace("_", "")
    for plural, singular in KINDS.items():
        if wanted in {plural.replace("-", ""), singular.lower()}:
            return plural
    raise InputError(
        Text(f"Không có loại «{word}»", f"There is no kind '{word}'"),
        Text(f"Các loại: {', '.join(KINDS)}.", f"Kinds: {', '.join(KINDS)}."),
        code="unknown-kind",
    )


def filters_of(plural: str, resource_id: str | None, **given: str | None) -> dict[str, str]:
    """The filters that were given; raises `InputError` for one that the kind does not have."""
    from lienthong.client.operations import FILTERS

    filters = {name: value for name, value in given.items() if value is not None}
    if filters and resource_id is not None:
        raise InputError(
            Text("Nêu mã hoặc bộ lọc, không cả hai", "Give an id or filters, not both"), code="usage"
        )
    known = FILTERS[plural]
    for name in filters:
        if name not in known:
            listed = ", ".join(map(_option, known))
            raise InputError(
                Text(f"Không lọc được {plural} theo {_option(name)}", f"{plural} have no {_option(name)}"),
                advice=Text(
                    f"Lọc được theo: {listed}." if known else "Bỏ tuỳ chọn này.",
                    f"They are filtered by: {listed}." if known else "Leave the option out.",
                ),
                code="usage",
            )
    return filters


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def manifests_text(items: list[Mapping[str, Any]]) -> str:
    """The resources as YAML that `apply` takes; what the catalog adds of its own stands in comments.

    With the version, so that `apply` tells who has changed one of them meanwhile.
    """
    from lienthong.client.manifests.write import as_yaml

    parts = []
    for item in items:
        manifest = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {
                name: value for name, value in item["metadata"].items() if name in {"id", "version"}
            },
            "spec": item["spec"],
        }
        extra = {name: value for name, value in item["metadata"].items() if name not in manifest["metadata"]}
        extra |= {name: value for name, value in item.items() if name not in manifest}
        comment = as_yaml(extra) if extra else ""
        lines = "".join(f"# {line}\n" for line in comment.splitlines())
        parts.append(lines + as_yaml(manifest))
    return "---\n".join(parts)


def show_table(screen: "Screen", plural: str, items: list[Mapping[str, Any]]) -> None:
    """Print the resources with the columns that matter for their kind."""
    from lienthong.client.terminal import table

    columns, row = _COLUMNS[plural]
    table.show(screen, columns, [row(item, screen) for item in items])


def _agency(item: Mapping[str, Any], screen: "Screen") -> "Row":
    spec = item["spec"]
    period = spec.get("validFrom"), spec.get("validTo")
    return (
        _id(item),
        spec.get("class"),
        _name(spec, screen),
        spec.get("parent"),
        *period,
        spec.get("replacedBy"),
    )


def _system(item: Mapping[str, Any], screen: "Screen") -> "Row":
    keys = item["spec"].get("jwks", {}).get("keys", [])
    status = _status(item)
    if by := item.get("suspendedBy"):
        status = f"{status} ({by})"
    return _id(item), _name(item["spec"], screen), len(keys), status


def _service(item: Mapping[str, Any], screen: "Screen") -> "Row":
    spec = item["spec"]
    stage = spec.get("lifecycle", {}).get("stage", "published")
    operations = len(item.get("operations", []))
    return _id(item), _name(spec, screen), stage, operations, spec.get("upstreams", [])


def _agreement(item: Mapping[str, Any], _: "Screen") -> "Row":
    spec = item["spec"]
    target = spec.get("service") or spec.get("eventType")
    return _id(item), _status(item), spec.get("consumer"), target, spec.get("purposes", [])


def _event_type(item: Mapping[str, Any], screen: "Screen") -> "Row":
    return _id(item), _name(item["spec"], screen)


_ID = Column(Text("MÃ", "ID"))
_NAME = Column(Text("TÊN", "NAME"), prose=True)
_STATUS = Column(Text("TRẠNG THÁI", "STATUS"))
_COLUMNS: dict[str, tuple[tuple[Column, ...], Callable[[Mapping[str, Any], "Screen"], "Row"]]] = {
    "agencies": (
        (
            _ID,
            Column(Text("LOẠI", "CLASS")),
            _NAME,
            Column(Text("CẤP TRÊN", "PARENT")),
            Column(Text("TỪ", "FROM")),
            Column(Text("ĐẾN", "TO")),
            Column(Text("THAY BẰNG", "REPLACED BY")),
        ),
        _agency,
    ),
    "systems": ((_ID, _NAME, Column(Text("KHOÁ", "KEYS")), _STATUS), _system),
    "services": (
        (
            _ID,
            _NAME,
            Column(Text("GIAI ĐOẠN", "STAGE")),
            Column(Text("THAO TÁC", "OPERATIONS")),
            Column(Text("MÁY CHỦ", "UPSTREAMS")),
        ),
        _service,
    ),
    "agreements": (
        (
            _ID,
            _STATUS,
            Column(Text("BÊN KHAI THÁC", "CONSUMER")),
            Column(Text("ĐỐI TƯỢNG", "TARGET")),
            Column(Text("MỤC ĐÍCH", "PURPOSES")),
        ),
        _agreement,
    ),
    "event-types": ((_ID, _NAME), _event_type),
}


def _id(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["id"])


def _name(spec: Mapping[str, Any], screen: "Screen") -> str:
    """The name in the chosen language; many resources have it in Vietnamese alone."""
    name = spec.get("name") or {}
    if not isinstance(name, dict):
        return str(name)
    languages = ("en", "vi") if screen.language is Language.EN else ("vi", "en")
    return next((str(name[language]) for language in languages if name.get(language)), "")


def _status(item: Mapping[str, Any]) -> str | None:
    if item.get("effectiveStatus") in {"expired", "not-yet-valid"}:
        return str(item["effectiveStatus"])
    status = item.get("status", item["spec"].get("status"))
    return status.get("state") if isinstance(status, dict) else status
