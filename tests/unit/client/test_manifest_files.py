"""Manifests out of files: order, files that they name, and mistakes that name file, line and field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lienthong.client.errors import InputError, Mistake, Text
from lienthong.client.manifests.load import Manifests, load

if TYPE_CHECKING:
    from pathlib import Path

SYSTEM = """\
apiVersion: lienthong/v1
kind: System
metadata:
  id: H11.05/land
spec:
  name: {vi: Đất đai, en: Land}
  jwksFile: land/public.jwks
"""
AGENCY = """\
apiVersion: lienthong/v1
kind: Agency
metadata: {id: H11.05}
spec: {class: GOV, name: {vi: Sở, en: Department}}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def told(manifests: Manifests) -> list[tuple[str, int | None, str]]:
    return [
        (str(mistake.file).rpartition("/")[2], mistake.line, mistake.field) for mistake in manifests.mistakes
    ]


def test_folders_are_read_in_the_order_of_names_and_files_hold_several_documents(tmp_path: Path) -> None:
    write(tmp_path / "2.yaml", SYSTEM.replace("  jwksFile: land/public.jwks\n", "  jwks: {keys: []}\n"))
    write(tmp_path / "1.yml", AGENCY + "---\n" + AGENCY.replace("H11.05", "H11.06"))
    write(tmp_path / "notes.txt", "not: read")
    found = load([tmp_path])
    assert found.mistakes == []
    assert [value["metadata"]["id"] for value in found.values] == ["H11.05", "H11.06", "H11.05/land"]


def test_files_that_a_manifest_names_are_taken_from_beside_it(tmp_path: Path) -> None:
    keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "x", "kid": "k"}]}
    write(tmp_path / "land/public.jwks", json.dumps(keys))
    (found,) = load([write(tmp_path / "system.yaml", SYSTEM)]).values
    assert found["spec"] == {"name": {"vi": "Đất đai", "en": "Land"}, "jwks": keys}


def test_environment_variables_and_tilde_are_expanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "home/public.jwks", '{"keys": []}')
    monkeypatch.setenv("KEYS", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for written in ("$KEYS/public.jwks", "${KEYS}/public.jwks", "~/public.jwks"):
        path = write(tmp_path / "system.yaml", SYSTEM.replace("land/public.jwks", written))
        assert load([path]).mistakes == []


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "system.yaml", SYSTEM.replace("land/", "$LIENTHONG_NO_SUCH/"))
    found = load([path])
    assert told(found) == [("system.yaml", 7, "spec.jwksFile")]
    assert "LIENTHONG_NO_SUCH" in found.mistakes[0].detail.en


def test_a_missing_file_is_named_at_the_line_that_names_it(tmp_path: Path) -> None:
    found = load([write(tmp_path / "system.yaml", SYSTEM)])
    assert told(found) == [("system.yaml", 7, "spec.jwksFile")]
    assert found.readable


def test_mistakes_of_several_files_are_told_together(tmp_path: Path) -> None:
    write(tmp_path / "1.yaml", AGENCY.replace("kind: Agency", "kind: Agensy"))
    write(
        tmp_path / "2.yaml",
        AGENCY.replace("lienthong/v1", "v2").replace("metadata: {id: H11.05}", "metadata: {}"),
    )
    write(tmp_path / "3.yaml", AGENCY.replace("spec:", "specs:").replace("H11.05", "H11.07"))
    found = load([tmp_path])
    assert told(found) == [
        ("1.yaml", 2, "kind"),
        ("2.yaml", 1, "apiVersion"),
        ("2.yaml", 3, "metadata.id"),
        ("3.yaml", 4, "specs"),
        ("3.yaml", 1, "spec"),
    ]
    assert "did you mean 'Agency'" in found.mistakes[0].detail.en


def test_the_same_resource_twice_names_the_first(tmp_path: Path) -> None:
    found = load([write(tmp_path / "1.yaml", AGENCY), write(tmp_path / "2.yaml", AGENCY)])
    assert told(found) == [("2.yaml", 3, "metadata.id")]
    assert "1.yaml:3" in found.mistakes[0].detail.en


def test_a_file_that_a_manifest_names_is_no_manifest_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "1.yaml", SYSTEM.replace("land/public.jwks", "keys.json"))
    keys = write(tmp_path / "keys.json", '{"keys": []}')
    found = load([tmp_path])
    assert found.mistakes == []
    assert len(found.documents) == 1
    assert load([tmp_path, keys]).mistakes != []


def test_the_catalogs_pointers_lead_back_to_lines(tmp_path: Path) -> None:
    agency = write(tmp_path / "1.yaml", AGENCY)
    system = write(tmp_path / "2.yaml", SYSTEM)
    write(tmp_path / "land/public.jwks", '{"keys": [{"kty": "oct"}]}')
    found = load([agency, system])
    said = Text("sai", "wrong")
    located = found.locate(
        [
            Mistake("/manifests/0/spec/class", said),
            Mistake("/manifests/1/spec/name/en", said),
            Mistake("/manifests/1/spec/jwks/keys/0/kty", said),
            Mistake("/manifests/1/spec/contact", said),
            Mistake("/manifests", said),
        ]
    )
    assert [(mistake.file, mistake.line, mistake.field) for mistake in located] == [
        (str(agency), 4, "spec.class"),
        (str(system), 6, "spec.name.en"),
        (str(system), 7, "spec.jwks.keys[0].kty"),
        (str(system), 5, "spec.contact"),
        (None, None, "manifests"),
    ]


