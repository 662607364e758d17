"""What of documents in the field the catalog takes: `python -m tests.bench.field_documents FOLDER...`.

Every OpenAPI, Swagger and WSDL document below the folders is read as `lienthong apply` reads it, registered
as the document of a service by the catalog's own reader, and shown to a validator of others:
openapi-spec-validator for OpenAPI and Swagger (what is converted has to be as valid as what was given), zeep
for WSDL. Nothing is fetched, so that a document in several files is none that a validator takes. Each refusal
is printed with its line and its reason; then the rate, of those that the validator takes. Each document has a
process of its own and a time limit: a hang counts as refused.

`--all` prints those that are taken too, `--seconds` sets the limit, `--checks` has bodies and parameters
checked.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jsonschema_path import SchemaPath
from openapi_spec_validator.shortcuts import get_validator_cls
from zeep.transports import Transport
from zeep.wsdl import Document as ZeepDocument

from lienthong.catalog.apply.schemas import read_apply_text
from lienthong.catalog.domain.drafts import Draft
from lienthong.catalog.services.domain.swagger import convert
from lienthong.client.manifests.positions import Document, Position, read
from lienthong.client.pointers import parse_pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

_SUFFIXES: Final = (".json", ".yaml", ".yml", ".wsdl")
_LARGEST: Final = 32 * 1024 * 1024
_OPENAPI: Final = re.compile(rb"""["']?(?:openapi|swagger)["']?\s*:\s*["']?[23]\.""")
_WSDL: Final = re.compile(rb"<(?:[\w.-]+:)?definitions\b[^>]*http://schemas\.xmlsoap\.org/wsdl/", re.DOTALL)
_MOST_REASONS: Final = 3
_LONGEST_REASON: Final = 300


@dataclass
class Finding:
    """What became of one document; `valid` is None where the validator did not come to an end."""

    path: Path
    kind: str = ""
    bytes: int = 0
    seconds: float = 0.0
    operations: int = 0
    reasons: list[str] = field(default_factory=list)
    ended: bool = False
    valid: bool | None = None
    why_not_valid: str = ""

    @property
    def taken(self) -> bool:
        """Whether the catalog takes it."""
        return self.ended and not self.reasons


def documents(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the files below folders that look like a description of an API."""
    for folder in folders:
        found = [folder] if folder.is_file() else sorted(folder.rglob("*"))
        for path in found:
            if path.suffix.lower() not in _SUFFIXES or not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            pattern = _WSDL if path.suffix.lower() == ".wsdl" else _OPENAPI
            if pattern.search(path.read_bytes()):
                yield path


def read_one(path: Path, checks: str | None, answers: Connection) -> None:
    """Read a document, and send what is found as far as it is known; in a process of its own."""
    finding = Finding(path, path.suffix.lower()[1:], path.stat().st_size)
    started = time.process_time()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        finding.reasons, finding.ended = [f"not UTF-8 text: byte {error.start}"], True
        answers.send(finding)
        return
    if path.suffix.lower() == ".wsdl":
        found: Any = Document(text, {(): Position(str(path), 1, 1)})
        spec: dict[str, Any] = {"wsdl": text}
    else:
        listed, mistakes = read(text, str(path))
        finding.reasons = [f"{mistake.line}: {mistake.detail.en}" for mistake in mistakes]
        if not finding.reasons and (len(listed) != 1 or not isinstance(listed[0].value, dict)):
            finding.reasons = ["1: exactly one object is expected"]
        if finding.reasons:
            finding.ended = True
            answers.send(finding)
            return
        found = listed[0]
        finding.kind = next((name for name in ("openapi", "swagger") if name in found.value), "")
        if not finding.kind:
            finding.reasons, finding.ended = ["1: neither 'openapi' nor 'swagger' at the top"], True
            answers.send(finding)
            return
        spec = {"openapi": _as_the_command_sends_it(found)}
        if checks is not None:
            spec["checks"] = {"requests": checks, "answers": checks}
    finding.operations, finding.reasons = _registered(spec, found)
    finding.seconds, finding.ended = time.process_time() - started, True
    answers.send(finding)
    try:
        _validate_wsdl(path) if "wsdl" in spec else _validate(found.value)
        finding.valid = True
        if finding.kind == "swagger" and finding.taken:
            # What is kept is as valid as what was given.
            finding.reasons = _mistakes_of_conversion(found.value)
    except Exception as error:  # noqa: BLE001 - whatever a validator finds wrong, or cannot read
        finding.valid = False
        finding.why_not_valid = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    answers.send(finding)


def _as_the_command_sends_it(found: Document) -> dict[str, Any]:
    for pointer in (("openapi",), ("swagger",), ("info", "version")):
        parent = found.value
        for word in pointer[:-1]:
            parent = parent.get(word) if isinstance(parent, dict) else None
        if isinstance(parent, dict) and isinstance(parent.get(pointer[-1]), int | float):
            parent[pointer[-1]] = found.written[pointer]
    return dict(found.value)


