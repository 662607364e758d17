"""`python -m binh_thuan.departments <name>`: one department's system on its port."""

import importlib
import os
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from binh_thuan.departments.ports import PORTS, port
from binh_thuan.departments.web import CallLog, Surroundings


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
    if len(sys.argv) != 2 or sys.argv[1] not in PORTS:
        sys.stderr.write(f"usage: python -m binh_thuan.departments {{{','.join(PORTS)}}}\n")
        return 2
    name = sys.argv[1]
    home = Path(os.environ.get("LIENTHONG_HOME", ".lienthong"))
    app = CallLog(create_app(name, Surroundings(home / "demo" / name, today)), name)
    host = os.environ.get("LIENTHONG_HOST", "127.0.0.1")
    uvicorn.run(app, host=host, port=port(name), log_level="warning", access_log=False, server_header=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
