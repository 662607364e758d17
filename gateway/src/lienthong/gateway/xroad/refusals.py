"""Every way in which a door refuses a call before the stages do, as problems."""

from __future__ import annotations

from lienthong.gateway import problems
from lienthong.kit.problems import ProblemError, xroad
from lienthong.kit.text import BilingualText, shown


def no_client_identifier(field: str) -> ProblemError:
    """The call does not say whose it is."""
    detail = BilingualText(
        f"The field {field} is missing: it names the calling system.",
        f"Thiếu trường {field}: trường này nêu hệ thống gọi.",
    )
    return ProblemError(xroad.INVALID_CLIENT_IDENTIFIER, detail)


def malformed_client_identifier(field: str) -> ProblemError:
    """What it says is no identifier of a client."""
    detail = BilingualText(
        f"{field} is not INSTANCE/CLASS/MEMBER/SUBSYSTEM, each part percent-encoded by itself.",
        f"{field} không đúng dạng INSTANCE/CLASS/MEMBER/SUBSYSTEM, mỗi phần mã hoá phần trăm riêng.",
    )
    return ProblemError(xroad.INVALID_CLIENT_IDENTIFIER, detail)


def invalid_security_server() -> ProblemError:
    """X-Road-Security-Server names none of this instance."""
    detail = BilingualText(
        "X-Road-Security-Server names no security server of this instance.",
        "X-Road-Security-Server không nêu máy chủ an toàn nào của hệ thống này.",
    )
    return ProblemError(xroad.INVALID_SECURITY_SERVER, detail)


def unknown_member(name: str) -> ProblemError:
    """The catalog has no such system, or the system has another class."""
    name = shown(name, 200)
    detail = BilingualText(f"{name} is not known here.", f"Không có {name} trong hệ thống này.")
    return ProblemError(xroad.UNKNOWN_MEMBER, detail)


def not_that_client(stated: str, proven: str) -> ProblemError:
    """The access token is another system's."""
    detail = BilingualText(
        f"The access token is that of {proven}, the call names {stated} as its client.",
        f"Mã truy cập là của {proven}, nhưng lời gọi nêu bên gọi là {stated}.",
    )
    return ProblemError(xroad.CLIENT_NOT_PROVEN, detail)


def network_not_trusted(client: str, ip: str | None) -> ProblemError:
    """A system that its network proves calls from elsewhere."""
    detail = BilingualText(
        f"{client} may not call without an access token from {ip or 'an unknown address'}: either the"
        " networks in its manifest ('xroad') do not have that address, or those that the operator trusts"
        " (LIENTHONG_GATEWAY_XROAD_NETWORKS) do not.",
        f"{client} không được gọi từ {ip or 'địa chỉ không xác định'} mà không có mã truy cập: địa chỉ đó"
        " không thuộc các mạng trong tệp khai báo ('xroad'), hoặc không thuộc các mạng mà đơn vị vận hành tin"
        " cậy (LIENTHONG_GATEWAY_XROAD_NETWORKS).",
    )
    return ProblemError(xroad.CLIENT_NOT_PROVEN, detail)


def no_certificate(client: str) -> ProblemError:
    """A system that its certificate proves shows none, or calls past the edge, which alone tells of one."""
    detail = BilingualText(
        f"{client} proves itself by a client certificate, and this call came with none: call the gateway over"
        " TLS at the edge, and show one of those that the system's manifest lists ('certificates').",
        f"{client} chứng minh mình bằng chứng thư số, nhưng lời gọi này không kèm chứng thư: hãy gọi cổng qua"
        " TLS tại cửa ngõ (edge) và xuất trình một chứng thư có trong tệp khai báo của hệ thống"
        " ('certificates').",
    )
    return ProblemError(xroad.CLIENT_NOT_PROVEN, detail)


def not_its_certificate(client: str, sha256: str) -> ProblemError:
    """The certificate that was shown is none of the system's."""
    detail = BilingualText(
        f"The certificate that was shown (SHA-256 {sha256}) is none of those that the manifest of {client}"
        " lists ('certificates').",
        f"Chứng thư đã xuất trình (SHA-256 {sha256}) không có trong tệp khai báo của {client}"
        " ('certificates').",
    )
    return ProblemError(xroad.CLIENT_NOT_PROVEN, detail)


def unknown_connection(client: str) -> ProblemError:
    """The catalog says of a system how it proves itself in a way that this gateway does not know."""
    detail = BilingualText(
        f"{client} proves itself in a way that this gateway does not know.",
        f"Cổng này không biết cách chứng minh được khai báo cho {client}.",
    )
    return ProblemError(xroad.CLIENT_NOT_PROVEN, detail)


def not_by_rest(service: str) -> ProblemError:
    """A service of SOAP is called where REST is spoken."""
    detail = BilingualText(f"{service} is a service of SOAP.", f"{service} là dịch vụ SOAP.")
    return ProblemError(xroad.SERVICE_OF_SOAP, detail)


def not_a_service_path(base: str) -> ProblemError:
    """The path is too short to name a service."""
    return problems.malformed_request(
        f"A call is made at {base}INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE/path, each part percent-encoded by"
        " itself.",
        f"Lời gọi có đường dẫn {base}INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE/đường-dẫn, mỗi phần mã hoá phần"
        " trăm riêng.",
    )


def malformed_represented_party() -> ProblemError:
    """X-Road-Represented-Party is none."""
    return problems.malformed_request(
        "X-Road-Represented-Party is CODE or CLASS/CODE, each part percent-encoded by itself.",
        "X-Road-Represented-Party có dạng MÃ hoặc LỚP/MÃ, mỗi phần mã hoá phần trăm riêng.",
    )


def personal_number_as_issue() -> ProblemError:
    """X-Road-Issue holds a person's number, and cases are recorded as they are stated."""
    return problems.malformed_request(
        "X-Road-Issue names a case or document; a personal number belongs into X-Road-UserId.",
        "X-Road-Issue là mã hồ sơ hoặc văn bản; số định danh cá nhân phải đặt trong X-Road-UserId.",
    )


def metadata_only_by_get(service: str) -> ProblemError:
    """A metadata service was called with another method."""
    return problems.malformed_request(f"{service} is asked with GET.", f"{service} chỉ nhận phương thức GET.")


def no_service_code() -> ProblemError:
    """GetOpenAPI does not say of which service."""
    return problems.malformed_request(
        "getOpenAPI needs the parameter serviceCode: the code of one service of this subsystem.",
        "getOpenAPI cần tham số serviceCode: mã của một dịch vụ thuộc hệ thống con này.",
    )


def too_many_parameters(most: int) -> ProblemError:
    """The query of a metadata service has more parameters than are read."""
    return problems.malformed_request(
        f"The query has more than {most} parameters.", f"Truy vấn có hơn {most} tham số."
    )
