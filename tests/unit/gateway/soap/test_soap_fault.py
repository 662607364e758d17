"""Problems as faults."""

from __future__ import annotations

import pytest
from lxml import etree

from lienthong.gateway import problems
from lienthong.gateway.soap.fault import fault, fault_status
from lienthong.gateway.soap.version import SoapVersion
from lienthong.kit.problems import ProblemError
from lienthong.kit.problems.calls import PROVIDER_TIMEOUT
from lienthong.kit.text import BilingualText

TX = "01890a5d-ac96-774b-bcce-b302099a8057"
P = "{urn:ietf:rfc:7807}"


@pytest.mark.parametrize("version", list(SoapVersion), ids=lambda version: version.number)
def test_a_fault_carries_the_problem(version: SoapVersion) -> None:
    problem = problems.soap_action_mismatch("urn:<&\x00>", "getParcel")
    document = problem.document(TX)
    root = etree.fromstring(fault(version, document))
    s = f"{{{version.value}}}"
    [found] = root.findall(f"{s}Body/{s}Fault")
    said = found.find(f".//{P}problem")
    assert said is not None
    assert {child.tag.removeprefix(P): child.text for child in said} == {
        name: str(value) for name, value in document.items()
    }
    code = found.findtext("faultcode") if version is SoapVersion.V1_1 else found.findtext(f"{s}Code/{s}Value")
    assert code == ("s:Client" if version is SoapVersion.V1_1 else "s:Sender")
    if version is SoapVersion.V1_1:
        reasons = [found.findtext("faultstring")]
    else:
        texts = found.findall(f"{s}Reason/{s}Text")
        assert [text.get("{http://www.w3.org/XML/1998/namespace}lang") for text in texts] == ["vi", "en"]
        reasons = [text.text for text in texts]
    for reason in reasons:
        assert reason is not None
        assert "soap-action-mismatch" in reason
        assert TX in reason


def test_lists_and_objects_of_a_problem_are_elements() -> None:
    problem = ProblemError(
        PROVIDER_TIMEOUT, BilingualText("a", "b"), extra={"errors": [{"pointer": "/a", "n": 1}, "x"]}
    )
    root = etree.fromstring(fault(SoapVersion.V1_1, problem.document(TX)))
    [errors] = root.iter(f"{P}errors")
    assert [(child.tag.removeprefix(P), child.text) for child in errors.iter()][1:] == [
        ("i", None), ("pointer", "/a"), ("n", "1"), ("i", "x"),
    ]  # fmt: skip
    assert root.findtext(".//faultcode") == "s:Server"


def test_status() -> None:
    assert [fault_status(SoapVersion.V1_1, status) for status in (400, 401, 504)] == [500, 500, 500]
    assert [fault_status(SoapVersion.V1_2, status) for status in (400, 401, 504)] == [400, 401, 504]
