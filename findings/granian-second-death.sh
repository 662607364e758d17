#!/usr/bin/env bash
# granian 2.8.7: respawn_failed_workers, and a worker that ends twice within a few seconds
#
# Expected: "--respawn-failed-workers: Enable workers respawn on unexpected exit" (granian --help): a worker that ends is
#           started again, and the others go on.
# Seen:     the first time, so it is. When the worker that took its place ends within about five seconds too, the main
#           process stops all workers, those that are well included, and ends with status 1.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check granian==2.8.7

cat >"$folder/application.py" <<'PY'
async def application(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})
PY

"$folder/venv/bin/python" - "$folder" <<'PY'
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
command = [
    Path(sys.executable).with_name("granian"), "--interface", "asginl", "--port", str(port), "--workers", "3",
    "--respawn-failed-workers", "--log-level", "error", "application:application",
]
server = subprocess.Popen(command, cwd=sys.argv[1])


def children():
    found = Path(f"/proc/{server.pid}/task/{server.pid}/children")
    return [int(pid) for pid in found.read_text().split()] if found.exists() else []


def wait(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def answers():
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).read() == b"here"
    except OSError:
        return False


try:
    assert wait(lambda: len(children()) == 3 and answers()), "it does not start"
    time.sleep(6)
    first = children()
    os.kill(first[0], signal.SIGKILL)
    assert wait(lambda: len(set(children()) - set(first)) == 1), "the worker is not started again"
    print("one of 3 workers was ended by SIGKILL: another one took its place")
    time.sleep(2)
    (second,) = set(children()) - set(first)
    os.kill(second, signal.SIGKILL)
    ended = wait(lambda: server.poll() is not None)
    print(f"that one was ended too: the main process {f'ended with status {server.returncode}' if ended else 'goes on'}")
    sys.exit(None if ended and not answers() else "the other workers go on: this is no longer so")
finally:
    server.kill()
    server.wait()
PY
