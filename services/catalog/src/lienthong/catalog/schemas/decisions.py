"""The body of a decision about an agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from lienthong.catalog.agreements import Verdict
from lienthong.catalog.mistakes import Mistake
from lienthong.catalog.schemas.drafts import validate
from lienthong.catalog.schemas.fields import Paragraph

if TYPE_CHECKING:
    from lienthong.catalog.json_text import Json


class DecisionBody(BaseModel):
    """On which ground and why."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    legal_ground: Paragraph | None = None
    reason: Paragraph | None = None


def read_decision(verdict: Verdict, body: Json) -> tuple[DecisionBody, list[Mistake]]:
    """Read the body of a decision, and every mistake in it.

    A rejection needs its legal ground (NĐ 194/2025 Đ16), a revocation its reason.
    """
    fields = body if isinstance(body, dict) else {}
    parsed, mistakes = validate(DecisionBody, body, ())
    if verdict is Verdict.REJECT and fields.get("legal_ground") is None:
        mistakes.append(
            Mistake.at(
                ("legal_ground",),
                "a rejection names its legal ground (Decree 194/2025, Article 16); add it",
                "từ chối phải nêu căn cứ pháp lý (Nghị định 194/2025, Điều 16); hãy bổ sung",
            )
        )
    if verdict is Verdict.REVOKE and fields.get("reason") is None:
        mistakes.append(
            Mistake.at(
                ("reason",),
                "a revocation gives its reason; add it",
                "thu hồi phải nêu lý do; hãy bổ sung",
            )
        )
    return parsed or DecisionBody(), mistakes
