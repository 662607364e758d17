"""The alerts in `deploy/k8s/components/monitoring`, as the page of metrics lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

RULES = Path("deploy/k8s/components/monitoring/rules.yaml")

_HEAD = """
## Alerts · Cảnh báo

What an operator should hear of, as a file of Prometheus rules:
[rules.yaml](../../deploy/k8s/components/monitoring/rules.yaml).
It is a suggestion: thresholds fit a province of some hundred calls a second.

| alert | severity | for | means |
|---|---|---|---|
"""


def rules() -> list[dict[str, Any]]:
    """Every rule of the file."""
    document = yaml.safe_load(RULES.read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def section() -> str:
    """The part of the page that lists them."""
    return _HEAD + "".join(_row(rule) for rule in rules())


def _row(rule: dict[str, Any]) -> str:
    told = rule["annotations"]
    return (
        f"| `{rule['alert']}` | {rule['labels']['severity']} | {rule.get('for', '–')}"
        f" | {told['summary']}<br>{told['summary_vi']} |\n"
    )
