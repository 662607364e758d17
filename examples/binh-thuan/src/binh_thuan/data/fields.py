"""Fields of administration: who is in charge, what their procedures are about, on which laws they stand."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A field with the agency in charge, the objects of its procedures and its laws."""

    code: str
    name: str
    agency_code: str
    agency_name: str
    objects: tuple[str, ...]
    laws: tuple[str, ...]


FIELDS = (
    Field(
        "DD",
        "Đất đai",
        "H11.05",
        "Sở Nông nghiệp và Môi trường",
        (
            "Giấy chứng nhận quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất",
            "biến động quyền sử dụng đất",
            "quyết định giao đất, cho thuê đất",
            "văn bản cho phép chuyển mục đích sử dụng đất",
        ),
        ("Luật Đất đai số 31/2024/QH15", "Nghị định 101/2024/NĐ-CP"),
    ),
    Field(
        "HT",
        "Hộ tịch",
        "H11.04",
        "Sở Tư pháp",
        ("khai sinh", "kết hôn", "khai tử", "Giấy xác nhận tình trạng hôn nhân", "nhận cha, mẹ, con"),
        ("Luật Hộ tịch số 60/2014/QH13", "Nghị định 123/2015/NĐ-CP"),
    ),
    Field(
        "QH",
        "Quy hoạch xây dựng, kiến trúc",
        "H11.06",
        "Sở Xây dựng",
        ("chứng chỉ quy hoạch", "thẩm định nhiệm vụ quy hoạch chi tiết", "giấy phép quy hoạch"),
        ("Luật Quy hoạch đô thị và nông thôn số 47/2024/QH15",),
    ),
    Field(
        "XD",
        "Hoạt động xây dựng",
        "H11.06",
        "Sở Xây dựng",
        (
            "giấy phép xây dựng nhà ở riêng lẻ",
            "giấy phép xây dựng công trình",
            "chứng chỉ hành nghề xây dựng",
        ),
        ("Luật Xây dựng số 50/2014/QH13", "Nghị định 175/2024/NĐ-CP"),
    ),
    Field(
        "CBCC",
        "Công chức, viên chức",
        "H11.03",
        "Sở Nội vụ",
        ("dự tuyển công chức", "xếp ngạch, bậc lương", "tiếp nhận vào công chức"),
        ("Luật Cán bộ, công chức số 80/2025/QH15",),
    ),
    Field(
        "MT",
        "Môi trường",
        "H11.05",
        "Sở Nông nghiệp và Môi trường",
        (
            "giấy phép môi trường",
            "hoạt động có phát sinh chất thải",
            "thẩm định báo cáo đánh giá tác động môi trường",
        ),
        ("Luật Bảo vệ môi trường số 72/2020/QH14",),
    ),
    Field(
        "TS",
        "Thủy sản",
        "H11.05",
        "Sở Nông nghiệp và Môi trường",
        (
            "giấy phép khai thác thủy sản",
            "giấy chứng nhận đăng ký tàu cá",
            "giấy xác nhận nuôi trồng thủy sản",
        ),
        ("Luật Thủy sản số 18/2017/QH14",),
    ),
    Field(
        "DN",
        "Thành lập và hoạt động của doanh nghiệp",
        "H11.07",
        "Sở Tài chính",
        ("Giấy chứng nhận đăng ký doanh nghiệp", "hoạt động chi nhánh", "hộ kinh doanh"),
        ("Luật Doanh nghiệp số 59/2020/QH14",),
    ),
    Field(
        "LT",
        "Lưu thông hàng hóa trong nước",
        "H11.08",
        "Sở Công Thương",
        (
            "giấy phép bán lẻ rượu",
            "giấy chứng nhận đủ điều kiện bán lẻ xăng dầu",
            "giấy phép bán lẻ thuốc lá",
        ),
        ("Nghị định 105/2017/NĐ-CP",),
    ),
    Field(
        "KB",
        "Khám bệnh, chữa bệnh",
        "H11.09",
        "Sở Y tế",
        ("giấy phép hành nghề", "giấy phép hoạt động khám bệnh, chữa bệnh"),
        ("Luật Khám bệnh, chữa bệnh số 15/2023/QH15",),
    ),
    Field(
        "BT",
        "Bảo trợ xã hội",
        "H11.09",
        "Sở Y tế",
        ("hưởng trợ cấp xã hội hằng tháng", "giấy xác nhận khuyết tật", "hỗ trợ chi phí mai táng"),
        ("Nghị định 20/2021/NĐ-CP",),
    ),
    Field(
        "GD",
        "Giáo dục và đào tạo",
        "H11.10",
        "Sở Giáo dục và Đào tạo",
        ("bản sao văn bằng, chứng chỉ từ sổ gốc", "quyết định thành lập trường", "chuyển trường"),
        ("Luật Giáo dục số 43/2019/QH14",),
    ),
    Field(
        "BC",
        "Bưu chính, viễn thông",
        "H11.11",
        "Sở Khoa học và Công nghệ",
        ("giấy phép bưu chính", "giấy chứng nhận điểm truy nhập Internet công cộng"),
        ("Luật Bưu chính số 49/2010/QH12", "Luật Viễn thông số 24/2023/QH15"),
    ),
    Field(
        "DL",
        "Du lịch",
        "H11.12",
        "Sở Văn hóa, Thể thao và Du lịch",
        ("giấy phép kinh doanh dịch vụ lữ hành", "thẻ hướng dẫn viên du lịch", "điểm du lịch"),
        ("Luật Du lịch số 09/2017/QH14",),
    ),
    Field(
        "TG",
        "Tín ngưỡng, tôn giáo",
        "H11.13",
        "Sở Dân tộc và Tôn giáo",
        ("hoạt động tín ngưỡng", "sinh hoạt tôn giáo tập trung"),
        ("Luật Tín ngưỡng, tôn giáo số 02/2016/QH14",),
    ),
    Field(
        "CT",
        "Chứng thực",
        "H11.04",
        "Sở Tư pháp",
        ("bản sao từ bản chính", "chứng thực chữ ký", "chứng thực hợp đồng, giao dịch"),
        ("Nghị định 23/2015/NĐ-CP",),
    ),
)
