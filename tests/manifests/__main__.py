"""`python -m tests.manifests`: render, validate every object, compare with the processes."""

import sys

from tests.manifests.agreement import mistakes_between
from tests.manifests.rendering import TARGETS, mistake_in, render


def main() -> int:
    """0 when every manifest is good; else each mistake on a line of its own."""
    mistakes: list[str] = []
    for target in TARGETS:
        manifests = render(target)
        found = [mistake for manifest in manifests if (mistake := mistake_in(manifest))]
        found += mistakes_between(manifests)
        mistakes += [f"{target}: {mistake}" for mistake in found]
        print(f"deploy/k8s/{target}: {len(manifests)} objects, {len(found)} mistakes")
    print("\n".join(mistakes), end="\n" if mistakes else "")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
