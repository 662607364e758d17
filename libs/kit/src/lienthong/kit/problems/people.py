"""Problems of people: their accounts, and how they sign in."""

from typing import Final

from lienthong.kit.problems.problem import ProblemType
from lienthong.kit.text import BilingualText

ROLE_REQUIRED: Final = ProblemType(
    code="role-required",
    status=403,
    title=BilingualText("Your role does not allow it", "Vai trò của bạn không cho phép"),
    advice=BilingualText(
        "Ask somebody who has one of the roles that the detail names to do it, or an administrator of that "
        "agency, or the operator of the platform, to give you one. Roles that were given a moment ago count "
        "in full after five minutes, or once you have signed in again.",
        "Hãy nhờ người có một trong các vai trò nêu trong phần chi tiết thực hiện, hoặc đề nghị quản trị "
        "viên của cơ quan đó, hay đơn vị vận hành nền tảng, cấp vai trò. Vai trò vừa cấp có hiệu lực đầy "
        "đủ sau năm phút, hoặc khi bạn đăng nhập lại.",
    ),
)
OWN_ACCOUNT: Final = ProblemType(
    code="own-account",
    status=403,
    title=BilingualText("Not on your own account", "Không áp dụng cho tài khoản của chính bạn"),
    advice=BilingualText(
        "Ask another administrator to do it.",
        "Hãy nhờ một quản trị viên khác thực hiện.",
    ),
)
UNKNOWN_APPLICATION: Final = ProblemType(
    code="unknown-application",
    status=404,
    title=BilingualText("Unknown application", "Không có ứng dụng này"),
    advice=BilingualText(
        "Look at GET /identity/v1/applications. A system has to be in the catalog before people can sign in "
        "to it.",
        "Hãy xem GET /identity/v1/applications. Hệ thống phải có trong danh mục trước khi cho người dùng "
        "đăng nhập.",
    ),
)
APPLICATION_REQUEST_REFUSED: Final = ProblemType(
    code="application-request-refused",
    status=400,
    title=BilingualText("The application sent you wrongly", "Yêu cầu từ ứng dụng không hợp lệ"),
    advice=BilingualText(
        "Go back to the application and begin again. If that does not help, tell the agency that runs it.",
        "Hãy quay lại ứng dụng và bắt đầu lại. Nếu vẫn lỗi, hãy báo cho cơ quan quản lý ứng dụng.",
    ),
)
APPLICATION_SIGN_IN_OVER: Final = ProblemType(
    code="application-sign-in-over",
    status=400,
    title=BilingualText(
        "The sign-in has expired or was used already", "Lượt đăng nhập đã hết hạn hoặc đã được dùng"
    ),
    advice=BilingualText(
        "Go back to the application and begin again.", "Hãy quay lại ứng dụng và bắt đầu lại."
    ),
)
LINK_REFUSED: Final = ProblemType(
    code="link-refused",
    status=403,
    title=BilingualText("Link not accepted", "Liên kết không dùng được"),
    advice=BilingualText(
        "Ask whoever sent it for a new one. A link is good once, for the time that came with it, and only "
        "until a newer one is made.",
        "Hãy xin người đã gửi một liên kết mới. Mỗi liên kết chỉ dùng được một lần, trong thời hạn ghi kèm, "
        "và chỉ đến khi có liên kết mới hơn.",
    ),
)
SIGN_IN_REFUSED: Final = ProblemType(
    code="sign-in-refused",
    status=403,
    title=BilingualText("Not signed in", "Đăng nhập không thành công"),
    advice=BilingualText(
        "Check what you have entered. Who has lost it asks an administrator of the agency for a new link.",
        "Hãy kiểm tra lại những gì đã nhập. Nếu đã mất, hãy xin quản trị viên của cơ quan một liên kết mới.",
    ),
)
SIGN_IN_EXPIRED: Final = ProblemType(
    code="sign-in-expired",
    status=403,
    title=BilingualText("Sign-in has ended", "Lượt đăng nhập đã kết thúc"),
    advice=BilingualText(
        "Begin again with the login and the password, or with a passkey.",
        "Hãy đăng nhập lại từ đầu bằng tên đăng nhập và mật khẩu, hoặc bằng khoá truy cập (passkey).",
    ),
)
SIGN_IN_TOO_OLD: Final = ProblemType(
    code="sign-in-too-old",
    status=403,
    title=BilingualText("Sign in again for this", "Hãy đăng nhập lại để làm việc này"),
    advice=BilingualText(
        "Sign in again, and change what lets you in within ten minutes after.",
        "Hãy đăng nhập lại, rồi thay đổi cách đăng nhập trong vòng mười phút.",
    ),
)
ACCOUNT_NOT_ACTIVE: Final = ProblemType(
    code="account-not-active",
    status=403,
    title=BilingualText("Account is closed", "Tài khoản hiện không dùng được"),
    advice=BilingualText(
        "Ask an administrator of your agency to open it again.",
        "Hãy nhờ quản trị viên của cơ quan mở lại tài khoản.",
    ),
)
FORM_REFUSED: Final = ProblemType(
    code="form-refused",
    status=403,
    title=BilingualText("Form not accepted", "Biểu mẫu không được chấp nhận"),
    advice=BilingualText(
        "Open the page again, with cookies allowed for this address, and send its form once more.",
        "Hãy mở lại trang, cho phép cookie tại địa chỉ này, rồi gửi lại biểu mẫu.",
    ),
)
UNKNOWN_PERSON: Final = ProblemType(
    code="unknown-person",
    status=404,
    title=BilingualText("Unknown person", "Không có người này"),
    advice=BilingualText(
        "Look for the id in the list of people whom your role lets you see: GET /identity/v1/people",
        "Hãy tìm mã trong danh sách những người mà vai trò của bạn được xem: GET /identity/v1/people",
    ),
)
LOGIN_TAKEN: Final = ProblemType(
    code="login-taken",
    status=409,
    title=BilingualText("Login is in use", "Tên đăng nhập đã được dùng"),
    advice=BilingualText(
        "Each person has one account. If it is the same person, ask the operator of the platform to add the "
        "roles; otherwise use another address.",
        "Mỗi người chỉ có một tài khoản. Nếu là cùng một người, hãy đề nghị đơn vị vận hành nền tảng thêm "
        "vai trò; nếu không, hãy dùng địa chỉ khác.",
    ),
)
ACCOUNT_STATE: Final = ProblemType(
    code="account-state",
    status=409,
    title=BilingualText("Not in this state of the account", "Không thực hiện được ở trạng thái này"),
    advice=BilingualText(
        "Read the account again, and do what its state allows; the detail names the state.",
        "Hãy xem lại tài khoản và thực hiện thao tác phù hợp với trạng thái được nêu trong phần chi tiết.",
    ),
)
FACTOR_NEEDED: Final = ProblemType(
    code="factor-needed",
    status=409,
    title=BilingualText("A second factor has to stay", "Phải giữ ít nhất một yếu tố xác thực thứ hai"),
    advice=BilingualText(
        "Add another authenticator application or passkey first, then remove this one.",
        "Hãy thêm một ứng dụng xác thực hoặc khoá truy cập (passkey) khác trước, rồi mới xoá.",
    ),
)
UNKNOWN_PROVIDER: Final = ProblemType(
    code="unknown-sign-in-provider",
    status=404,
    title=BilingualText("Unknown way to sign in", "Không có cách đăng nhập này"),
    advice=BilingualText(
        "Go back to the page for signing in, and choose one of the ways that it shows.",
        "Hãy quay lại trang đăng nhập và chọn một trong các cách được hiển thị.",
    ),
)
PROVIDER_AWAY: Final = ProblemType(
    code="sign-in-provider-away",
    status=503,
    title=BilingualText("The other service does not answer", "Dịch vụ đăng nhập bên ngoài không phản hồi"),
    advice=BilingualText(
        "Try again in a moment, or sign in here in another way.",
        "Hãy thử lại sau ít phút, hoặc đăng nhập tại đây bằng cách khác.",
    ),
)
PROVIDER_REFUSED: Final = ProblemType(
    code="sign-in-provider-refused",
    status=403,
    title=BilingualText("Not signed in by the other service", "Chưa đăng nhập được qua dịch vụ bên ngoài"),
    advice=BilingualText(
        "Begin again from the page for signing in. If it happens again, tell the operator of the platform "
        "the transaction id.",
        "Hãy bắt đầu lại từ trang đăng nhập. Nếu vẫn lỗi, hãy báo mã giao dịch cho đơn vị vận hành nền tảng.",
    ),
)
PROVIDER_ACCOUNT_UNKNOWN: Final = ProblemType(
    code="provider-account-unknown",
    status=403,
    title=BilingualText("Not linked to an account here", "Chưa liên kết với tài khoản ở đây"),
    advice=BilingualText(
        "Sign in here in another way and link it in My account; or ask an administrator of your agency for "
        "an invitation, and accept it by this way.",
        "Hãy đăng nhập bằng cách khác rồi liên kết trong mục Tài khoản của tôi; hoặc xin quản trị viên của "
        "cơ quan một lời mời và nhận lời mời bằng cách này.",
    ),
)
PROVIDER_ACCOUNT_TAKEN: Final = ProblemType(
    code="provider-account-taken",
    status=409,
    title=BilingualText("Linked already", "Đã được liên kết"),
    advice=BilingualText(
        "Remove the older link first, in My account of whoever has it.",
        "Hãy xoá liên kết cũ trước, trong mục Tài khoản của tôi của người đang giữ liên kết.",
    ),
)
WAY_IN_NEEDED: Final = ProblemType(
    code="way-in-needed",
    status=409,
    title=BilingualText("A way to sign in has to stay", "Phải giữ lại một cách đăng nhập"),
    advice=BilingualText(
        "Add a passkey first, or ask an administrator of your agency for a link by which you choose a "
        "password.",
        "Hãy thêm khoá truy cập trước, hoặc xin quản trị viên của cơ quan một liên kết để đặt mật khẩu.",
    ),
)
TOO_MANY_PASSKEYS: Final = ProblemType(
    code="too-many-passkeys",
    status=409,
    title=BilingualText("Too many passkeys", "Quá nhiều khoá truy cập (passkey)"),
    advice=BilingualText(
        "Remove a passkey that is not used any more.",
        "Hãy xoá một khoá truy cập (passkey) không còn dùng.",
    ),
)
SIGN_IN_BLOCKED: Final = ProblemType(
    code="sign-in-blocked",
    status=429,
    title=BilingualText("Too many failures", "Đăng nhập sai quá nhiều lần"),
    advice=BilingualText(
        "Try again after the seconds that Retry-After names, use a device on which you have signed in before,"
        " or sign in with a passkey.",
        "Hãy thử lại sau số giây nêu trong Retry-After, dùng thiết bị đã từng đăng nhập, hoặc đăng nhập bằng "
        "khoá truy cập (passkey).",
    ),
)
