"""The console process: `python -m lienthong.console`."""

import sys

from lienthong.kit.loading import uncollected

with uncollected():
    from pydantic import ValidationError

    from lienthong.console import bootstrap
    from lienthong.console.errors import CredentialsUnusableError
    from lienthong.console.settings import ConsoleSettings
    from lienthong.kit.logs import configure_logs
    from lienthong.kit.process import run
    from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "The console: pages on which people work on the platform itself.",
    "Bảng điều khiển: các trang để làm việc với chính nền tảng.",
)


async def _main() -> None:
    try:
        settings = ConsoleSettings()
    except ValidationError as error:
        sys.exit(f"The settings are wrong. {error}")
    configure_logs(bootstrap.PROCESS, settings.log_level, settings.log_format)
    try:
        await bootstrap.serve(settings)
    except CredentialsUnusableError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    run(_main, module="lienthong.console", does=DOES)
