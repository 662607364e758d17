"""`python -m lienthong.catalog`: the catalog as a process."""

from __future__ import annotations

from lienthong.kit.loading import uncollected

with uncollected():
    from lienthong.catalog.bootstrap import accept_rolled_back, put_copy_back
    from lienthong.catalog.bootstrap import run as run_catalog
    from lienthong.catalog.settings import CatalogSettings
    from lienthong.kit.process import run
    from lienthong.kit.text import BilingualText

DOES = BilingualText(
    "The service catalog: agencies, systems, services, event types and agreements.",
    "Danh mục dịch vụ: cơ quan, hệ thống, dịch vụ, loại sự kiện và thoả thuận chia sẻ dữ liệu.",
)

if __name__ == "__main__":
    run(
        lambda: run_catalog(CatalogSettings()),
        module="lienthong.catalog",
        does=DOES,
        accept=lambda reason: accept_rolled_back(CatalogSettings(), reason),
        put_back=lambda: put_copy_back(CatalogSettings()),
    )
