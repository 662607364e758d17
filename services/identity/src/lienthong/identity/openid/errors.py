"""Refusals of OpenID Connect's endpoints, in words that help the application and tell nothing else."""

from lienthong.identity.errors import TokenError, invalid_request
from lienthong.kit.problems import ProblemError, oauth, people
from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText


def unknown_reference() -> ProblemError:
    """The `request_uri` is unknown, used, too old, or another application's (RFC 9126 §4, RFC 9101 §6.2).

    People come to it by going back: it does not blame the application.
    """
    return _at_browser(
        "invalid_request_uri",
        "Each sign-in is good once, and for a short time.",
        "Mỗi lượt đăng nhập chỉ dùng được một lần, trong thời gian ngắn.",
        kind=people.APPLICATION_SIGN_IN_OVER,
    )


def not_pushed() -> ProblemError:
    """The request does not refer to a pushed one, or does so twice (RFC 9126 §5)."""
    return _at_browser(
        "invalid_request",
        "The application has to push its request first; here it sends client_id and request_uri, each once "
        "(RFC 9126).",
        "Ứng dụng phải gửi trước yêu cầu (PAR); ở đây chỉ nhận client_id và request_uri, mỗi tham số một lần "
        "(RFC 9126).",
    )


def closed_application() -> ProblemError:
    """The application was suspended or taken away since it pushed the request."""
    return _at_browser(
        "unauthorized_client",
        "Nobody can sign in to this application at the moment. Tell its agency.",
        "Hiện không thể đăng nhập vào ứng dụng này. Hãy báo cho cơ quan quản lý ứng dụng.",
    )


def wrong_sign_out(name: str) -> ProblemError:
    """A parameter of `/end-session` does not fit (OpenID Connect RP-Initiated Logout §2 and §3)."""
    if name == "post_logout_redirect_uri":
        return _at_browser(
            "invalid_request",
            "The address to which the application wants you to come back after signing out "
            "(post_logout_redirect_uri) is not registered for it.",
            "Địa chỉ mà ứng dụng muốn bạn quay lại sau khi đăng xuất (post_logout_redirect_uri) chưa được "
            "đăng ký cho ứng dụng.",
        )
    if name == "state":
        return _at_browser(
            "invalid_request",
            "The state that the application sent is too long.",
            "Tham số state mà ứng dụng gửi quá dài.",
        )
    return _at_browser(
        "invalid_request",
        f"The application sent an ID token that this server did not issue to it ({name}).",
        f"Ứng dụng gửi ID token không do máy chủ này cấp cho ứng dụng ({name}).",
    )


def _at_browser(
    error: str, en: str, vi: str, *, kind: ProblemType = people.APPLICATION_REQUEST_REFUSED
) -> ProblemError:
    """A browser came with something that no application stands behind: it is told, and sent nowhere.

    `error` is the code that the RFC has for it.
    """
    detail = BilingualText(f"{en} ({error})", f"{vi} ({error})")
    return ProblemError(kind, detail)


def no_application() -> TokenError:
    """The client is no application."""
    detail = BilingualText(
        "The client is not registered as an application in which people sign in.",
        "Hệ thống này chưa được đăng ký làm ứng dụng cho người dùng đăng nhập.",
    )
    return TokenError(oauth.UNAUTHORIZED_CLIENT, detail)


def only_code(given: bool) -> TokenError:
    """The `response_type` is missing, or another one."""
    if not given:
        return wrong("response_type", "code")
    detail = BilingualText("The response_type must be code.", "response_type phải là code.")
    return TokenError(oauth.UNSUPPORTED_RESPONSE_TYPE, detail)


def no_request_objects(name: str) -> TokenError:
    """A request object came, or a reference where none can be (RFC 9126 §2.1)."""
    if name == "request_uri":
        return invalid_request(
            "A pushed request must not have request_uri (RFC 9126 section 2.1).",
            "Yêu cầu gửi trước không được có request_uri (RFC 9126 mục 2.1).",
        )
    detail = BilingualText("Request objects are not supported.", "Không hỗ trợ đối tượng yêu cầu (request).")
    return TokenError(oauth.REQUEST_NOT_SUPPORTED, detail)


def wrong(name: str, value: str) -> TokenError:
    """A parameter is missing, or is not `value`, which is written the same in every language."""
    return unfit(name, value, value)


def unfit(name: str, en: str, vi: str) -> TokenError:
    """A parameter is missing or cannot be used; `en` and `vi` say what it must be."""
    return invalid_request(f"The parameter {name} must be: {en}.", f"Tham số {name} phải là: {vi}.")


def missing(name: str) -> TokenError:
    """A parameter is missing."""
    return invalid_request(f"The parameter {name} is missing.", f"Thiếu tham số {name}.")


def unknown_redirect() -> TokenError:
    """The address is none of the application's (RFC 9126 §2.4)."""
    return invalid_request(
        "The redirect_uri is missing or not registered for this application; it must be the same, character "
        "by character.",
        "Thiếu redirect_uri hoặc địa chỉ chưa được đăng ký cho ứng dụng; phải trùng khớp từng ký tự.",
    )


def no_openid() -> TokenError:
    """The scope does not ask who the person is (OpenID Connect Core §3.1.2.1)."""
    detail = BilingualText("The scope must contain openid.", "Tham số scope phải có openid.")
    return TokenError(oauth.INVALID_SCOPE, detail)


