"""`python -m tests.documents [--check]`: write the pages, or say which differ from the code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.documents import edge, metrics, openapi, problems, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PAGES: Mapping[Path, Callable[[], str]] = {
    problems.PAGE: problems.page,
    metrics.PAGE: metrics.page,
    settings.PAGE: settings.page,
    edge.PAGE: edge.page,
    **openapi.PAGES,
}


def main(arguments: list[str]) -> int:
    """0 when every page was written, or is as it has to be."""
    different = [path for path, page in PAGES.items() if not path.exists() or path.read_text() != page()]
    if arguments == ["--check"]:
        for path in different:
            print(f"{path} is not what the code says: make reference")
        return 1 if different else 0
    for path in different:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGES[path]())
        print(f"{path} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
