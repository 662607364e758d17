"""Kubernetes service accounts by which a system proves itself, as their tokens name them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lienthong.catalog.errors import InvalidValueError

_MAX_ISSUER = 255
_ISSUER = re.compile(r"https://[A-Za-z0-9\-._~:/\[\]@!$&'()*+,;=%]+")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME = 253


def issuer(text: str) -> str:
    """Return the issuer of a cluster's tokens, as they have it in `iss`.

    Raises:
        InvalidValueError: it is no https address.
    """
    try:
        host = urlsplit(text).hostname if len(text) <= _MAX_ISSUER and _ISSUER.fullmatch(text) else None
    except ValueError:
        host = None
    if not host:
        raise InvalidValueError(
            "write the issuer of the cluster, an https address, as 'kubectl get --raw"
            " /.well-known/openid-configuration' shows it",
            "hãy viết issuer của cụm (địa chỉ https), như lệnh 'kubectl get --raw"
            " /.well-known/openid-configuration' cho thấy",
        )
    return text


def namespace(text: str) -> str:
    """Return the name of a namespace (RFC 1123 label).

    Raises:
        InvalidValueError: it is none.
    """
    if not _LABEL.fullmatch(text):
        raise InvalidValueError(
            "write the namespace: up to 63 small letters, digits and hyphens",
            "hãy viết namespace: tối đa 63 chữ thường, chữ số và dấu gạch nối",
        )
    return text


def name(text: str) -> str:
    """Return the name of a service account (RFC 1123 subdomain).

    Raises:
        InvalidValueError: it is none.
    """
    if len(text) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise InvalidValueError(
            "write the name of the service account: small letters, digits, hyphens and dots",
            "hãy viết tên service account: chữ thường, chữ số, dấu gạch nối và dấu chấm",
        )
    return text
