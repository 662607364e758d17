"""The exchange process: `python -m lienthong.exchange`."""

import sys

from lienthong.kit.loading import uncollected

with uncollected():
    from lienthong.exchange import bootstrap
    from lienthong.exchange.errors import SecretUnusableError
    from lienthong.exchange.settings import ExchangeSettings
    from lienthong.kit.logs import configure_logs
    from lienthong.kit.process import run
    from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "The event exchange: publish, subscribe, pull and acknowledge events.",
    "Trao đổi sự kiện: phát, đăng ký nhận, lấy và xác nhận sự kiện.",
)


async def _main() -> None:
    settings = ExchangeSettings()
    configure_logs(bootstrap.PROCESS, settings.log_level, settings.log_format)
    try:
        await bootstrap.serve(settings)
    except SecretUnusableError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    run(
        _main,
        module="lienthong.exchange",
        does=DOES,
        accept=lambda reason: bootstrap.accept_rolled_back(ExchangeSettings(), reason),
        put_back=lambda: bootstrap.put_copy_back(ExchangeSettings()),
    )
