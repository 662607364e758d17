"""What fuzzing has found, and what it began with, holds: `make fuzz` looks for more."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.fuzz import callers, inputs, providers
from tests.fuzz.clock import FindingError

CHECKS = {"callers": callers.check, "providers": providers.check}


@pytest.mark.parametrize("target", inputs.TARGETS)
def test_every_input_that_is_kept_breaks_no_promise(target: str) -> None:
    kept = inputs.kept(target)
    assert len(kept) > 100
    for data in kept:
        with capture_logs():
            try:
                CHECKS[target](data)
            except FindingError as error:
                raise AssertionError(f"{data!r}") from error
