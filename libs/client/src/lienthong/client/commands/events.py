"""`lienthong events`: publish and take events."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from lienthong.client.commands import options
from lienthong.client.errors import Text

app = typer.Typer(no_args_is_help=True, help="Sự kiện: phát và nhận · Publish and take events")


class Start(StrEnum):
    """Which events a new subscription begins with."""

    NEW = "new"
    ALL = "all"


Name = Annotated[str, typer.Argument(metavar="NAME", help="Tên đăng ký nhận · The subscription's name")]


@app.command("publish")
def publish(
    event_type: Annotated[
        str, typer.Argument(metavar="AGENCY/SYSTEM/TYPE", help="Loại sự kiện · The event type's id")
    ],
    data: Annotated[
        str, typer.Option("--data", "-d", help="Dữ liệu JSON, @tệp hoặc @- · JSON data, @file or @-")
    ],
    event_id: Annotated[
        str | None, typer.Option("--id", help="Mã sự kiện, để phát lại không trùng · To publish again safely")
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Đối tượng · What it is about")] = None,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Phát một sự kiện; xong nghĩa là đã lưu bền · Publish an event; done means durable."""
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
                f"event durable, sequence {accepted.sequence}{twice.en}",
            )
        ),
    )


@app.command("subscribe")
def subscribe(
    name: Name,
    event_type: Annotated[
        str, typer.Option("--type", metavar="AGENCY/SYSTEM/TYPE", help="Loại sự kiện · The event type's id")
    ],
    start: Annotated[
        Start, typer.Option("--start", help="Từ nay, hoặc mọi sự kiện còn lưu · From now, or all kept")
    ] = Start.NEW,
    ordered: Annotated[
        bool,
        typer.Option("--ordered/--no-ordered", help="Theo thứ tự, hoặc chia cho nhiều tiến trình · In order"),
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
        screen.done(Text(f"Đã đăng ký {name}: {event_type}", f"{name} subscribed"))
        screen.note(
            Text(f"→ Nhận: lienthong events pull {name}", f"Take events: lienthong events pull {name}")
        )

    screen.result({"name": name, "event_type": event_type, **subscription}, show)


@app.command("list")
def list_(as_: options.As = None, gateway: options.Gateway = None, as_json: options.Json = False) -> None:
    """Các đăng ký nhận · The subscriptions."""
    with options.open_client(as_, gateway, default=None) as client:
        found = client.subscriptions()
    screen = options.screen(as_json=as_json)

    def show() -> None:
        for item in found:
            screen.print(f"{item.get('name')}  {item.get('event_type')}")

    screen.result({"items": list(found)}, show)


@app.command("unsubscribe")
def unsubscribe(
    name: Name, as_: options.As = None, gateway: options.Gateway = None, as_json: options.Json = False
) -> None:
    """Bỏ đăng ký · End a subscription."""
    with options.open_client(as_, gateway, default=None) as client:
        client.unsubscribe(name)
    screen = options.screen(as_json=as_json)
    screen.result(
        {"name": name, "removed": True}, lambda: screen.done(Text(f"Đã bỏ {name}", f"{name} removed"))
    )


@app.command("pull")
def pull(
    name: Name,
    limit: Annotated[int, typer.Option("--max", min=1, max=100, help="Nhiều nhất · At most")] = 10,
    wait: Annotated[int, typer.Option("--wait", min=0, max=30, help="Chờ (giây) · Wait, in seconds")] = 0,
    ack: Annotated[
        bool,
        typer.Option("--ack/--no-ack", help="Xác nhận đã nhận · Acknowledge, so that they do not come again"),
    ] = True,
    as_: options.As = None,
    gateway: options.Gateway = None,
    as_json: options.Json = False,
) -> None:
    """Nhận sự kiện, xác nhận sau khi đã in · Take events; they are acknowledged after they were printed."""
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
