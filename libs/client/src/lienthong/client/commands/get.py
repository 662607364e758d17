"""`lienthong get`: what is in the catalog."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.client.commands import options
from lienthong.client.errors import InputError, Text

if TYPE_CHECKING:
    from rich.table import Table

Row = Callable[[Mapping[str, Any]], tuple[object, ...]]


class Output(StrEnum):
    """How resources are shown."""

    TABLE = "table"
    YAML = "yaml"


def get(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="agencies, systems, services, agreements, event-types"),
    ],
    resource_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="Cách hiển thị · How to show")
    ] = Output.TABLE,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Xem danh mục · Show what is in the catalog; `-o yaml` can be applied again."""
    from lienthong.client import operations

    plural = kind_named(kind)
    with options.open_client(as_, gateway, default="operator") as client:
        if resource_id is None:
            items = list(client.manifests(plural))
        else:
            items = [client.perform(operations.manifest(plural, resource_id))]
    screen = options.screen(as_json=as_json)

    def show() -> None:
        if output is Output.YAML:
            screen.raw(as_yaml(items))
        else:
            screen.print(as_table(plural, items))

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


def as_yaml(items: list[Mapping[str, Any]]) -> str:
    """The resources as YAML that `apply` takes; what the catalog adds of its own stands in comments."""
    import yaml

    parts = []
    for item in items:
        manifest = {
            "apiVersion": item["apiVersion"],
            "kind": item["kind"],
            "metadata": {"id": item["metadata"]["id"]},
            "spec": item["spec"],
        }
        extra = {name: value for name, value in item["metadata"].items() if name != "id"}
        extra |= {name: value for name, value in item.items() if name not in manifest}
        comment = yaml.safe_dump(extra, allow_unicode=True, sort_keys=False) if extra else ""
        lines = "".join(f"# {line}\n" for line in comment.splitlines())
        parts.append(lines + yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False, width=110))
    return "---\n".join(parts)


def as_table(plural: str, items: list[Mapping[str, Any]]) -> "Table":
    """The resources as a table, with the columns that matter for their kind."""
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    columns, row = _COLUMNS[plural]
    for column in columns:
        table.add_column(column, overflow="fold")
    for item in items:
        table.add_row(*(_word(value) for value in row(item)))
    return table


def _agency(item: Mapping[str, Any]) -> tuple[object, ...]:
    spec = item["spec"]
    return _id(item), spec.get("class"), _name(spec), spec.get("validTo"), spec.get("replacedBy")


def _system(item: Mapping[str, Any]) -> tuple[object, ...]:
    keys = item["spec"].get("jwks", {}).get("keys", [])
    return _id(item), _name(item["spec"]), len(keys), _status(item)


def _service(item: Mapping[str, Any]) -> tuple[object, ...]:
    spec = item["spec"]
    return _id(item), _name(spec), len(item.get("operations", [])), ", ".join(spec.get("upstreams", []))


def _agreement(item: Mapping[str, Any]) -> tuple[object, ...]:
    spec = item["spec"]
    given = spec.get("service") or spec.get("eventType")
    return _id(item), _status(item), spec.get("consumer"), given, ", ".join(spec.get("purposes", []))


def _event_type(item: Mapping[str, Any]) -> tuple[object, ...]:
    return _id(item), _name(item["spec"])


_COLUMNS: dict[str, tuple[tuple[str, ...], Row]] = {
    "agencies": (("MÃ/ID", "LOẠI/CLASS", "TÊN/NAME", "ĐẾN/TO", "THAY/REPLACED"), _agency),
    "systems": (("MÃ/ID", "TÊN/NAME", "KHOÁ/KEYS", "TRẠNG THÁI/STATUS"), _system),
    "services": (("MÃ/ID", "TÊN/NAME", "THAO TÁC/OPERATIONS", "MÁY CHỦ/UPSTREAMS"), _service),
    "agreements": (
        ("MÃ/ID", "TRẠNG THÁI/STATUS", "BÊN DÙNG/CONSUMER", "DÙNG GÌ/OF", "MỤC ĐÍCH/PURPOSES"),
        _agreement,
    ),
    "event-types": (("MÃ/ID", "TÊN/NAME"), _event_type),
}


def _id(item: Mapping[str, Any]) -> object:
    return item["metadata"]["id"]


def _name(spec: Mapping[str, Any]) -> object:
    name = spec.get("name", {})
    return name.get("vi") or name.get("en") if isinstance(name, dict) else name


def _status(item: Mapping[str, Any]) -> object:
    status = item.get("status", item["spec"].get("status"))
    return status.get("state", status) if isinstance(status, dict) else status


def _word(value: object) -> str:
    return "" if value is None else str(value)
