"""What is wrong with a DPoP proof, and how to mend it; the English is ASCII, as RFC 6749 §5.2 wants it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lienthong.kit.text import BilingualText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.kit.dpop import Fault

_TEXTS: Final[Mapping[Fault, BilingualText]] = MappingProxyType(
    {
        "missing": BilingualText(
            "The request has no DPoP proof: send one in the header DPoP, signed for this request.",
            "Yêu cầu không có DPoP proof: hãy gửi trong tiêu đề DPoP một proof được ký cho yêu cầu này.",
        ),
        "several": BilingualText(
            "The request has more than one DPoP proof; send exactly one.",
            "Yêu cầu có nhiều hơn một DPoP proof; chỉ gửi đúng một.",
        ),
        "malformed": BilingualText(
            "The DPoP proof is not a signed JWT in compact form (three base64url parts of JSON), of up to "
            "8192 characters.",
            "DPoP proof không phải là JWT đã ký ở dạng rút gọn (ba phần base64url chứa JSON), dài tối đa "
            "8192 ký tự.",
        ),
        "typ": BilingualText("The proof's typ must be dpop+jwt.", "typ của proof phải là dpop+jwt."),
        "alg": BilingualText(
            "The proof's alg must be ES256, EdDSA or PS256, and that of its key.",
            "alg của proof phải là ES256, EdDSA hoặc PS256 và khớp với khoá.",
        ),
        "crit": BilingualText(
            "The proof's header must not contain crit or b64; no such extension is supported.",
            "Phần header của proof không được chứa crit hoặc b64; máy chủ không hỗ trợ phần mở rộng nào.",
        ),
        "jwk": BilingualText(
            "The proof's header needs jwk: a public key of P-256, Ed25519 or RSA (2048 bits or more), for "
            "signatures.",
            "Phần header của proof cần có jwk: khoá công khai P-256, Ed25519 hoặc RSA (từ 2048 bit), dùng để "
            "ký.",
        ),
        "private_key": BilingualText(
            "The proof's jwk holds a private or symmetric key. Send the public part only, and since this key "
            "has left its owner, make a new one.",
            "jwk của proof chứa khoá bí mật. Chỉ gửi phần công khai, và vì khoá này đã lộ, hãy tạo khoá mới.",
        ),
        "claims": BilingualText(
            "The proof's claim {} is missing or of the wrong type.",
            "Proof thiếu {} hoặc giá trị sai kiểu.",
        ),
        "jti": BilingualText(
            "The proof's jti must have 1 to 256 characters.",
            "jti của proof phải có từ 1 đến 256 ký tự.",
        ),
        "htm": BilingualText(
            "The proof's htm must be the method of this request, {}.",
            "htm của proof phải là phương thức của yêu cầu này, {}.",
        ),
        "htu": BilingualText(
            "The proof's htu must be the public address of this request without its query: {}.",
            "htu của proof phải là địa chỉ công khai của yêu cầu này, không kèm truy vấn: {}.",
        ),
        "ath": BilingualText(
            "The proof's ath is not the SHA-256 of this access token (RFC 9449 section 4.2).",
            "ath của proof không phải là SHA-256 của mã truy cập này (RFC 9449 mục 4.2).",
        ),
        "nonce_missing": BilingualText(
            "The proof needs a nonce: sign a new one with the value of the header DPoP-Nonce of this answer.",
            "Proof cần có nonce: hãy ký proof mới với giá trị của tiêu đề DPoP-Nonce trong câu trả lời này.",
        ),
        "nonce": BilingualText(
            "The proof's nonce is too old or not of this server: sign a new one with the value of the header "
            "DPoP-Nonce of this answer.",
            "nonce của proof đã cũ hoặc không do máy chủ này cấp: hãy ký proof mới với giá trị của tiêu đề "
            "DPoP-Nonce trong câu trả lời này.",
        ),
        "past": BilingualText(
            "The proof's iat lies {} seconds back, by the clock here. Sign a proof for every request, and "
            "set this machine's clock.",
            "iat của proof đã qua {} giây, theo đồng hồ ở đây. Hãy ký proof cho từng yêu cầu và chỉnh đồng "
            "hồ của máy.",
        ),
        "future": BilingualText(
            "The proof's iat lies {} seconds ahead of the clock here. Set this machine's clock.",
            "iat của proof đi trước đồng hồ ở đây {} giây. Hãy chỉnh đồng hồ của máy.",
        ),
        "key": BilingualText(
            "The proof was made with another key than the one that the access token is bound to.",
            "Proof được ký bằng khoá khác với khoá mà mã truy cập gắn với.",
        ),
        "signature": BilingualText(
            "The proof's signature is wrong: it must be made with the private half of its jwk.",
            "Chữ ký của proof không đúng: phải ký bằng nửa bí mật của jwk.",
        ),
        "used": BilingualText(
            "This proof was used before. Sign a new one, with a jti of its own, for every request.",
            "Proof này đã được dùng. Mỗi yêu cầu cần một proof mới với jti riêng.",
        ),
        "bearer": BilingualText(
            "The access token is bound to a key: send it as 'Authorization: DPoP ...' with a proof in the "
            "header DPoP.",
            "Mã truy cập gắn với một khoá: hãy gửi bằng 'Authorization: DPoP …' kèm proof trong tiêu đề "
            "DPoP.",
        ),
        "unbound": BilingualText(
            "The access token is not bound to a key: send it as 'Authorization: Bearer ...', or get one with "
            "a proof.",
            "Mã truy cập không gắn với khoá nào: hãy gửi bằng 'Authorization: Bearer …', hoặc lấy mã mới kèm "
            "proof.",
        ),
    }
)
INVALID_TOKEN: Final[frozenset[Fault]] = frozenset({"key", "bearer", "unbound"})
"""Faults of the token and what came with it, not of the proof alone (RFC 6750 §3.1)."""


def fault_text(fault: Fault, about: str) -> BilingualText:
    """What is wrong, with the name or number that belongs to it."""
    text = _TEXTS[fault]
    return BilingualText(text.en.format(about), text.vi.format(about))
