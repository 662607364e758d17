"""Every command's help has examples that the command takes, and every text in both languages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from lienthong.client.cli import app, commands
from lienthong.client.terminal.language import BESIDE, Language, half
from lienthong.client.terminal.later import Later

if TYPE_CHECKING:
    from collections.abc import Iterator

VIETNAMESE = re.compile(
    "[ăâđêôơưáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ]", re.IGNORECASE
)
NAMES = {"call, opening, continuing, intent, refused-sample, admin", "GET, POST, …"} | {
    "agencies, systems, services, agreements, event-types"
}


def walk(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    command = command.loaded if isinstance(command, Later) else command
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*words, name))


TREE = dict(walk(typer.main.get_command(app)))
LEAVES = {words: command for words, command in TREE.items() if not hasattr(command, "commands")}


def examples(command: Any) -> list[str]:  # noqa: ANN401
    """The command lines of a command's help; a backslash continues a line."""
    text = command.epilog.split("\n\n", 1)[1]
    return [line.strip() for line in text.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_the_command_takes_its_examples(words: tuple[str, ...]) -> None:
    lines = examples(LEAVES[words])
    assert lines
    assert any(line.startswith(f"lienthong {' '.join(words)}") for line in lines)
    for line in lines:
        given = shlex.split(line)
        if given[0] != "lienthong":
            continue
        assert tuple(given[1 : 1 + len(words)]) == words
        context = LEAVES[words].make_context(line, given[1 + len(words) :])
        assert context.params


SAID_IN_EXAMPLES = (
    "Luật Đất đai 2024",
    "Nghị định 47/2020/NĐ-CP",
    "Hết thời hạn",
    "Kiểm tra sự cố",
    "Chỉ tra cứu theo hồ sơ",
    "Vì sao cần mọi thao tác?",
    "Thêm một cửa",
)


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
@pytest.mark.parametrize("language", Language)
def test_help_fits_80_columns_and_breaks_no_example(words: tuple[str, ...], language: Language) -> None:
    done = CliRunner().invoke(
        app, [*words, "--help"], env={"LIENTHONG_LANG": language.value, "COLUMNS": "80"}
    )
    assert done.exit_code == 0
    assert all(len(line.rstrip()) <= 80 for line in done.output.splitlines())
    shown = [line.strip() for line in done.output.splitlines()]
    for line in LEAVES[words].epilog.split("\n\n", 1)[1].splitlines():
        assert line.strip() in shown
    if language is Language.EN:
        text = done.output
        for said in SAID_IN_EXAMPLES:
            text = text.replace(said, "")
        assert not VIETNAMESE.search(text), text
    if language is Language.VI:
        assert "Show this help" not in done.output


@pytest.mark.parametrize("later", commands(), ids=lambda later: later.name)
def test_a_command_is_listed_with_the_first_sentence_of_its_own_help(later: Later) -> None:
    first = later.loaded.help.split("\n\n")[0]
    assert later.help == " ".join(first.split())


def test_help_of_the_whole_command_loads_none_of_its_commands() -> None:
    program = (
        "import sys; from lienthong.client.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass\n"
    )
    program += "sys.exit(str([name for name in sys.modules if '.client.commands' in name] or ''))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_every_text_has_both_halves() -> None:
    for words, command in TREE.items():
        texts = [command.help, *(parameter.help for parameter in command.params)]
        for text in texts:
            if text in NAMES:
                continue
            for paragraph in half(text, Language.BOTH).split("\n\n"):
                assert paragraph.count(BESIDE) == 1, (words, text)
                assert not VIETNAMESE.search(paragraph.split(BESIDE)[1]), (words, text)


def test_the_root_and_its_groups_show_their_commands_in_one_language() -> None:
    for words in ((), ("audit",)):
        done = CliRunner().invoke(app, [*words, "--help"], env={"LIENTHONG_LANG": "en"})
        assert not VIETNAMESE.search(done.output), done.output
        assert "Usage: " in done.output


def test_help_does_not_wait_for_what_it_does_not_show() -> None:
    script = """
import sys
from lienthong.client.cli import app, commands
try:
    app(["--help"])
except SystemExit:
    print([name for name in ("rich.markdown", "rich.traceback", "markdown_it") if name in sys.modules])
    from rich.markdown import Markdown
    print(Markdown.__module__, Markdown("*a*").markup)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == ["[]", "rich.markdown *a*"]
