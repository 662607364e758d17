"""The exchange process: `python -m lienthong.exchange`."""

import sys

from lienthong.exchange import bootstrap
from lienthong.exchange.errors import SecretUnusableError
from lienthong.exchange.settings import ExchangeSettings
from lienthong.kit.logs import configure_logs
from lienthong.kit.process import run


def main() -> None:
    """Serve until told to stop."""
    settings = ExchangeSettings()
    configure_logs(bootstrap.PROCESS, settings.log_level, settings.log_format)
    try:
        run(lambda: bootstrap.serve(settings))
    except SecretUnusableError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
