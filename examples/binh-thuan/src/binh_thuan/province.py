"""The demo province's systems: who they are, where they listen, how they start."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from binh_thuan.departments.ports import PORTS
from lienthong.local import Program

if TYPE_CHECKING:
    from lienthong.kit.settings import Settings

ROOM = Path(__file__).resolve().parents[2]
MANIFESTS = ROOM / "manifests"

#: Departments start together with the gateway: neither needs the other to become ready.
_WAVE = 2


@dataclass(frozen=True, slots=True)
class System:
    """A system of the province; `folder` names its credentials under `$LIENTHONG_HOME/demo`."""

    folder: str
    client_id: str
    algorithm: str = "ES256"


#: Three kinds of keys on purpose: every one that the platform takes is in use.
SYSTEMS = (
    System("procedures", "H11.02/procedures"),
    System("officials", "H11.03/officials"),
    System("civil-status", "H11.04/civil-status"),
    System("land", "H11.05/land", "EdDSA"),
    System("planning", "H11.06/planning"),
    System("population", "G01/population"),
    System("one-stop", "H11.01/one-stop"),
    System("portal", "H11.36.01/portal", "EdDSA"),
    System("customer-app", "3400123456/customer-app", "PS256"),
)


def upstreams(settings: Settings) -> dict[str, str]:
    """Return the variables that the manifests take the departments' addresses from."""
    return {
        f"{name.upper().replace('-', '_')}_URL": f"http://127.0.0.1:{port + settings.port_offset}"
        for name, port in PORTS.items()
    }


def programs(settings: Settings) -> list[Program]:
    """Return the departments' systems and the stand-in, ready for the supervisor."""
    return [
        Program(
            name=name,
            command=[sys.executable, "-m", "binh_thuan.departments", name],
            ready_url=f"http://127.0.0.1:{port + settings.port_offset}/health/live",
            ports=[port + settings.port_offset],
            wave=_WAVE,
        )
        for name, port in PORTS.items()
    ]


def shell_variables(settings: Settings) -> str:
    """Return the shell lines that set up the `lienthong` command for this province."""
    variables = {
        "LIENTHONG_HOME": str(settings.home.resolve()),
        "LIENTHONG_PORT_OFFSET": str(settings.port_offset),
        "LIENTHONG_GATEWAY": settings.public_url,
        **upstreams(settings),
    }
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    # A newcomer to the command sees both languages, unless one was chosen before.
    lines.append('export LIENTHONG_LANG="${LIENTHONG_LANG:-both}"\n')
    return "".join(lines) + f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"\n'
