"""`lienthong events`: publish and receive events."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from lienthong.client import completion
from lienthong.client.commands import options
from lienthong.client.errors import Text
from lienthong.client.terminal.help import command, group

app = group("Sự kiện: phát và nhận · Events: publish and receive")


class Start(StrEnum):
    """Which events a new subscription begins with."""

    NEW = "new"
    ALL = "all"


NewName = Annotated[str, typer.Argument(metavar="NAME", help="Tên đăng ký nhận · The subscription's name")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Tên đăng ký nhận · The subscription's name",
        autocompletion=completion.subscriptions,
    ),
]


@command(
    app,
    "publish",
    "lienthong events publish H11.05/land/parcel-changed-v1 --as land \\",
    "  --data @change.json --id change-1",
)
def publish(
    event_type: Annotated[
        str,
        typer.Argument(
            metavar="AGENCY/SYSTEM/TYPE",
            help="Mã loại sự kiện · The event type's id",
            autocompletion=completion.event_types,
        ),
    ],
    data: Annotated[
        str, typer.Option("--data", "-d", help="Dữ liệu JSON, @tệp hoặc @- · JSON data, @file or @-")
    ],
    event_id: Annotated[
        str | None,
        typer.Option(
            "--id",
            help="Mã sự kiện; phát lại cùng mã thì không trùng · "
            "The event's id; publishing it again with the same id makes no duplicate",
        ),
    ] = None,
    subject: Annotated[
        str | None, typer.Option("--subject", help="Đối tượng của sự kiện · The subject of the event")
    ] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Phát một sự kiện, trả về khi đã lưu bền · Publish an event; returns once it is stored durably."""
    value = options.parse_json(options.read_data(data), "--data")
    with options.open_client(as_, gateway, default=None) as client:
        accepted = client.publish(event_type, value, event_id=event_id, subject=subject)
    screen = options.screen(as_json=as_json)
    twice = (
        Text(" (trùng, đã có từ trước)", " (duplicate, accepted before)")
        if accepted.duplicate
        else Text("", "")
    )
    screen.result(
        asdict(accepted),
        lambda: screen.done(
            Text(
                f"Đã lưu sự kiện {accepted.id}, số thứ tự {accepted.sequence}{twice.vi}",
                f"event {accepted.id} stored, sequence {accepted.sequence}{twice.en}",
            )
        ),
    )


@command(
    app,
    "subscribe",
    "lienthong events subscribe parcels --as one-stop \\",
    "  --type H11.05/land/parcel-changed-v1 --start all",
)
def subscribe(
    name: NewName,
    event_type: Annotated[
        str,
        typer.Option(
            "--type",
            metavar="AGENCY/SYSTEM/TYPE",
            help="Mã loại sự kiện · The event type's id",
            autocompletion=completion.event_types,
        ),
    ],
    start: Annotated[
        Start,
        typer.Option(
            "--start", help="Từ nay, hoặc mọi sự kiện còn lưu · From now on, or all that are stored"
        ),
    ] = Start.NEW,
    ordered: Annotated[
        bool,
        typer.Option(
            "--ordered/--no-ordered",
            help="Lần lượt theo thứ tự, hoặc chia cho nhiều tiến trình · "
            "In order, or shared out among several processes",
        ),
    ] = True,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Đăng ký nhận một loại sự kiện · Subscribe to an event type."""
    with options.open_client(as_, gateway, default=None) as client:
        subscription = client.subscribe(name, event_type, start=start.value, ordered=ordered)
    screen = options.screen(as_json=as_json)

    def show() -> None:
        screen.done(Text(f"Đã đăng ký {name}: {event_type}", f"Subscribed {name}: {event_type}"))
        screen.note(Text(f"→ Nhận: lienthong events pull {name}", f"→ Receive: lienthong events pull {name}"))

    screen.result({"name": name, "event_type": event_type, **subscription}, show)


@command(app, "list", "lienthong events list --as one-stop")
def list_(as_: options.As = None, gateway: options.Gateway = None, as_json: options.Json = False) -> None:
    """Liệt kê các đăng ký nhận · List the subscriptions."""
    with options.open_client(as_, gateway, default=None) as client:
        found = client.subscriptions()
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for item in found:
            screen.print(f"{item.get('name')}  {item.get('event_type')}")

    screen.result({"items": list(found)}, show)


@command(app, "unsubscribe", "lienthong events unsubscribe parcels --as one-stop")
def unsubscribe(
    name: Name, as_: options.As = None, gateway: options.Gateway = None, as_json: options.Json = False
) -> None:
    """Huỷ đăng ký nhận · End a subscription."""
    with options.open_client(as_, gateway, default=None) as client:
        client.unsubscribe(name)
    screen = options.screen(as_json=as_json)
    screen.result(
        {"name": name, "removed": True},
        lambda: screen.done(Text(f"Đã huỷ đăng ký {name}", f"{name} removed")),
    )


@command(
    app,
    "pull",
    "lienthong events pull parcels --as one-stop --wait 10",
    "lienthong events pull parcels --as one-stop --no-ack --json",
)
def pull(
    name: Name,
    limit: Annotated[
        int, typer.Option("--max", min=1, max=100, help="Số sự kiện nhiều nhất · Events at most")
    ] = 10,
    wait: Annotated[
        int,
        typer.Option(
            "--wait", min=0, max=30, help="Chờ sự kiện đầu tiên, giây · Wait for the first event, seconds"
        ),
    ] = 0,
    ack: Annotated[
        bool,
        typer.Option(
            "--ack/--no-ack",
            help="Xác nhận đã nhận, để không nhận lại · "
            "Acknowledge them, so that they are not delivered again",
        ),
    ] = True,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Nhận sự kiện, xác nhận sau khi đã in · Receive events; they are acknowledged once printed."""
    with options.open_client(as_, gateway, default=None) as client:
        pulled = client.pull(name, limit=limit, wait=wait)
        screen = options.screen(as_json=as_json)

        def show() -> None:
            for item in pulled:
                screen.out.print_json(data=dict(item.event), indent=2)

        document = {"events": [asdict(item) for item in pulled], "acknowledged": ack and bool(pulled)}
        screen.result(document, show)
        if not pulled:
            screen.note(Text("chưa có sự kiện mới", "no new events"))
        elif ack:
            outcome = client.ack(name, pulled)
            for refused in outcome.refused:
                screen.note(
                    Text(f"chưa xác nhận được: {refused.detail}", f"not acknowledged: {refused.detail}")
                )
            if outcome.refused:
                raise typer.Exit(1)
