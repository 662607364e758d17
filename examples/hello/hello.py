"""A minimal API of your own: `python3 hello.py [port]`; it needs nothing but Python."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

PREFIX = "/greetings/"


class Hello(BaseHTTPRequestHandler):
    """Greets the person named in the path; the answer repeats what the gateway says about the caller."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer `GET /greetings/{name}`."""
        if not self.path.startswith(PREFIX):
            self.send_error(404)
            return
        greeting = {
            "greeting": f"Xin chào, {unquote(self.path[len(PREFIX) :])}!",
            "asked_by": self.headers.get("LGSP-Client"),
            "purpose": self.headers.get("LGSP-Purpose"),
            "transaction_id": self.headers.get("LGSP-Transaction-Id"),
        }
        body = json.dumps(greeting, ensure_ascii=False).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("port", nargs="?", type=int, default=9000)
    ThreadingHTTPServer(("127.0.0.1", arguments.parse_args().port), Hello).serve_forever()
