"""`python -m binh_thuan.departments <name>`: one department's system on its port."""

import importlib
import os
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from binh_thuan.core_accounts import CoreAccounts
from binh_thuan.departments.national_core import NationalCore
from binh_thuan.departments.ports import NATIONAL_CORE, PORTS, port
from binh_thuan.departments.web import CallLog, Surroundings
from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.ports import PortUnusableError, listen
from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "One department's system of the demo province, on its port.",
    "Hệ thống của một sở trong tỉnh mẫu, trên cổng riêng.",
)


def create_app(name: str, around: Surroundings) -> FastAPI:
    """Return the web service of the department called `name`."""
    module = importlib.import_module(f"binh_thuan.departments.{name.replace('-', '_')}")
    app: FastAPI = module.create_app(around)
    return app


def today() -> date:
    """Return the day it is in Vietnam (UTC+7 all year round)."""
    return datetime.now(timezone(timedelta(hours=7))).date()


def main() -> int:
    """Serve until told to stop; return the exit status."""
    parser = ProcessArguments("binh_thuan.departments", DOES)
    parser.add_argument("name", choices=tuple(PORTS), help="hệ thống nào · which system")
    name: str = parser.parse_args().name
    home = Path(os.environ.get("LIENTHONG_HOME", ".lienthong"))
    folder = home / "demo" / name
    app: CallLog | NationalCore = CallLog(create_app(name, Surroundings(folder, today)), name)
    if name == NATIONAL_CORE:
        app = NationalCore(app, CoreAccounts.load(folder))
    host = os.environ.get("LIENTHONG_HOST", "127.0.0.1")
    try:
        listener = listen(host, port(name))
    except PortUnusableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
