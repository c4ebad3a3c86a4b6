"""Tables in S3: moto's server behind a proxy that loses answers, fails and slows requests down.

    python Tests/Delta/object_storage.py [--tool .build/debug/headrace-delta] [--seed N]

Every commit must be there once, whatever the proxy does to it; delta-rs reads what was written."""

import argparse
import contextlib
import http.client
import http.server
import json
import logging
import os
import random
import sys
import threading
import time

import boto3
import pyarrow as pa
from deltalake import DeltaTable
from moto.server import ThreadedMotoServer

from interchange import Checks, Rows, SCHEMA, Tool, from_arrow, ordered, spark_schema
from multipart import large_objects
from races import duels

BUCKET = "headrace"
KEYS = {"AWS_ACCESS_KEY_ID": "canary-id", "AWS_SECRET_ACCESS_KEY": "canary-secret", "AWS_REGION": "us-east-1"}


class Faults:
    """What goes wrong: in shares of all requests, seeded, and planned for requests of one kind."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.shares = {}
        self.counts = {}
        # (method, pattern in the address, kind, how often), and what came of it.
        self.planned = []
        self.planned_done = []
        # (method, address, body) of everything, while somebody looks.
        self.seen = None

    def take(self, method, address, body):
        with self.lock:
            if self.seen is not None:
                self.seen.append((method, address, body))
            for index, (wanted, pattern, kind, times) in enumerate(self.planned):
                if method == wanted and times > 0 and pattern.search(address):
                    self.planned[index] = (wanted, pattern, kind, times - 1)
                    self.planned_done.append(kind)
                    return kind
            dice = self.random.random()
            for kind, share in self.shares.items():
                if dice < share:
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    return kind
                dice -= share
        return None


def proxy(target_port, faults):
    """Passes requests on to the server, but for those that the faults name.

    S3 promises that of two writes under a condition one wins. moto looks for the object and stores it later, with other
    threads in between, so that both may win: such writes pass one after the other."""

    conditional = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            fault = faults.take(self.command, self.path, body)
            if fault == "refused":
                return self.answer(500, b"<Error><Code>InternalError</Code><Message>planned</Message></Error>")
            if fault == "slow-down":
                return self.answer(503, b"<Error><Code>SlowDown</Code><Message>planned</Message></Error>")
            if fault == "denied":
                return self.answer(403, b"<Error><Code>AccessDenied</Code><Message>planned</Message></Error>")
            if fault == "false-success":
                return self.answer(200, b"<Error><Code>InternalError</Code><Message>planned</Message></Error>")
            if fault == "lost-request":
                self.close_connection = True
                return None
            with conditional if "if-none-match" in self.headers else contextlib.nullcontext():
                response, content = self.forward(body)
            if fault == "lost-answer":
                self.close_connection = True
                return None
            if fault == "failed-after":
                return self.answer(500, b"<Error><Code>InternalError</Code></Error>")
            if fault == "slow":
                time.sleep(0.2)
            self.send_response(response.status)
            for name, value in response.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "server", "date", "content-length"):
                    self.send_header(name, value)
            length = response.getheader("content-length") if self.command == "HEAD" else str(len(content))
            self.send_header("content-length", length or "0")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def forward(self, body):
            server = http.client.HTTPConnection("127.0.0.1", target_port)
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                server.putheader(name, value)
            server.endheaders(body)
            response = server.getresponse()
            content = response.read()
            server.close()
            return response, content

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("content-length", "0" if self.command == "HEAD" else str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def whole_tables(checks, tool, endpoint, seed):
    """Create, append, read, compact, checkpoint, vacuum, with a name that needs escaping."""
    name = "tables/a b+c=ü"
    source = Rows(seed)
    tool.run("create", name, "--schema", spark_schema(SCHEMA), "--partition", "day")
    expected = []
    for number in range(4):
        rows = source.take(40)
        expected += rows
        options = ["--app", "app", *(["--from", str(number)] if number else []), "--to", str(number + 1)]
        tool.run("append", name, *options, rows=rows)
    checks.equal("S3: rows", tool.rows(name), expected)
    storage = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
    found = DeltaTable(f"s3://{BUCKET}/some/{name}", storage_options=storage)
    checks.equal("S3: rows by delta-rs", ordered(from_arrow(pa.table(found.to_pyarrow_table()).select([f for f, _ in SCHEMA]))), expected)
    checks.equal("S3: transaction by delta-rs", found.transaction_version("app"), 4)
    tool.run("compact", name)
    tool.run("checkpoint", name)
    checks.equal("S3: compacted", tool.rows(name), expected)
    tool.run("vacuum", name, "--retention", "0")
    checks.equal("S3: vacuumed", tool.rows(name), expected)


def pairs(tool, name):
    return [(row["app"], row["number"]) for row in map(json.loads, tool.run("read", name).splitlines())]


def race(checks, tool, faults, name, writers, commits):
    tool.run("create", name, "--schema", spark_schema([("app", "string"), ("number", "long")]))
    begun = time.monotonic()
    running = {f"w{n}": tool.start("race", name, "--app", f"w{n}", "--commits", str(commits)) for n in range(writers)}
    for app, process in running.items():
        out, _ = process.communicate()
        # A writer that gives up before a store that stays broken is right to; it begins again.
        while process.returncode != 0 and ("S3_" in out or "STORE_" in out or "HTTP_" in out):
            process = tool.start("race", name, "--app", app, "--commits", str(commits))
            out, _ = process.communicate()
        checks.equal(f"{name}: {app} ends well", (process.returncode, out), (0, ""))
    faults.shares = {}
    print(f"{name}: {writers} writers x {commits} commits in {time.monotonic() - begun:.1f} s", flush=True)
    rows = sorted(pairs(tool, name))
    expected = sorted((f"w{writer}", number) for writer in range(writers) for number in range(3 * commits))
    checks.equal(f"{name}: {writers} writers x {commits} commits, faults {faults.counts}", rows, expected)


def refusals(checks, tool, port):
    wrong = Tool(tool.path, "s3://no-such-bucket/x", tool.environment)
    checks.true("a missing bucket is named", "S3_NO_BUCKET" in wrong.refusal("read", "t"))
    dead = Tool(tool.path, tool.store, {**tool.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
    message = dead.refusal("read", "t")
    checks.true("an unreachable endpoint is named", "HTTP_UNREACHABLE" in message and f"127.0.0.1:{port}" in message)
    checks.true("no secret shows", "canary" not in message)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=".build/release/headrace-delta")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--commits", type=int, default=15, help="of each writer; 200 with 8 writers is the long run")
    parser.add_argument("--duels", type=int, default=8)
    parser.add_argument("--parts", choices=["with", "only", "none"], default="with", help="large objects")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    os.environ.update(KEYS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    direct = f"http://127.0.0.1:{port}"
    boto3.client("s3", endpoint_url=direct, region_name="us-east-1").create_bucket(Bucket=BUCKET)
    faults = Faults(arguments.seed)
    broken = proxy(port, faults)
    through = f"http://127.0.0.1:{broken.server_port}"
    checks = Checks()
    store = f"s3://{BUCKET}/some"
    whole_tables(checks, Tool(arguments.tool, store, {**KEYS, "AWS_ENDPOINT_URL": direct}), direct, arguments.seed)
    tool = Tool(arguments.tool, store, {**KEYS, "AWS_ENDPOINT_URL": through})
    if arguments.parts != "none":
        large_objects(checks, tool, faults, direct, BUCKET, KEYS, arguments.seed)
        faults.seen = None
    if arguments.parts == "only":
        return finish(checks, broken, server)
    race(checks, tool, faults, "calm", arguments.writers, arguments.commits)
    faults.shares = {
        "lost-answer": 0.03, "failed-after": 0.03, "refused": 0.03, "slow-down": 0.02, "lost-request": 0.02, "slow": 0.01,
    }
    tool.run("create", "warm-up", "--schema", spark_schema([("app", "string"), ("number", "long")]))
    race(checks, tool, faults, "broken", arguments.writers, arguments.commits)
    checks.true("faults happened", sum(faults.counts.values()) >= 5)
    duels(checks, tool, "duel", arguments.duels, lambda: sorted(pairs(tool, "duel")))
    free = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    closed = free.server_port
    free.server_close()
    refusals(checks, tool, closed)
    finish(checks, broken, server)


def finish(checks, broken, server):
    broken.shutdown()
    server.stop()
    print(f"object storage: {checks.passed} checks passed, {len(checks.failed)} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