def test_mistakes_in_an_openapi_document_are_placed_in_its_own_file(tmp_path: Path) -> None:
    write(
        tmp_path / "service.yaml",
        "apiVersion: lienthong/v1\nkind: Service\nmetadata: {id: H11.05/land/parcels-v1}\n"
        "spec:\n  upstreams: [http://127.0.0.1:9]\n  openapiFile: api/openapi.yaml\n",
    )
    write(
        tmp_path / "api/openapi.yaml",
        "openapi: 3.1\ninfo: {title: Thửa đất, version: 1.0}\n"
        "paths:\n  /parcels/{id}:\n    get:\n      summary: x\n",
    )
    found = load([tmp_path / "service.yaml"])
    document = found.values[0]["spec"]["openapi"]
    assert document["openapi"] == "3.1"
    assert document["info"]["version"] == "1.0"
    (mistake,) = found.locate([Mistake("/manifests/0/spec/openapi/paths/~1parcels~1{id}/get", Text("", ""))])
    assert mistake.file == str(tmp_path / "api/openapi.yaml")
    assert mistake.line == 5


def test_addresses_are_expanded_and_a_variable_that_is_not_set_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "apiVersion: lienthong/v1\nkind: Service\nmetadata: {id: H11.05/land/parcels-v1}\n"
        "spec:\n  upstreams: ['${LAND_URL}/base']\n"
        "  credentials:\n    - {kind: oauth2, secret: core, tokenUrl: '$LAND_URL/token'}\n"
    )
    file = write(tmp_path / "service.yaml", text)
    monkeypatch.setenv("LAND_URL", "http://land")
    spec = load([file]).values[0]["spec"]
    assert (spec["upstreams"], spec["credentials"][0]["tokenUrl"]) == (
        ["http://land/base"],
        "http://land/token",
    )
    monkeypatch.delenv("LAND_URL")
    mistakes = load([file]).mistakes
    assert [one.pointer for one in mistakes] == ["/spec/upstreams/0", "/spec/credentials/0/tokenUrl"]


def test_a_wsdl_document_is_sent_as_it_is_and_mistakes_are_placed_in_it(tmp_path: Path) -> None:
    write(
        tmp_path / "service.yaml",
        "apiVersion: lienthong/v1\nkind: Service\nmetadata: {id: H11.05/land/registry-v1}\n"
        "spec:\n  upstreams: [http://127.0.0.1:9]\n  wsdlFile: land.wsdl\n",
    )
    write(tmp_path / "land.wsdl", "<definitions>: {not YAML\n</definitions>\n")
    found = load([tmp_path / "service.yaml"])
    assert found.mistakes == []
    assert found.values[0]["spec"]["wsdl"] == "<definitions>: {not YAML\n</definitions>\n"
    (mistake,) = found.locate([Mistake("/manifests/0/spec/wsdl", Text("", "line 1: …"))])
    assert (mistake.file, mistake.field) == (str(tmp_path / "land.wsdl"), "spec.wsdl")


def test_bad_syntax_in_an_openapi_document_names_that_file(tmp_path: Path) -> None:
    write(
        tmp_path / "service.yaml",
        "apiVersion: lienthong/v1\nkind: Service\nmetadata: {id: a}\nspec: {openapiFile: openapi.yaml}\n",
    )
    write(tmp_path / "openapi.yaml", "openapi: 3.1.0\npaths: {\n")
    (mistake,) = load([tmp_path / "service.yaml"]).mistakes
    assert str(mistake.file).endswith("openapi.yaml")
    assert mistake.pointer == "/spec/openapi"


def test_what_is_told_here_is_not_told_again(tmp_path: Path) -> None:
    found = load([write(tmp_path / "system.yaml", SYSTEM)])
    said = Text("thiếu", "missing")
    left = found.locate([Mistake("/manifests/0/spec/jwks", said), Mistake("/manifests/0/spec/contact", said)])
    assert [mistake.field for mistake in left] == ["spec.contact"]


def test_a_tax_code_without_quotes_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path / "company.yaml", AGENCY.replace("H11.05", "3400123456"))
    assert load([path]).values[0]["metadata"]["id"] == "3400123456"


def test_what_reading_the_catalog_adds_may_come_back(tmp_path: Path) -> None:
    assert load([write(tmp_path / "a.yaml", AGENCY + "status: active\noperations: []\n")]).mistakes == []


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n"])
def test_what_is_no_object_is_no_manifest(tmp_path: Path, text: str) -> None:
    found = load([write(tmp_path / "list.yaml", text)])
    assert not found.readable
    assert told(found) == [("list.yaml", 1, "")]


def test_a_path_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        load([tmp_path / "nowhere.yaml"])
    with pytest.raises(InputError, match="no YAML"):
        load([tmp_path])


@pytest.mark.parametrize("inline", [False, True], ids=["the key's file named", "written into the manifest"])
def test_a_private_key_is_refused_before_anything_is_sent(tmp_path: Path, inline: bool) -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "x", "d": "the secret"}
    if inline:
        text = SYSTEM.replace("jwksFile: land/public.jwks", "jwks: " + json.dumps({"keys": [key]}))
    else:
        write(tmp_path / "land/key.jwk", json.dumps(key))
        text = SYSTEM.replace("public.jwks", "key.jwk")
    found = load([write(tmp_path / "system.yaml", text)])
    assert told(found) == [("system.yaml", 7, "spec.jwks")]
    assert "private key" in found.mistakes[0].detail.en
    assert "the secret" not in json.dumps(found.values)
