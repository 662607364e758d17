"""Where the gateway's processor time for a call goes, by perf: `python -m tests.bench.parts`.

The gateway has a core to itself and 32 connections of wrk load it, as in `make bench`. Samples of the kernel
count for the system call that they are in, others for the library or compiled module that runs; what our own
modules have Python do, for Python. Linux, perf and the right to use it; PYTHONPATH=build/compiled for the
compiled gateway.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from lienthong.client import Client
from tests.bench import peers
from tests.bench.answered import alone_on_its_core
from tests.bench.call_targets import CALL, CONNECTIONS, headers_of
from tests.bench.load import measure
from tests.bench.machine import OTHER_CORE, family, machine_line, processor_s
from tests.support.platform import PURPOSE, running_platform
from tests.support.ports import take_free_port

FREQUENCY = 499
_FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.+?)(\+0x[0-9a-f]+)? \((?P<object>.+)\)$")
_OURS = re.compile(r"^(CPy(Def|Py)_)?(?P<module>[a-z0-9_]+?)___")
_KERNEL = (
    ("kernel: writing to sockets", re.compile("^(sock_write_iter|__sock_sendmsg|sock_sendmsg)$")),
    ("kernel: reading from sockets", re.compile("^(sock_read_iter|sock_recvmsg)$")),
    ("kernel: waiting for sockets", re.compile("_sys_(epoll|poll)")),
    ("kernel: disk", re.compile("^(ext4_|vfs_fsync|vfs_write)")),
    ("kernel: threads", re.compile("_sys_futex")),
)
_LIBRARIES = {
    "parser": "llhttp",
    "loop": "uvloop",
    "_asyncio": "asyncio's tasks and futures",
    "_core": "msgspec",
    "_hashlib": "digests",
}
_ON_THE_WAY = {
    "caller": "callers' connections",
    "incoming": "callers' connections",
    "head": "callers' connections",
    "framing": "callers' connections",
    "answer": "callers' connections",
    "request_input": "callers' connections",
    "connection": "providers' connections",
    "pool": "providers' connections",
    "balance": "providers' connections",
    "limits": "providers' connections",
    "request": "providers' connections",
    "forward": "forward",
    "response_headers": "forward",
    "call_headers": "forward",
    "request_headers": "forward",
    "fields": "forward",
    "field_names": "forward",
    "record": "record",
    "privacy": "record",
    "writer": "journal",
    "match": "match, authenticate, authorize",
    "paths": "match, authenticate, authorize",
    "operations": "match, authenticate, authorize",
    "authenticate": "match, authenticate, authorize",
    "authorize": "match, authenticate, authorize",
    "policy": "match, authenticate, authorize",
    "respond": "respond",
    "endless": "respond",
    "reader": "respond",
    "app": "outline of a call",
}


def part_of(stack: list[tuple[str, str]]) -> str:
    """The part of the gateway that a sample belongs to: symbols and objects, innermost first."""
    if stack[0][1].startswith("["):
        for part, wanted in _KERNEL:
            if any(wanted.search(symbol) for symbol, _ in stack):
                return part
        return "kernel: other"
    for symbol, path in stack:
        if path == "inlined":
            continue
        name = Path(path).name
        if "mypyc" in name and (found := _OURS.match(symbol)):
            return f"gateway: {_ON_THE_WAY.get(found['module'], found['module'])}"
        if not name.startswith(("libpython", "python", "libc", "ld-", "lienthong")):
            library = name.partition(".")[0]
            return f"library: {_LIBRARIES.get(library, library)}"
    return "Python, called by the event loop"


def samples(text: str) -> Counter[str]:
    """Count what perf script prints by part."""
    found: Counter[str] = Counter()
    for block in text.split("\n\n"):
        frames = [_FRAME.match(line) for line in block.splitlines()]
        if stack := [(frame["symbol"], frame["object"]) for frame in frames if frame]:
            found[part_of(stack)] += 1
    return found


def main() -> None:
    """Load, sample, and print microseconds a call by part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--refused", action="store_true", help="calls without a token instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lienthong-bench-") as folder, ExitStack() as stack:
        home, port = Path(folder), take_free_port()
        stack.enter_context(peers.upstream(home, port, OTHER_CORE))
        platform = stack.enter_context(running_platform(home / "one", f"http://127.0.0.1:{port}"))
        client = stack.enter_context(Client(platform.consumer))
        with alone_on_its_core(platform):
            processes = family(platform.installation.supervisor.pid("gateway"))
            headers = {"LGSP-Purpose": PURPOSE} if options.refused else headers_of(client)
            for seconds in (2, options.seconds):
                record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(FREQUENCY)]
                record += ["--call-graph", "dwarf,8192"]
                record += ["-o", str(home / "perf.data"), "-p", ",".join(map(str, processes))]
                perf = subprocess.Popen([*record, "--", "sleep", str(seconds)])
                used = processor_s(processes)
                load = measure(
                    f"{platform.gateway}{CALL}",
                    connections=CONNECTIONS,
                    seconds=seconds,
                    headers=headers,
                    core=OTHER_CORE,
                    refused=options.refused,
                )
                used = processor_s(processes) - used
                perf.wait()
        script = ["perf", "script", "-i", str(home / "perf.data"), "-F", "ip,sym,dso"]
        text = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    found, each_us = samples(text), used / load.requests * 1e6
    print(machine_line())
    print(f"{load.requests_per_s:,.0f} calls/s, {each_us:.1f} µs of processor time a call")
    for part, count in found.most_common():
        if count * 1000 >= found.total():
            print(f"{count / found.total() * each_us:7.2f} µs  {count / found.total():6.1%}  {part}")


if __name__ == "__main__":
    main()
