"""The identity process: `python -m lienthong.identity`, and what an operator may have to do by hand."""

import sys
from collections.abc import Awaitable, Callable

from lienthong.kit.loading import uncollected

with uncollected():
    import uvloop
    from pydantic import ValidationError

    from lienthong.identity import bootstrap
    from lienthong.identity.domain.clusters import ClustersFileError
    from lienthong.identity.domain.key_encryption import (
        KeyDecryptionError,
        KeyEncryption,
        KeyEncryptionKeyError,
    )
    from lienthong.identity.service.key_encryption_file import write_key_encryption
    from lienthong.identity.service.own_clients import OwnClientFileError
    from lienthong.identity.service.providers import ProvidersFileError
    from lienthong.identity.settings import IdentitySettings
    from lienthong.kit.arguments import (
        ACCEPT,
        PUT_BACK,
        ProcessArguments,
        add_accept_command,
        add_put_back_command,
    )
    from lienthong.kit.logs import configure_logs
    from lienthong.kit.process import print_both
    from lienthong.kit.rpc_trust import RpcTrustError
    from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "Digital identity: issues access tokens to systems and hands out the keys that verify them.",
    "Định danh số: cấp mã truy cập cho các hệ thống và cung cấp khoá xác minh.",
)
_HELP = {
    "serve": BilingualText("serve tokens and keys (the default)", "cấp mã truy cập và khoá (mặc định)"),
    "new-key-file": BilingualText(
        "make the key-encryption key file of a new installation",
        "tạo tệp khoá mã hoá cho bản cài đặt mới",
    ),
    "replace-signing-key": BilingualText(
        "after a theft: sign with a new key at once; every token issued so far becomes invalid",
        "khi lộ khoá: ký bằng khoá mới ngay; mọi mã truy cập đã cấp mất hiệu lực",
    ),
    "administrator-link": BilingualText(
        "make the one-time link by which a platform operator makes an account; an older one is useless",
        "tạo liên kết dùng một lần để người vận hành nền tảng lập tài khoản; liên kết cũ hết hiệu lực",
    ),
    "reread-catalog": BilingualText(
        "read all of the catalog's events again at the next start, without waiting for the catalog",
        "đọc lại mọi sự kiện của danh mục ở lần khởi động tới, không chờ danh mục phát lại",
    ),
}


def main() -> None:
    """Run the command that is asked for; without one, serve."""
    parser = ProcessArguments("lienthong.identity", DOES)
    commands = parser.add_commands()
    for name, does in _HELP.items():
        commands.add_parser(name, help=f"{does.vi} · {does.en}", description=f"{does.vi}\n{does.en}")
    add_accept_command(commands)
    add_put_back_command(commands)
    given = parser.parse_args()
    command = given.command or "serve"
    try:
        settings = IdentitySettings()
    except ValidationError as error:
        sys.exit(f"The settings are wrong. {error}")
    configure_logs(bootstrap.PROCESS, settings.log_level, settings.log_format)
    try:
        if command == ACCEPT:
            print_both(uvloop.run(bootstrap.accept_rolled_back(settings, given.reason)))
        elif command == PUT_BACK:
            print_both(uvloop.run(bootstrap.put_copy_back(settings)))
        else:
            _COMMANDS[command](settings)
    except RpcTrustError as error:
        sys.exit(f"lienthong.identity cannot start: {error}")
    except (
        ClustersFileError,
        OwnClientFileError,
        FileExistsError,
        KeyEncryptionKeyError,
        KeyDecryptionError,
        ProvidersFileError,
    ) as error:
        sys.exit(str(error))


def _new_key_file(settings: IdentitySettings) -> None:
    write_key_encryption(settings.identity_key_file, KeyEncryption.generate())
    print(f"Wrote {settings.identity_key_file}. Keep a copy in a safe place.")


def _in_loop(work: Callable[[IdentitySettings], Awaitable[object]]) -> Callable[[IdentitySettings], None]:
    async def run(settings: IdentitySettings) -> None:
        outcome = await work(settings)
        if outcome is not None:
            print(outcome)

    return lambda settings: uvloop.run(run(settings))


_COMMANDS: dict[str, Callable[[IdentitySettings], None]] = {
    "serve": _in_loop(bootstrap.serve),
    "new-key-file": _new_key_file,
    "replace-signing-key": _in_loop(bootstrap.replace_signing_key),
    "administrator-link": _in_loop(bootstrap.administrator_link),
    "reread-catalog": _in_loop(bootstrap.reread_catalog),
}

if __name__ == "__main__":
    main()
