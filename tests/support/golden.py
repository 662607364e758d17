"""Golden files: what was computed, compared with what a person has read and approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path


class Golden:
    """Compares a value with the `*.out.yaml` beside an `*.in.yaml`; `make golden` writes it instead."""

    def __init__(self, *, rewrite: bool) -> None:
        self._rewrite = rewrite

    def check(self, given: Path, value: object) -> None:
        """Compare a value of plain types with the file that belongs to the input `given`.

        Raises:
            AssertionError: they differ.
        """
        path = given.with_name(given.name.replace(".in.yaml", ".out.yaml"))
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
        if self._rewrite:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs: read it, then `make golden`"


def documents(given: Path) -> list[Any]:
    """The YAML documents of an input."""
    return list(yaml.safe_load_all(given.read_text(encoding="utf-8")))
