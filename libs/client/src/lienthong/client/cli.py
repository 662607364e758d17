"""The `lienthong` command: `app`.

Exit codes: 0 done, 1 the answer is no or a verification failed, 2 usage or input, 3 no gateway reached,
4 refused by the bus.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lienthong.client.errors import InputError, LienthongError, Text
from lienthong.client.shells import (
    VARIABLE,
    InstallCompletion,
    ShowCompletion,
    prepare_completion,
    with_shell,
)
from lienthong.client.terminal.encoding import speak_utf8
from lienthong.client.terminal.language import Language, language_of
from lienthong.client.terminal.later import GroupOfLater, Later
from lienthong.client.usage import bilingual_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTEXT = {"help_option_names": ["-h", "--help"]}
CONNECT = "Kết nối · Connect"
CHECK = "Kiểm tra · Check"


def commands() -> tuple[Later, ...]:
    """What the command is made of, in the order of its help, which is translated in place."""
    return (
        Later(
            "apply",
            "Áp dụng các tệp YAML vào danh mục: tất cả, hoặc không gì cả · "
            "Create or update resources, all or none.",
            "lienthong apply -f mine.yaml --dry-run",
            "lienthong apply -f manifests/ -f extra.yaml --as operator",
            panel=CONNECT,
        ),
        Later(
            "get",
            "Xem danh mục · Show what is in the catalog.",
            "lienthong get services",
            "lienthong get service H11.05/land/parcels-v1 -o yaml",
            "lienthong get agreements --status requested --service H11.05/land/parcels-v1",
            panel=CONNECT,
        ),
        Later(
            "diff",
            "So sánh các tệp YAML với danh mục, không ghi gì · "
            "Compare YAML files with the catalog, and write nothing.",
            "lienthong diff -f manifests/",
            "lienthong diff -f manifests/ --prune --agency H11.05",
            panel=CONNECT,
        ),
        Later(
            "prune",
            "Ngừng những gì của cơ quan mà các tệp không có · "
            "Take out of use what agencies have and files lack.",
            "lienthong prune -f manifests/ --agency H11.05",
            "lienthong prune -f manifests/ --agency H11.05 --kind services --yes",
            panel=CONNECT,
        ),
        Later(
            "export",
            "Xuất toàn bộ danh mục, kèm tài liệu và lịch sử thoả thuận · "
            "Export the whole catalog, with documents and what was done with agreements.",
            "lienthong export catalog/",
            "lienthong export land/ --agency H11.05 --without-versions",
            panel=CONNECT,
        ),
        Later(
            "restore",
            "Khôi phục phần danh mục còn thiếu từ bản xuất, kèm mọi quyết định đã có · "
            "Restore what the catalog lacks of an export, with all decisions.",
            "lienthong restore -f catalog/ --dry-run",
            "lienthong restore -f catalog/",
            panel=CONNECT,
        ),
        Later(
            "search",
            "Tìm trong danh mục, có dấu hay không dấu · Find in the catalog by words, with or without marks.",
            "lienthong search thua dat",
            "lienthong search cap phep xay d --kind service --agency H11.05",
            panel=CONNECT,
        ),
        Later(
            "lint",
            "Chấm tài liệu OpenAPI của dịch vụ, kèm lời khuyên · Measure a service's document, with advice.",
            "lienthong lint H11.05/land/parcels-v1",
            "lienthong lint H11.05/land/parcels-v1 --least 80",
            panel=CONNECT,
        ),
        Later(
            "openapi",
            "Các dịch vụ của một cơ quan thành một tài liệu OpenAPI 3.1 · "
            "The services of an agency as one OpenAPI 3.1 document.",
            "lienthong openapi H11.05 -o land.json",
            "lienthong openapi H11.05 --agreed --as one-stop",
            panel=CONNECT,
        ),
        Later(
            "call",
            "Gọi một dịch vụ qua cổng · Call a service through the gateway.",
            "lienthong call GET H11.05/land/parcels-v1/parcels/59301-6-159 \\",
            "  --as one-stop --purpose TTHC.DAT-DAI",
            "lienthong call POST H11.05/land/parcels-v1/parcels -d @parcel.json --as land",
            panel=CONNECT,
        ),
        Later(
            "token",
            "In một mã truy cập, để dùng với curl · Print an access token, for use with curl.",
            "lienthong token --as one-stop",
            'curl -H "Authorization: Bearer $(lienthong token --as one-stop)" \\',
            "  http://127.0.0.1:8080/api/H11.05/land/parcels-v1/parcels/59301-6-159",
            panel=CONNECT,
        ),
        Later(
            "doctor",
            "Kiểm tra mọi thứ mà một lời gọi cần · Check everything that a call needs.",
            "lienthong doctor",
            "lienthong doctor --as keys",
            panel=CHECK,
        ),
        Later(
            "status",
            "Xem các tiến trình có ổn không · See whether the platform's processes are well.",
            "lienthong status",
            "lienthong status --health gateway=http://10.0.0.5:8180 --json",
            panel=CHECK,
        ),
        Later(
            "import",
            "Tạo tệp kê khai từ tài liệu, địa chỉ, X-Road · Manifests of documents, addresses, X-Road",
            panel=CONNECT,
            module="imports",
        ),
        Later("keys", "Khoá của hệ thống · A system's keys", panel=CONNECT),
        Later("agreement", "Thoả thuận chia sẻ dữ liệu · Agreements on sharing data", panel=CONNECT),
        Later(
            "system",
            "Tạm ngừng hệ thống và cho hoạt động trở lại · Suspend and resume systems",
            panel=CONNECT,
        ),
        Later("agency", "Sáp nhập cơ quan · Merge agencies", panel=CONNECT),
        Later("events", "Sự kiện: phát và nhận · Events: publish and receive", panel=CONNECT),
        Later(
            "usage",
            "Ai dùng dịch vụ nào, bao nhiêu lần · Who uses which services, and how often.",
            "lienthong usage --as land --by consumer,service,purpose --from 30d",
            "lienthong usage --as one-stop --from 30d --by service,error --status 4",
            panel=CHECK,
        ),
        Later("audit", "Nhật ký kiểm toán và bằng chứng · The audit trail and its proofs", panel=CHECK),
    )


class Command(GroupOfLater):
    """The whole command: turns errors into messages (or JSON) and exit codes."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  typer's own
        super().__init__(**settings)
        for one in commands():
            self.add_command(one)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the command and end the process with its exit code."""
        speak_utf8()
        if VARIABLE in os.environ:
            prepare_completion()
        words = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return super().main(words, prog_name, complete_var, standalone_mode, windows_expand_args, **extra)
        try:
            language = language_of(os.environ)
        except InputError as error:
            _fail(error, words, Language.BOTH)
        try:
            words = with_shell(words)
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except LienthongError as error:
            _fail(error, words, language)
        except typer.TyperException as error:
            # A group without a command has shown its help already, and says nothing more.
            if not error.format_message():
                sys.exit(error.exit_code)
            _fail(_usage(error), words, language)
        except OSError as error:
            _fail(_refused_by_machine(error), words, language)
        except typer.Abort:
            sys.exit(130)
        sys.exit(code if isinstance(code, int) else 0)


def _fail(error: LienthongError, words: Sequence[str], language: Language) -> NoReturn:
    from lienthong.client.terminal.screen import Screen

    Screen(as_json="--json" in words, language=language).failure(error)
    sys.exit(error.exit_code)


def _refused_by_machine(error: OSError) -> InputError:
    """What a command did not expect: a full disk behind standard output, a home folder that is read-only."""
    where = f"{error.filename}: " if error.filename else ""
    why = f"{where}{error.strerror or error}"
    return InputError(
        Text("Máy này không cho ghi hoặc đọc", "This machine does not let it be written or read"),
        Text(f"{why}.", f"{why}."),
        code="input-output",
    )


def _usage(error: typer.TyperException) -> InputError:
    context = getattr(error, "ctx", None)
    where = f"{context.command_path} --help" if context is not None else "lienthong --help"
    return InputError(
        Text("Dùng lệnh chưa đúng", "Wrong usage"),
        bilingual_usage(error.format_message()),
        Text(f"Xem: {where}", f"See: {where}"),
        code="usage",
    )


app = typer.Typer(
    name="lienthong",
    cls=Command,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
    epilog="Mã thoát: 0 xong, 1 không đạt, 2 sai đầu vào, 3 không kết nối được, 4 bị từ chối · "
    "Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 not reached, 4 refused",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lienthong {version('lienthong-client')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="In phiên bản · Print the version"
    ),
]


@app.callback()
def lienthong(
    version: Version = False,
    install_completion: InstallCompletion = None,
    show_completion: ShowCompletion = None,
) -> None:
    """Đăng ký, gọi và kiểm chứng dịch vụ qua trục liên thông
    · Register, call and verify services over the interoperability bus.

    Ngôn ngữ: đặt LIENTHONG_LANG=vi, en hoặc both · Language: set LIENTHONG_LANG=vi, en or both.
    """


if __name__ == "__main__":
    app()
