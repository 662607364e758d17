"""`docs/reference/problems.md`: every kind of problem, from the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.kit.problems import agreements, calls, catalog, exchange, general, ledger, oauth, people, xroad
from lienthong.kit.problems.registry import AREAS, declared_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from lienthong.kit.problems import ProblemType

PAGE = Path("docs/reference/problems.md")
_TITLES: Mapping[ModuleType, str] = {
    general: "Any process · Mọi tiến trình",
    agreements: "Agreements · Thoả thuận",
    calls: "Calls through the gateway · Gọi dịch vụ qua cổng",
    xroad: "Clients of X-Road and GovStack · Bên gọi theo X-Road và GovStack",
    catalog: "Catalog · Danh mục",
    exchange: "Events and subscriptions · Sự kiện và đăng ký nhận",
    ledger: "Audit log · Nhật ký kiểm toán",
    oauth: "Token endpoint · Cấp mã truy cập",
    people: "People · Người dùng",
}
_HEAD = """\
# Problems

*Tóm tắt.* Khi một yêu cầu không thực hiện được, câu trả lời là một tài liệu JSON theo RFC 9457
(`application/problem+json`): `code` là mã cố định để chương trình xử lý, `title_vi` nói đó là lỗi gì,
`detail_vi` nói lần này sai ở đâu, `advice_vi` nói cần làm gì. Trang này liệt kê mọi mã lỗi; được tạo từ mã
nguồn và được kiểm tra khớp với mã nguồn.

A request that cannot be served is answered with a problem document (RFC 9457, `application/problem+json`):

| member | meaning |
|---|---|
| `code` | the stable name of the kind of problem, for programs; the header `LGSP-Error` repeats it |
| `type` | `urn:lgsp:problem:` and the code |
| `status` | the HTTP status |
| `title`, `title_vi` | the kind of problem, in English and Vietnamese |
| `detail`, `detail_vi` | what was wrong this time |
| `advice`, `advice_vi` | what the caller can do about it |
| `instance` | the transaction id, under which the audit log and the operator find the request |
| `errors` | where several places are wrong: for each its `pointer` (RFC 6901) and `detail` |

`http-error` stands for a status of HTTP that has no code of its own here; its status is that of the answer.
The token endpoint answers as RFC 6749 section 5.2 wants it, with `error` and `error_description`, and
`error_description_vi` beside; `LGSP-Error` writes its codes with hyphens. Errors of a provider pass through
the gateway untouched and carry no `LGSP-Error`.

This page is written from the registry (`lienthong.kit.problems`): `make reference`.
"""


def page() -> str:
    """The page as it has to be."""
    parts = [_HEAD]
    for area in AREAS:
        parts.append(f"\n## {_TITLES[area]}\n")
        parts.append("| status | code | title | what to do |\n|---|---|---|---|")
        parts += [_row(kind) for kind in declared_in(area)]
    return "\n".join(parts) + "\n"


def _row(kind: ProblemType) -> str:
    cells = (
        str(kind.status),
        f"`{kind.code}`",
        f"{kind.title.en}<br>{kind.title.vi}",
        f"{kind.advice.en}<br>{kind.advice.vi}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
