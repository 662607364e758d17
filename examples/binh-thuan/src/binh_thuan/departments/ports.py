"""Where each department listens."""

import os

PORTS = {
    "procedures": 8201,
    "officials": 8202,
    "civil-status": 8203,
    "land": 8204,
    "planning": 8205,
    "population": 8301,
}

#: The stand-in for the national core, which lets nobody in without credentials.
NATIONAL_CORE = "population"


def port(name: str) -> int:
    """Return the department's port, shifted by `LIENTHONG_PORT_OFFSET`."""
    return PORTS[name] + int(os.environ.get("LIENTHONG_PORT_OFFSET", "0"))
