"""`python -m tests.manifests`: render, validate every object, compare with the processes."""

import sys

from tests.manifests.agreement import mistakes_between
from tests.manifests.rendering import TARGETS, RenderingError, mistakes_in, render


def main() -> int:
    """0 when every manifest is good; else each mistake on a line of its own."""
    mistakes: list[str] = []
    for target in TARGETS:
        try:
            manifests = render(target)
        except RenderingError as error:
            mistakes.append(f"deploy/k8s/{target} cannot be rendered: {error}")
            continue
        found = [*mistakes_in(manifests), *mistakes_between(manifests)]
        mistakes += [f"deploy/k8s/{target}: {mistake}" for mistake in found]
        print(f"deploy/k8s/{target}: {len(manifests)} objects, {len(found)} mistakes")
    print("\n".join(mistakes), end="\n" if mistakes else "")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
