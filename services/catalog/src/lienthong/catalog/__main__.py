"""`python -m lienthong.catalog`: the catalog as a process."""

from __future__ import annotations

from lienthong.catalog.bootstrap import run as run_catalog
from lienthong.catalog.settings import CatalogSettings
from lienthong.kit.process import run

if __name__ == "__main__":
    run(lambda: run_catalog(CatalogSettings()))
