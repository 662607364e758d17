"""`python -m tests.contracts`: processes of different commits must go on understanding each other.

`proto/contracts.json` is the image of the contracts. It must be the present one, and the present contracts
must be compatible with every version of it that the history holds: a break does not pass because the image
was rewritten in the same change. `--accept` rewrites the image, unless the change breaks an earlier version.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGE = "contracts.json"
_ROOT = Path(__file__).resolve().parents[1]
_BUF = str(Path(sys.executable).with_name("buf"))


def check(proto: Path, *, accept: bool = False) -> list[str]:
    """Every mistake in the contracts of the folder `proto`; if there is none, `accept` rewrites the image.

    Raises:
        subprocess.CalledProcessError: the contracts cannot be built.
    """
    built = _run(proto, _BUF, "build", "--exclude-source-info", "--output", "-#format=json")
    built.check_returncode()
    present = json.dumps(json.loads(built.stdout), indent=1, ensure_ascii=False) + "\n"
    image = proto / IMAGE
    stored = image.read_text(encoding="utf-8") if image.exists() else ""
    mistakes = [mistake for version in _versions(proto, stored) for mistake in _broken(proto, version)]
    if not mistakes and accept:
        image.write_text(present, encoding="utf-8")
    elif not mistakes and stored != present:
        mistakes = [f"proto/{IMAGE} is not the image of the present contracts: `make contracts` rewrites it"]
    return list(dict.fromkeys(mistakes))


def _versions(proto: Path, stored: str) -> list[str]:
    """The image as it is stored and as every commit up to this one left it, once each.

    A commit that removed it shows nothing, and neither does a copy of the sources without their history.
    """
    log = _run(proto, "git", "log", "--format=%H", "--", IMAGE)
    shown = [_run(proto, "git", "show", f"{commit}:./{IMAGE}").stdout for commit in log.stdout.split()]
    return [version for version in dict.fromkeys([stored, *shown]) if version]


def _broken(proto: Path, version: str) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as earlier:
        earlier.write(version)
        earlier.flush()
        found = _run(proto, _BUF, "breaking", "--against", earlier.name)
    return (found.stdout + found.stderr).splitlines() if found.returncode else []


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    found = check(_ROOT / "proto", accept="--accept" in sys.argv[1:])
    print("\n".join(found) or f"proto/{IMAGE}: compatible with every earlier version")
    sys.exit(1 if found else 0)
