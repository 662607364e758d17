"""The reference names every command, option and error of the command, and nothing that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lienthong.client import errors
from lienthong.client.cli import app
from lienthong.client.completion import AGREEMENT_STATUSES
from lienthong.client.operations import FILTERS, KINDS
from lienthong.client.terminal.later import Later

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[3]
REFERENCE = (REPOSITORY / "docs/reference/command.md").read_text(encoding="utf-8")
PACKAGE = REPOSITORY / "libs/client/src/lienthong/client"
NOT_OURS = {"--help", "--version", "--install-completion", "--show-completion"}


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    command = command.loaded if isinstance(command, Later) else command
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, below in inner.items():
        yield from commands(below, (*words, name))


ALL = dict(commands(typer.main.get_command(app)))


def test_every_command_is_described() -> None:
    assert len(ALL) > 20
    for words in ALL:
        assert re.search(rf"`(lienthong )?{' '.join(words)}\b", REFERENCE), words


def test_every_option_is_described() -> None:
    for words, command in ALL.items():
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option not in NOT_OURS:
                    assert option in REFERENCE, (words, option)


def test_no_option_is_described_that_is_not_there() -> None:
    known = {
        option
        for command in ALL.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"--[a-z][a-z-]+", REFERENCE)) <= known | NOT_OURS


def test_every_command_takes_json_and_says_what_it_does_in_both_languages() -> None:
    for words, command in ALL.items():
        assert "--json" in {option for parameter in command.params for option in parameter.opts}, words
        assert " · " in command.help, words


def test_every_code_of_the_commands_own_is_listed_and_no_other() -> None:
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    own = set(re.findall(r'\bcode="([a-z-]+)"', sources)) | set(
        re.findall(r'default_code(?:: ClassVar\[str\])? = "([a-z-]+)"', sources)
    )
    listed = REFERENCE[REFERENCE.index("one of the command's own:") :].partition(".\n")[0]
    # The two defaults are never shown: each error has its own code, each refusal the code of the bus.
    assert set(re.findall(r"`([a-z-]+)`", listed)) == own - {"error", "refused"}


def test_every_variable_is_described_and_no_other() -> None:
    sources = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    read = set(re.findall(r"\bLIENTHONG_[A-Z_]+[A-Z]\b", sources))
    assert set(re.findall(r"\bLIENTHONG_[A-Z_]+[A-Z]\b", REFERENCE)) == read


def test_every_error_is_described() -> None:
    for name in dir(errors):
        if name.endswith("Error"):
            assert name in REFERENCE


def test_lists_have_the_filters_that_the_catalog_documents() -> None:
    document = json.loads((REPOSITORY / "docs/reference/openapi/catalog.json").read_text("utf-8"))
    assert set(FILTERS) == set(KINDS)
    for kind, filters in FILTERS.items():
        parameters = document["paths"][f"/catalog/v1/{kind}"]["get"]["parameters"]
        assert set(filters) == {
            parameter["name"] for parameter in parameters if parameter["in"] == "query"
        } - {"cursor", "limit"}
    assert list(AGREEMENT_STATUSES) == document["components"]["schemas"]["AgreementStatus"]["enum"]