def code_refused() -> TokenError:
    """Unknown, used, too old, another application's, another address or verifier: one answer."""
    detail = BilingualText(
        "The code is not good: it was used, has expired, or was given for another client, redirect_uri, "
        "code_verifier or key.",
        "Mã uỷ quyền không dùng được: đã dùng, đã hết hạn, hoặc được cấp cho client, redirect_uri, "
        "code_verifier hay khoá khác.",
    )
    return TokenError(oauth.INVALID_GRANT, detail)


def refresh_refused() -> TokenError:
    """Unknown, used, another application's, the session has ended: one answer."""
    detail = BilingualText(
        "The refresh token is not good: it was used, belongs to another client, or the person has signed "
        "out.",
        "Mã làm mới không dùng được: đã dùng, thuộc về client khác, hoặc người dùng đã đăng xuất.",
    )
    return TokenError(oauth.INVALID_GRANT, detail)


def not_revocable() -> TokenError:
    """The token is a system's own (RFC 7009 §2.2.1): nothing is kept of it that could be ended."""
    detail = BilingualText(
        "Tokens of systems are not revoked: they end by themselves within five minutes.",
        "Mã truy cập của hệ thống không thu hồi được: mã tự hết hạn trong vòng năm phút.",
    )
    return TokenError(oauth.UNSUPPORTED_TOKEN_TYPE, detail)


def may_not_act() -> TokenError:
    """The client may not exchange people's tokens."""
    detail = BilingualText(
        "The client is not registered to act for people (acts_for_people). Ask the operator of the platform.",
        "Hệ thống này chưa được đăng ký để thay mặt người dùng (acts_for_people). Hãy liên hệ đơn vị vận "
        "hành nền tảng.",
    )
    return TokenError(oauth.UNAUTHORIZED_CLIENT, detail)


def no_actor_token(name: str) -> TokenError:
    """An actor is named beside the client (RFC 8693 §2.1)."""
    return invalid_request(
        f"The parameter {name} is not taken: who acts is the client that asks.",
        f"Không nhận tham số {name}: bên thay mặt chính là hệ thống gửi yêu cầu.",
    )


def subject_refused() -> TokenError:
    """Not ours, too old, ended, of a client that may not any more: one answer (RFC 8693 §2.2.2)."""
    return invalid_request(
        "The subject_token is not good: it has expired, was revoked, the person has signed out, or a client "
        "that has had it may not act for people any more. Get a new one by the refresh token.",
        "subject_token không dùng được: đã hết hạn, đã bị thu hồi, người dùng đã đăng xuất, hoặc một hệ "
        "thống từng giữ mã này không còn được thay mặt người dùng. Hãy lấy mã mới bằng mã làm mới.",
    )


def no_persons_token() -> TokenError:
    """The token is a system's own (RFC 8693 §2.2.2)."""
    return invalid_request(
        "The subject_token is a system's own, and not of a person who has signed in.",
        "subject_token là mã của một hệ thống, không phải của người dùng đã đăng nhập.",
    )


def not_the_holder() -> TokenError:
    """The token is bound to somebody else (RFC 8693 §2.2.2)."""
    return invalid_request(
        "The subject_token is bound to a certificate or key that this request does not come with.",
        "subject_token gắn với chứng thư hoặc khoá mà yêu cầu này không kèm theo.",
    )


def too_many_actors(most: int) -> TokenError:
    """The token has gone through too many hands."""
    return invalid_request(
        f"The subject_token has come through {most} clients already; it goes no further.",
        f"subject_token đã đi qua {most} hệ thống; không chuyển tiếp được nữa.",
    )


def nothing_in_common(wanted: str) -> TokenError:
    """The token and the client have no scope in common that could be exchanged."""
    detail = BilingualText(
        f"An exchange gives the scope {wanted}, which the subject_token or this client does not have: the "
        "application has to ask for it when the person signs in.",
        f"Chỉ đổi được phạm vi {wanted}, nhưng subject_token hoặc hệ thống này không có: ứng dụng phải xin "
        "phạm vi đó khi người dùng đăng nhập.",
    )
    return TokenError(oauth.INVALID_SCOPE, detail)


def unknown_target(name: str, known: str) -> TokenError:
    """The token is to be used where this server's are not (RFC 8693 §2.2.2)."""
    detail = BilingualText(
        f"The parameter {name} names another place than this platform; it must be {known}, or be left out.",
        f"Tham số {name} không chỉ nền tảng này; giá trị phải là {known}, hoặc bỏ tham số này.",
    )
    return TokenError(oauth.INVALID_TARGET, detail)


def hint_refused() -> TokenError:
    """The `id_token_hint` is none that was issued here to this application."""
    return unfit(
        "id_token_hint",
        "an ID token that this server issued to this application",
        "mã định danh (ID token) mà máy chủ này đã cấp cho ứng dụng này",
    )


def unknown_application() -> ProblemError:
    """There is no such application."""
    detail = BilingualText(
        "No application is registered under this client_id.",
        "Chưa có ứng dụng nào đăng ký với client_id này.",
    )
    return ProblemError(people.UNKNOWN_APPLICATION, detail)


def unknown_client_for_application() -> ProblemError:
    """An application has to be a client first."""
    detail = BilingualText(
        "There is no such client: an application is a system of the catalog, or console.",
        "Không có client này: ứng dụng phải là một hệ thống trong danh mục, hoặc console.",
    )
    return ProblemError(people.UNKNOWN_APPLICATION, detail)
