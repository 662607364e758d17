"""The image is built from what is there, by the lock, and runs without rights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.manifests.cluster import PROCESSES, Cluster
from tests.manifests.rendering import render
from tests.manifests.restriction import POD

ROOT = Path(__file__).parents[3]
CONTAINERFILE = ROOT / "deploy" / "images" / "Containerfile"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One line of a Containerfile, continuations joined."""

    word: str
    arguments: str


def stages(text: str) -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first; what stands before the first FROM is left out."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    found: list[list[Instruction]] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, arguments = line.partition(" ")
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(word, " ".join(arguments.split())))
    return found


def user_at_the_end(stage: list[Instruction]) -> str:
    """Who runs the command; root where nobody is named."""
    return ([one.arguments for one in stage if one.word == "USER"] or ["0"])[-1]


def sources(stage: list[Instruction]) -> list[str]:
    """What is copied from the build context."""
    copies = [one.arguments.split() for one in stage if one.word in {"COPY", "ADD"}]
    return [source for words in copies if not words[0].startswith("--from=") for source in words[:-1]]


BUILD, RUN = stages(CONTAINERFILE.read_text(encoding="utf-8"))


def test_it_runs_as_the_number_that_the_manifests_name() -> None:
    assert user_at_the_end(RUN) == f"{POD['runAsUser']}:{POD['runAsGroup']}"


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ("FROM a\nUSER 1:1\nRUN x\nUSER root\n", "root"),
        ("FROM a\nUSER 1:1\nFROM b\nCMD x\n", "0"),
        ("FROM a\nRUN x \\\n  && USER 1\n# USER 1\n", "0"),
    ],
)
def test_a_root_at_the_end_would_be_seen(text: str, user: str) -> None:
    assert user_at_the_end(stages(text)[-1]) == user


def test_only_what_was_built_reaches_the_image() -> None:
    assert sources(RUN) == []
    assert [one.arguments for one in RUN if one.word == "COPY"] == [
        "--from=build /opt/lienthong /opt/lienthong"
    ]
    assert BUILD[0].arguments.endswith(" AS build")


def test_it_is_built_from_what_is_there_and_nothing_of_the_demo() -> None:
    assert [source for source in sources(BUILD) if not (ROOT / source).exists()] == []
    allowed = CONTAINERFILE.with_name("Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!") for line in allowed if line.startswith("!")} == set(sources(BUILD))
    assert "*" in allowed
    assert not any(source.startswith(("examples", "deploy", "tests")) for source in sources(BUILD))


def test_every_package_comes_by_its_hash_and_no_index_is_named() -> None:
    commands = [one.arguments for one in BUILD if one.word == "RUN" and "pip install" in one.arguments]
    assert len(commands) == 3
    assert commands[0] == "python -m pip install --quiet --require-hashes --requirement requirements.lock"
    assert "pip wheel --quiet --no-deps --no-build-isolation" in commands[1]
    assert "pip install --quiet --no-deps --no-index" in commands[1]
    assert "-m pip install --quiet --require-hashes --requirement requirements-dev.lock" in commands[2]
    assert not re.search(r"index-url|find-links|https?://", CONTAINERFILE.read_text(encoding="utf-8"))


def test_what_compiles_the_gateway_stays_behind() -> None:
    (command,) = [one.arguments for one in BUILD if "gateway/compile.py" in one.arguments]
    assert "cp --recursive /opt/lienthong /opt/tools" in command
    assert "/opt/tools/bin/python gateway/compile.py /compiled" in command
    assert 'cp --recursive /compiled/. "$(python -c' in command
    assert "/opt/tools" not in " ".join(one.arguments for one in RUN)


def test_it_holds_every_process_that_the_manifests_start() -> None:
    (command,) = [one.arguments for one in BUILD if "pip wheel" in one.arguments]
    installed = re.findall(r" \./(\S+)", command)
    assert [path for path in installed if not (ROOT / path / "pyproject.toml").exists()] == []
    packages = {
        package.name
        for path in installed
        for package in (ROOT / path / "src" / "lienthong").glob("*")
        if (package / "__main__.py").exists()
    }
    assert set(PROCESSES) == set(Cluster(render("base")).workloads()) - {"nats"}
    assert set(PROCESSES) <= packages
