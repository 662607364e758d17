#!/usr/bin/env bash
# cloudevents 2.2.0 (the CloudEvents SDK for Python): a boolean extension attribute, in binary mode over HTTP and Kafka
#
# Expected: `true` or `false` in lower case. CloudEvents 1.0.2, section "Type System", Boolean, fixes this spelling;
#           HTTP Protocol Binding 1.0.2, section 3.1.3.2, writes header values with it.
# Seen:     `True` and `False`, Python's spelling, in HTTP and Kafka headers. The same event in structured mode is right.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check cloudevents==2.2.0

"$folder/venv/bin/python" - <<'PY'
import json
import sys
from datetime import UTC, datetime

from cloudevents.core.bindings import http, kafka
from cloudevents.core.v1.event import CloudEvent

as_described = True
for urgent in (True, False):
    event = CloudEvent(
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/registry",
            "type": "vn.example.changed",
            "time": datetime(2026, 11, 28, tzinfo=UTC),
            "urgent": urgent,
        }
    )
    expected = json.dumps(urgent)
    binary = http.to_binary_event(event).headers["ce-urgent"]
    over_kafka = kafka.to_binary_event(event).headers["ce_urgent"].decode()
    structured = json.dumps(json.loads(http.to_structured_event(event).body)["urgent"])
    print(f"expected {expected}; HTTP binary {binary}, Kafka binary {over_kafka}, HTTP structured {structured}")
    as_described &= binary == over_kafka == str(urgent) and structured == expected

if not as_described:
    sys.exit("cloudevents no longer behaves as described")
PY
