"""Ports given to tests that run beside each other never meet."""

from __future__ import annotations

import subprocess
import sys

from tests.support.ports import INSTALLATION_PORTS, take_free_offset, take_free_port

TAKE = (
    "from tests.support.ports import take_free_port; print([take_free_port() for _ in range(200)]); input()"
)


def test_two_processes_are_given_different_ports() -> None:
    command = [sys.executable, "-c", TAKE]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        given = [port for process in processes for port in _ports(process)]
    finally:
        for process in processes:
            process.communicate("\n")
    assert len(set(given)) == 400


def test_no_port_is_given_twice() -> None:
    given = [take_free_port() for _ in range(200)]
    offsets = [take_free_offset() for _ in range(20)]
    given += [port + offset for offset in offsets for port in INSTALLATION_PORTS]
    assert len(set(given)) == len(given)


def test_as_many_installations_get_ports_as_a_whole_run_has() -> None:
    take = "from tests.support.ports import take_free_offset as take; print([take() for _ in range(120)])"
    command = [sys.executable, "-c", take]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    offsets = [int(word) for word in done.stdout.strip("[]\n").split(",")]
    ports = [port + offset for offset in offsets for port in INSTALLATION_PORTS]
    assert len(set(ports)) == len(ports)


def test_what_is_given_back_is_given_again() -> None:
    take = (
        "from tests.support.ports import give_back_offset, take_free_offset\n"
        "for _ in range(1000): give_back_offset(take_free_offset())"
    )
    subprocess.run([sys.executable, "-c", take], check=True, timeout=60)


def test_no_outgoing_connection_is_given_a_port_of_an_installation() -> None:
    assert max(INSTALLATION_PORTS) + take_free_offset() < 32_768


def _ports(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().strip("[]\n").split(",")]
