#!/usr/bin/env bash
# Authlib 1.9.10 with httpx 0.28.1, before and after httpx2 2.16.2 is installed beside it
#
# Expected: a program that uses Authlib's client for httpx and handles `httpx.HTTPError` goes on doing so when some other
#           package brings httpx2 into its environment. The integration is called `httpx_client`, and httpx is still there.
# Seen:     as soon as httpx2 can be imported, the client is one of httpx2: it is no `httpx.Client` any more, and what it
#           raises is none of httpx's errors, so that handlers of the program pass it by. Without httpx2 the import
#           raises a deprecation warning (an error where warnings are errors).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
install() { "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
install authlib==1.9.10 httpx==0.28.1 joserfc==1.8.0 cryptography==50.0.2

cat >"$folder/program.py" <<'PY'
import socket
import warnings

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    from authlib.integrations.httpx_client import OAuth2Client
import httpx

with socket.socket() as nobody:
    nobody.bind(("127.0.0.1", 0))
    port = nobody.getsockname()[1]
client = OAuth2Client("client", "secret", trust_env=False)
try:
    client.fetch_token(f"http://127.0.0.1:{port}/token", grant_type="client_credentials")
except httpx.HTTPError:
    outcome = "handled as httpx.HTTPError"
except Exception as error:
    outcome = f"passed by: {type(error).__module__.partition('.')[0]}.{type(error).__name__}"
print(f"httpx.Client: {isinstance(client, httpx.Client)}; {outcome}; deprecations: {len(warned)}")
PY

before=$("$folder/venv/bin/python" "$folder/program.py")
echo "httpx alone:    $before"
install httpx2==2.16.2
after=$("$folder/venv/bin/python" "$folder/program.py")
echo "httpx2 as well: $after"
[[ $before == "httpx.Client: True; handled as httpx.HTTPError; deprecations: 1" ]]
[[ $after == "httpx.Client: False; passed by: httpx2.ConnectError; deprecations: 0" ]]
echo "as described"
