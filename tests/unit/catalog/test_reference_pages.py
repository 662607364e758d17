"""The reference says what the catalog does."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from lienthong.catalog.apply.schemas import SPECS, read_apply

_REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
_MANIFESTS = (_REFERENCE / "manifests.md").read_text(encoding="utf-8")


def _as_json(value: Any) -> Any:  # noqa: ANN401 - what YAML gives
    match value:
        case dict():
            return {str(name): _as_json(member) for name, member in value.items()}
        case list():
            return [_as_json(item) for item in value]
        case date():
            return value.isoformat()
        case _:
            return value


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", _MANIFESTS, re.DOTALL))
def test_every_example_of_a_manifest_is_accepted(example: str) -> None:
    _, mistakes = read_apply({"manifests": [_as_json(yaml.safe_load(example))]})
    assert mistakes == []


def test_every_kind_has_an_example() -> None:
    assert set(re.findall(r"^kind: (\w+)", _MANIFESTS, re.MULTILINE)) >= {kind.value for kind in SPECS}


@pytest.mark.parametrize("spec", SPECS.values())
def test_every_field_of_every_kind_is_described(spec: Any) -> None:  # noqa: ANN401 - a model class
    section = _MANIFESTS.split(f"\n## {spec.kind.value}\n")[1].split("\n## ")[0]
    described = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in section.splitlines() if "|" in line))
    )
    fields = {field.alias for field in spec.model_fields.values()}
    assert fields <= described
