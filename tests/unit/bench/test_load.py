"""What wrk prints is read right, and what it saw fail is not taken for a figure."""

import pytest

from tests.bench.load import Load, LoadError, parse

REPORT = """\
Running 4s test @ http://127.0.0.1:8080/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     3.21ms    1.02ms  30.11ms   90.00%
  Latency Distribution
     50%  950.00us
     75%    4.10ms
     90%    5.00ms
     99%    1.20s
  30800 requests in 4.00s, 8.87MB read
Requests/sec:   7700.25
Transfer/sec:      8.07MB
"""


def test_units_become_milliseconds() -> None:
    assert parse(REPORT) == Load(requests=30800, requests_per_s=7700.25, p50_ms=0.95, p99_ms=1200.0)


@pytest.mark.parametrize("line", ["  Non-2xx or 3xx responses: 3", "  Socket errors: connect 0, read 1"])
def test_failed_answers_make_no_figure(line: str) -> None:
    with pytest.raises(LoadError):
        parse(REPORT + line)


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(LoadError):
        parse("unable to connect to 127.0.0.1:8080")


def test_refused_answers_are_a_figure_where_every_one_was_to_be_refused() -> None:
    refused = REPORT + "  Non-2xx or 3xx responses: 30800"
    assert parse(refused, refused=True).requests == 30800
    for other in (REPORT, REPORT + "  Non-2xx or 3xx responses: 30799"):
        with pytest.raises(LoadError):
            parse(other, refused=True)
