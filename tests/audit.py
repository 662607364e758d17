"""`python -m tests.audit`: ask the OSV database whether what the lock files name has known vulnerabilities.

pip-audit answers "no known vulnerabilities" of packages that its service does not know, with exit status 0.
Here only packages that were looked up count as audited.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
LOCKS = tuple(_ROOT / f"requirements{part}.lock" for part in ("", "-dev", "-fuzz"))
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 2


def audit(arguments: list[str]) -> int:
    """Audit the lock files and say what was found; `arguments` are further ones of pip-audit's.

    Returns `CLEAN`, `VULNERABLE`, or `NOT_AUDITED` when the vulnerability service could not be asked.
    """
    locks = [word for lock in LOCKS for word in ("--requirement", str(lock))]
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--format", "json"]
    done = subprocess.run(
        [*command, "--progress-spinner", "off", "--disable-pip", *locks, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except json.JSONDecodeError:
        reason = done.stderr.strip().rpartition("\n")[2]
        print(f"NOT AUDITED: the vulnerability service could not be reached or did not answer.\n{reason}")
        return NOT_AUDITED
    return _judge(packages)


def _judge(packages: list[dict[str, Any]]) -> int:
    skipped = [package for package in packages if "skip_reason" in package]
    found = [(package, vulnerability) for package in packages for vulnerability in package.get("vulns", [])]
    for package in skipped:
        print(f"NOT AUDITED: {package['name']}: {package['skip_reason']}")
    for package, vulnerability in found:
        versions = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        name = f"{package['name']} {package['version']}"
        print(f"VULNERABLE: {name}: {vulnerability['id']}, fixed in {versions}")
    print(f"{len(packages) - len(skipped)} packages audited, {len(found)} vulnerabilities")
    if found:
        return VULNERABLE
    return NOT_AUDITED if skipped or not packages else CLEAN


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1:]))
