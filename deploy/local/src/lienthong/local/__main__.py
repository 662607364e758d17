"""`python -m lienthong.local`: the platform alone, without the demo province, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time

from lienthong.kit.arguments import ProcessArguments
from lienthong.kit.processes import PORTS
from lienthong.kit.settings import Settings
from lienthong.kit.text import BilingualText
from lienthong.local.environment import read_settings
from lienthong.local.installation import Installation, InstallationError

DOES = BilingualText(
    "The whole platform on this machine, without the demo province, until Ctrl-C.",
    "Toàn bộ nền tảng trên máy này, không có tỉnh mẫu, chạy đến khi nhấn Ctrl-C.",
)


def main() -> int:
    """Run until interrupted; the exit status is 1 when the platform could not start or broke down."""
    ProcessArguments("lienthong.local", DOES).parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = read_settings(Settings)
        with Installation(settings) as installation:
            addresses = " ".join(f"{name}=http://127.0.0.1:{settings.port(name)}" for name in PORTS)
            print(f"READY {addresses}", flush=True)
            while installation.running():
                time.sleep(0.5)
            print(f"supervisord ended: see {installation.logs}", file=sys.stderr)
            return 1
    except InstallationError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
