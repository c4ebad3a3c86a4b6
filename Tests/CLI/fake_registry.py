"""A schema registry that does what a test tells it: answers, is slow, fails, is not there."""

import http.server
import json
import socket
import threading
import time


class FakeRegistry:
    """What readers and writers ask of Confluent's API: `GET /schemas/ids/N`, `POST /subjects/S/versions`."""

    def __init__(self):
        self.schemas = {}
        self.subjects = {}
        self.mode = "well"
        self.delay_seconds = 0.0
        self.requests = []
        self.port = 0
        self.server = None
        self.connections = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """On the port that it had before, if it had one."""
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                registry.connections.add(self.connection)

            def finish(self):
                registry.connections.discard(self.connection)
                super().finish()

            def do_GET(self):
                registry.requests.append((self.path, self.headers.get("Authorization")))
                time.sleep(registry.delay_seconds)
                number = self.path.partition("?")[0].rpartition("/")[2]
                if registry.mode == "failing":
                    self.answer(500, {"error_code": 50001, "message": "store is down"})
                elif number.isdigit() and int(number) in registry.schemas:
                    self.answer(200, {"schema": json.dumps(registry.schemas[int(number)])})
                else:
                    self.answer(404, {"error_code": 40403, "message": "Schema not found"})

            def do_POST(self):
                registry.requests.append((self.path, self.headers.get("Authorization")))
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if registry.mode == "failing":
                    return self.answer(500, {"error_code": 50001, "message": "store is down"})
                schema = json.loads(document["schema"])
                known = [number for number, other in registry.schemas.items() if other == schema]
                number = known[0] if known else len(registry.schemas) + 101
                registry.schemas[number] = schema
                registry.subjects.setdefault(self.path.split("/")[2], []).append(number)
                return self.answer(200, {"id": number})

            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        # Connections that are kept alive end, too.
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