def _registered(document: dict[str, Any], found: Document) -> tuple[int, list[str]]:
    spec = {"name": {"vi": "Dịch vụ", "en": "Service"}, "upstreams": ["http://10.0.0.5:8201"], **document}
    manifest = {
        "apiVersion": "lienthong/v1",
        "kind": "Service",
        "metadata": {"id": "H11.05/land/it-v1"},
        "spec": spec,
    }
    body = json.dumps({"manifests": [manifest]}, ensure_ascii=False, separators=(",", ":"))
    try:
        parts = read_apply_text(body.encode("utf-8", "surrogatepass"))
    except Exception as error:  # noqa: BLE001 - a problem, or a mistake of ours: both are refusals to be read
        return 0, [f"1: {error}"]
    reasons = []
    for part in parts:
        if isinstance(part, Draft):
            operations = len(part.operations or ())
            continue
        inner = parse_pointer(part.pointer)[4:]
        place = found.place(inner)
        line = place.line if place is not None else 1
        reasons.append(f"{line}: {'/'.join(inner)}: {part.text.en}")
    return (operations if not reasons else 0), reasons


def _validate(document: dict[str, Any]) -> None:
    handlers = dict.fromkeys(("", "file", "http", "https", "<all_urls>"), _not_fetched)
    path = SchemaPath.from_dict(document, handlers=handlers)
    get_validator_cls(document)(path).validate()


def _mistakes_of_conversion(document: dict[str, Any]) -> list[str]:
    try:
        _validate(convert(document).document)
    except Exception as error:  # noqa: BLE001 - whatever a validator finds wrong
        where = "/".join(map(str, getattr(error, "absolute_path", ())))
        return [f"1: the conversion is not valid at {where}: {type(error).__name__}: {str(error)[:200]}"]
    return []


def _not_fetched(uri: str) -> Any:  # noqa: ANN401 - a document that is never there
    raise ValueError(f"{uri} is in another document")


class _OneFile(Transport):  # type: ignore[misc] # zeep has no types
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def load(self, url: str) -> bytes:
        """Return the document itself, and nothing else."""
        if url != self._path.as_uri():
            raise ValueError(f"{url} is in another document")
        return self._path.read_bytes()


def _validate_wsdl(path: Path) -> None:
    ZeepDocument(path.absolute().as_uri(), _OneFile(path.absolute()))


def try_all(paths: Sequence[Path], seconds: float, checks: str | None) -> Iterator[Finding]:
    """Read each document in a process of its own, which is ended when its time is over."""
    context = multiprocessing.get_context("fork")
    for path in paths:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=read_one, args=(path, checks, there), daemon=True)
        process.start()
        there.close()
        finding = Finding(path, path.suffix.lower()[1:], path.stat().st_size)
        until = time.monotonic() + seconds
        with contextlib.suppress(EOFError):
            while here.poll(max(0.0, until - time.monotonic())):
                finding = here.recv()
        process.kill()
        process.join()
        if not finding.ended:
            finding.reasons = [f"1: not read within {seconds:.0f} s"]
        yield finding


def main() -> None:
    """Print what becomes of the documents below the folders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--checks", choices=("enforce", "report"))
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    findings = []
    for finding in try_all(list(documents(arguments.folders)), arguments.seconds, arguments.checks):
        findings.append(finding)
        said = {True: "valid", False: "not valid", None: "not known to be valid"}[finding.valid]
        if finding.taken and arguments.all:
            print(
                f"taken    {finding.path} ({finding.operations} operations, {finding.seconds:.1f} s; {said})"
            )
        elif not finding.taken:
            print(f"refused  {finding.path} ({said})")
            for reason in finding.reasons[:_MOST_REASONS]:
                print(f"         line {reason[:_LONGEST_REASON]}")
        sys.stdout.flush()
    _summary(findings)


def _summary(findings: Sequence[Finding]) -> None:
    for kind, some in (
        ("OpenAPI and Swagger", [one for one in findings if one.kind != "wsdl"]),
        ("WSDL", [one for one in findings if one.kind == "wsdl"]),
    ):
        if not some:
            continue
        valid = [one for one in some if one.valid]
        taken, of_valid = sum(one.taken for one in some), sum(one.taken for one in valid)
        rate = f"{of_valid / len(valid):.1%}" if valid else "–"
        slowest = max(some, key=lambda one: one.seconds)
        print(
            f"{kind}: {len(some)} documents, {taken} taken; of {len(valid)} that the validator takes "
            f"{of_valid} ({rate}); no end in time: {sum(not one.ended for one in some)}; "
            f"the slowest {slowest.seconds:.1f} s, {slowest.bytes / 1024:.0f} KiB ({slowest.path.name})"
        )


if __name__ == "__main__":
    main()
